from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest

from tests.support.signing_in import Desk, open_desk

if TYPE_CHECKING:
    from prisma import Prisma


@pytest.fixture
async def desk(database: Prisma) -> AsyncGenerator[Desk]:
    """A server without users."""
    async with open_desk(database) as desk:
        yield desk
