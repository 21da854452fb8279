"""Real databases, many calls at once: gapless numbers, no payment twice, no order twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from prisma import Prisma
from prisma.errors import PrismaError
from prisma.migrate import migrate
from tests.support.tool_calls import call
from tools.context import ToolContext
from tools.errors import Conflict, ToolError
from tools.invoicing import Ledger
from tools.samples import ORDERS
from tools.seed import TENANT, seed
from tools.stored import store_document

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AT_ONCE = 8
ONE_WIDGET = [{"product": "WID-1001", "quantity": 1}]

NewContext = Callable[[str], ToolContext]


@pytest.fixture(params=["company_url", pytest.param("postgres_url", marks=pytest.mark.service)])
def either_url(request: pytest.FixtureRequest) -> str:
    """A seeded SQLite file, or an empty PostgreSQL database."""
    return request.getfixturevalue(request.param)


@pytest_asyncio.fixture
async def company(either_url: str) -> AsyncGenerator[Prisma]:
    """The demo company in either database."""
    await migrate(either_url)
    async with Prisma(either_url) as db:
        await seed(db, now=NOW)
        yield db


@pytest.fixture
def context(company: Prisma) -> NewContext:
    def make(key: str) -> ToolContext:
        return ToolContext(
            db=company,
            tenant_id=TENANT,
            run_id="run_1",
            call_id=key,
            idempotency_key=key,
            invoices=Ledger(),
            now=lambda: NOW,
        )

    return make


async def outcome(name: str, ctx: ToolContext, **arguments: object) -> object:
    """The call in a transaction of its own, as the agent makes it: its result, or what was raised."""
    try:
        async with ctx.db.tx(max_wait=30.0, timeout=30.0) as tx:
            return await call(name, replace(ctx, db=tx), **arguments)
    except (ToolError, PrismaError) as error:
        return error


async def test_numbers_have_no_gap_and_no_double(company: Prisma, context: NewContext):
    drafts = [
        await call("draft_invoice", context(f"d{number}"), customer="cus_acme", lines=ONE_WIDGET)
        for number in range(AT_ONCE)
    ]
    twice = [draft for draft in drafts for _ in range(2)]
    results = await asyncio.gather(
        *(outcome("issue_invoice", context(f"i{number}"), invoice=draft.id.id) for number, draft in enumerate(twice))
    )
    assert sum(not isinstance(result, Exception) for result in results) == AT_ONCE
    assert all(isinstance(result, Conflict) for result in results if isinstance(result, Exception))
    rows = await company.invoice.find_many(where={"issued_at": NOW})
    assert sorted(str(row.number) for row in rows) == [f"INV-2026-{number:04d}" for number in range(9, 9 + AT_ONCE)]


async def test_a_failed_issue_takes_no_number(company: Prisma, context: NewContext):
    async def issue_and_fail() -> None:
        async with company.tx() as tx:
            await call("issue_invoice", replace(context("i1"), db=tx), invoice="inv_seed09")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        await issue_and_fail()
    issued = await call("issue_invoice", context("i2"), invoice="inv_seed09")
    assert issued.number.id == "INV-2026-0009"


async def test_what_is_outstanding_is_taken_once_however_many_ask_at_once(company: Prisma, context: NewContext):
    results = await asyncio.gather(
        *(outcome("take_payment", context(f"p{number}"), invoice="INV-2026-0006") for number in range(AT_ONCE))
    )
    assert sum(not isinstance(result, Exception) for result in results) == 1
    payments = await company.payment.find_many(where={"invoice": {"is": {"number": "INV-2026-0006"}}})
    assert [payment.amount_minor for payment in payments] == [212772]


async def test_parts_never_come_to_more_than_the_whole(company: Prisma, context: NewContext):
    await asyncio.gather(
        *(
            outcome("take_payment", context(f"p{number}"), invoice="INV-2026-0006", amount="600.00 EUR")
            for number in range(AT_ONCE)
        )
    )
    payments = await company.payment.find_many(where={"invoice": {"is": {"number": "INV-2026-0006"}}})
    assert [payment.amount_minor for payment in payments] == [60000] * 3


async def test_one_order_becomes_one_invoice_however_many_draft_it_at_once(company: Prisma, context: NewContext):
    content = (ORDERS / "oscorp-om-5512.xml").read_bytes()
    document = await store_document(company, TENANT, name="o.xml", media_type="", content=content)
    results = await asyncio.gather(
        *(
            outcome("draft_invoice", context(f"d{number}"), customer="cus_oscorp", order=document.id)
            for number in range(AT_ONCE)
        )
    )
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert all(isinstance(result, Conflict) for result in results if isinstance(result, Exception))
    assert await company.invoice.count(where={"order": {"is": {"number": "OM-5512"}}}) == 1
    assert await company.purchaseorder.count(where={"number": "OM-5512"}) == 1


async def test_the_whole_way_is_the_same_in_either_database(company: Prisma, context: NewContext):
    content = (ORDERS / "oscorp-om-5512.xml").read_bytes()
    document = await store_document(company, TENANT, name="o.xml", media_type="", content=content)
    draft = await call("draft_invoice", context("d"), customer="cus_oscorp", order=document.id)
    issued = await call("issue_invoice", context("i"), invoice=draft.id.id)
    payment = await call("take_payment", context("p"), invoice=issued.number.id)
    assert (str(payment.amount), payment.invoice_status) == ("1056.72 EUR", "paid")
    assert (await company.document.find_unique_or_raise(where={"id": document.id})).content == content
