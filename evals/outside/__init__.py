"""Benchmarks that others made, driven through our agent. They need `.venv-outside`: see `make evals-security`."""
