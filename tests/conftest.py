"""Fixtures for every test."""

pytest_plugins = ["tests.support.database", "tests.support.postgres"]
