"""Requests over the demo company, run with a real model and judged by what the database holds afterwards."""
