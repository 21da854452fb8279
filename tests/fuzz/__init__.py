"""Requests made from our OpenAPI document, in every role, against a real server on PostgreSQL: `make fuzz`."""
