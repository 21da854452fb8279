"""Lists in parts: `?limit=` and `?after=`, the id that the last part ended with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel

from api.resources import Page

R = TypeVar("R", bound=BaseModel)

Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[str | None, Query(max_length=64, description="`next` of the part before.")]


def page(resource: type[R], rows: Sequence[Any], limit: int) -> Page[R]:
    """A page of `rows`, of which one more than `limit` was asked for to see whether there are more."""
    shown = [resource.model_validate(row) for row in rows[:limit]]
    return Page(data=shown, next=rows[limit - 1].id if len(rows) > limit else None)


async def is_listed(count: Callable[..., Awaitable[int]], seen: Mapping[str, Any], after: str | None) -> bool:
    """Whether a list can be continued at `after`: for what the caller cannot see, as for what is not there, it is over.

    Args:
        count: Of the table, like `db.thread.count`.
        seen: What of it the caller may see.
    """
    return after is None or bool(await count(where={"AND": [seen, {"id": after}]}))
