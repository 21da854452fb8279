"""Enums of the schema."""

from prisma.client.enums import *  # noqa: F403 - the names are those of the schema
