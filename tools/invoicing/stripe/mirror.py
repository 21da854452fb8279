"""What Stripe answered, kept in our rows: then finding, listing and credit limits need no network.

States only go forward, so that two who write the same news, or old news late, change nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tools.errors import Conflict
from tools.invoicing.stripe.amounts import to_stripe
from tools.invoicing.stripe.client import Json, inner
from tools.money import Money

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models

KEY = "deskclerk_key"  # in metadata: the idempotency key of the call that made the object


def is_of(found: Json, key: str) -> bool:
    """Whether the call with this key made it."""
    return inner(found, "metadata").get(KEY) == key


async def write_invoice(db: Prisma, invoice_id: str, seen: Json) -> None:
    """Number and status as Stripe has them. `uncollectible` stays issued: it is still owed."""
    status = seen.get("status")
    if seen.get("number"):
        await db.invoice.update_many(where={"id": invoice_id, "number": None}, data={"number": str(seen["number"])})
    if status in ("open", "uncollectible", "paid", "void"):
        await db.invoice.update_many(
            where={"id": invoice_id, "status": "draft"}, data={"status": "issued", "issued_at": _issued_at(seen)}
        )
    if status in ("paid", "void"):
        await db.invoice.update_many(where={"id": invoice_id, "status": "issued"}, data={"status": status})


def _issued_at(seen: Json) -> datetime:
    seconds = inner(seen, "status_transitions").get("finalized_at") or seen.get("created") or 0
    return datetime.fromtimestamp(int(seconds), UTC)


def check_total(invoice: models.Invoice, seen: Json) -> None:
    """Both sides mean the same sum.

    Raises:
        Conflict: They do not.
    """
    total = Money(invoice.total_minor, invoice.currency)
    if seen.get("total") != to_stripe(total) or str(seen.get("currency")).upper() != invoice.currency:
        raise Conflict(
            f"Stripe makes this invoice {seen.get('total')} ({seen.get('currency')}, in its smallest unit); "
            f"by our records it is {total}. Nothing was issued."
        )


def id_at_stripe(invoice: models.Invoice) -> str:
    """Stripe's identifier of the invoice.

    Raises:
        Conflict: It has none.
    """
    if invoice.external_id is None:
        raise Conflict(f"Invoice {invoice.number or invoice.id} is not at Stripe: it was made in our own ledger.")
    return invoice.external_id
