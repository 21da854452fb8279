"""Types of what is passed to the client, for annotations: `prisma.types.CustomerWhereInput`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prisma.client.types import *  # noqa: F403 - the names follow from the schema
else:

    def __getattr__(name: str) -> Any:
        from prisma.client import types

        return getattr(types, name)
