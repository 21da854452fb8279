"""Values for which plain Python has no spelling: see `prisma.runtime.fields`."""

from prisma.runtime.fields import AnyNull, DbNull, FieldRef, Json, JsonNull

__all__ = ["AnyNull", "DbNull", "FieldRef", "Json", "JsonNull"]
