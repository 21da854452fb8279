"""The demo company with orders to be invoiced, and what its books say of each afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.principal import LOCAL
from api.documents import store_document
from prisma.migrate.apply import migrate
from tests.support.ubl_orders import PLAIN
from tools.context import utc_now
from tools.seed import seed

if TYPE_CHECKING:
    from prisma import Prisma

EFFECTS = ["draft_invoice", "issue_invoice", "take_payment"]


async def open_company(url: str, *, orders: int) -> list[str]:
    """Migrate and seed a database; ids of documents that hold an order each, all different, all good."""
    from prisma import Prisma

    await migrate(url)
    async with Prisma(url) as db:
        await seed(db, now=utc_now())
        await db.customer.update(where={"id": "cus_acme"}, data={"credit_limit_minor": 10**12})
        documents: list[str] = []
        for number in range(1, orders + 1):
            content = PLAIN.order(f"PO-C{number:05}")
            row = await store_document(db, LOCAL, name=f"order-{number}.xml", content=content, max_bytes=10**6)
            documents.append(row.id)
        return documents


@dataclass(frozen=True)
class Books:
    """What came of one order.

    Attributes:
        effects: Tool and status of each row of the ledger of effects, in order.
    """

    invoices: list[str]
    payments: list[str]
    effects: list[tuple[str, str]]
    run: str


async def books_of(db: Prisma, document_id: str, run_id: str) -> Books:
    orders = await db.purchaseorder.find_many(where={"document_id": document_id})
    invoices = await db.invoice.find_many(
        where={"order_id": {"in": [order.id for order in orders]}}, include={"payments": True}
    )
    effects = await db.effect.find_many(where={"run_id": run_id}, order={"reserved_at": "asc"})
    run = await db.run.find_unique_or_raise(where={"id": run_id})
    return Books(
        invoices=[invoice.status.value for invoice in invoices],
        payments=[payment.status.value for invoice in invoices for payment in invoice.payments or ()],
        effects=[(effect.tool, effect.status.value) for effect in effects],
        run=run.status.value,
    )


GOOD = Books(["paid"], ["succeeded"], [(tool, "executed") for tool in EFFECTS], "succeeded")


async def check_books(db: Prisma, done: Sequence[tuple[str, str]]) -> None:
    """Each order (document, run) has one issued invoice and one payment, and its ledger no loose end."""
    for document_id, run_id in done:
        books = await books_of(db, document_id, run_id)
        assert books == GOOD, (document_id, run_id, books)
    assert await db.effect.count(where={"status": {"not": "executed"}}) == 0
