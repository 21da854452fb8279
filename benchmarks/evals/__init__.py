"""What the suite itself costs a case, without a model."""
