"""What is measured, against which peer or limit. Each is a module to run: `python -m benchmarks.streams`."""
