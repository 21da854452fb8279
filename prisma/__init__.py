"""A typed client of Prisma 7 for Python: `from prisma import Prisma`. See docs/prisma.md.

Importing this is cheap; pydantic, wasmtime and the drivers are loaded by the first query that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prisma.client import Batch, Prisma
    from prisma.engine.types import EngineOptions, IsolationLevel, QueryEvent
    from prisma.errors import PrismaError
    from prisma.runtime.fields import AnyNull, DbNull, FieldRef, Json, JsonNull
    from prisma.runtime.retry import serializable
    from prisma.runtime.rows import NotLoadedError

_HOMES = {
    "Prisma": "prisma.client",
    "Batch": "prisma.client",
    "EngineOptions": "prisma.engine.types",
    "IsolationLevel": "prisma.engine.types",
    "QueryEvent": "prisma.engine.types",
    "PrismaError": "prisma.errors",
    "AnyNull": "prisma.runtime.fields",
    "DbNull": "prisma.runtime.fields",
    "FieldRef": "prisma.runtime.fields",
    "Json": "prisma.runtime.fields",
    "JsonNull": "prisma.runtime.fields",
    "NotLoadedError": "prisma.runtime.rows",
    "serializable": "prisma.runtime.retry",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'prisma' has no attribute {name!r}")
    import importlib

    value = globals()[name] = getattr(importlib.import_module(home), name)
    return value


__all__ = [
    "AnyNull",
    "Batch",
    "DbNull",
    "EngineOptions",
    "FieldRef",
    "IsolationLevel",
    "Json",
    "JsonNull",
    "NotLoadedError",
    "Prisma",
    "PrismaError",
    "QueryEvent",
    "serializable",
]
