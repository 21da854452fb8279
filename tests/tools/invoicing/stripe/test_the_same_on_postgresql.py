from __future__ import annotations

from datetime import UTC, datetime

import pytest
import pytest_asyncio

from prisma import Prisma
from prisma.migrate import migrate
from tests.support.stripe_rounds import Rounds
from tests.support.stripe_server import How
from tools.seed import seed

pytestmark = pytest.mark.service


@pytest_asyncio.fixture
async def company_url(postgres_url: str) -> str:
    """The demo company in PostgreSQL."""
    await migrate(postgres_url)
    async with Prisma(postgres_url) as db:
        await seed(db, now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    return postgres_url


@pytest.mark.parametrize(("how", "when"), [("500", "before"), ("500", "after"), ("drop", "before"), ("drop", "after")])
@pytest.mark.parametrize("amounts", [(None,), ("50.00 EUR", "64.24 EUR")])
async def test_whichever_request_fails_there_is_one_invoice_and_one_payment(
    how: How, when: str, amounts: tuple[str | None, ...], rounds: Rounds
):
    await rounds.every_position(how, when, times=1, amounts=amounts)
