"""Values that Prisma's client makes itself: identifiers of `@default(...)`, one file each.

A generator takes the arguments that the schema gave it (`cuid(2)`, `nanoid(12)`) and returns the value.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

from prisma.engine.generators.cuid1 import cuid1
from prisma.engine.generators.cuid2 import cuid2
from prisma.engine.generators.nanoid import nanoid
from prisma.engine.generators.ulid import ulid
from prisma.engine.generators.uuid7 import uuid7


def make_uuid(version: int) -> str:
    match version:
        case 4:
            return str(uuid.uuid4())
        case 7:
            return str(uuid7())
        case _:
            raise ValueError(f"There is no uuid({version!r}) here: 4 and 7 are known.")


def make_cuid(version: int) -> str:
    match version:
        case 1:
            return cuid1()
        case 2:
            return cuid2()
        case _:
            raise ValueError(f"There is no cuid({version!r}) here: 1 and 2 are known.")


def product(left: Any, right: Any) -> list[list[Any]]:
    """Every pair of an element of `left` and one of `right`; a value that is no list counts as a list of one."""
    lefts = cast("list[Any]", left) if isinstance(left, list) else [left]
    rights = cast("list[Any]", right) if isinstance(right, list) else [right]
    return [[one, other] for one in lefts for other in rights]


GENERATORS: Mapping[str, Callable[..., Any]] = {
    "uuid": make_uuid,
    "cuid": make_cuid,
    "ulid": ulid,
    "nanoid": nanoid,
    "product": product,
}
