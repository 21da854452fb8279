"""Numbers about samples: pure functions, each with its source."""
