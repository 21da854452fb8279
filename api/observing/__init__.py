"""What an operator sees of the server: logs, metrics, readiness and, where they are switched on, traces."""
