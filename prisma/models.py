"""Rows: what queries return."""

from prisma.client.models import *  # noqa: F403 - the names are those of the schema
