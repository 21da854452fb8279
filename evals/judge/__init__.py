"""A model's opinion of what the agent said. Advice only: no verdict hangs on it."""
