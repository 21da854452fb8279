"""The datasource block of a schema, as text: reading a schema properly takes Prisma's own tools."""

from __future__ import annotations

import re

from prisma.engine.types import Provider
from prisma.errors import SchemaError


def with_provider(schema: str, provider: Provider) -> str:
    """The schema with the provider of its datasource replaced.

    Raises:
        SchemaError: It has no datasource block with a provider.
    """
    changed, count = re.subn(
        r'(^\s*datasource\s+\w+\s*\{[^}]*?\bprovider\s*=\s*)"[^"]*"', rf'\g<1>"{provider}"', schema, flags=re.M | re.S
    )
    if count != 1:
        raise SchemaError(f"Expected one datasource block with a provider, found {count}.")
    return changed
