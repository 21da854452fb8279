"""What Stripe tells us by itself: an invoice paid or voided elsewhere, a payment that ended later.

An event is applied in the transaction that records its identifier, so a second delivery changes nothing, and one that
was not applied is delivered again. Events come in any order: states only go forward.
Source: https://docs.stripe.com/api/events/types, https://docs.stripe.com/webhooks
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

from prisma.errors import UniqueViolationError
from tools.ids import derived_id
from tools.invoicing.balance import outstanding
from tools.invoicing.rows import include, transaction
from tools.invoicing.stripe.amounts import from_stripe
from tools.invoicing.stripe.claims import pay_off
from tools.invoicing.stripe.client import Json, inner
from tools.invoicing.stripe.mirror import KEY, write_invoice

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models

PROVIDER = "stripe"
Heard = Literal["applied", "ignored", "replayed"]


class EventData(BaseModel):
    object: dict[str, Any]


class Event(BaseModel):
    """An event as Stripe sends it, as far as it is read."""

    id: Annotated[str, Field(min_length=1, max_length=255)]
    type: Annotated[str, Field(min_length=1, max_length=255)]
    data: EventData


async def hear(db: Prisma, event: Event) -> Heard:
    """Apply a verified event to our rows, once."""
    apply = _APPLY.get(event.type)
    try:
        async with transaction(db) as tx:
            await _remember(tx, event)
            known = apply is not None and await apply(tx, event.data.object)
    except _Replayed:
        return "replayed"
    return "applied" if known else "ignored"


class _Replayed(Exception):
    """This event was applied before."""


async def _remember(db: Prisma, event: Event) -> None:
    try:
        await db.inboundevent.create(data={"provider": PROVIDER, "event_id": event.id, "type": event.type})
    except UniqueViolationError:
        raise _Replayed from None


async def _invoice_changed(db: Prisma, seen: Json) -> bool:
    invoice = await _invoice(db, seen)
    if invoice is not None:
        await write_invoice(db, invoice.id, seen)
    return invoice is not None


async def _invoice_paid(db: Prisma, seen: Json) -> bool:
    """Paid by us, then our own payment says so; or elsewhere, then that payment is put on record."""
    invoice = await _invoice(db, seen)
    if invoice is None:
        return False
    await db.payment.update_many(  # one of ours that is being asked for: see claims.py
        where={"invoice_id": invoice.id, "status": "pending", "external_id": invoice.external_id},
        data={"status": "succeeded"},
    )
    await _record_elsewhere(db, invoice, seen)
    await write_invoice(db, invoice.id, seen)
    return True


async def _record_elsewhere(db: Prisma, invoice: models.InvoiceWithRelations, seen: Json) -> None:
    """What was paid on it and is nobody's here."""
    payments = await db.payment.find_many(where={"invoice_id": invoice.id, "status": {"in": ["pending", "succeeded"]}})
    paid = from_stripe(int(seen.get("amount_paid") or 0), str(seen.get("currency") or invoice.currency))
    others = paid.minor - sum(payment.amount_minor for payment in payments)
    if others <= 0:
        return
    key = f"{PROVIDER}:{invoice.external_id}:paid"
    await db.payment.create(
        data={
            "id": derived_id("pay", key),
            "tenant_id": invoice.tenant_id,
            "customer_id": invoice.customer_id,
            "invoice_id": invoice.id,
            "status": "succeeded",
            "amount_minor": others,
            "currency": invoice.currency,
            "idempotency_key": key,
        }
    )


async def _invoice_unpaid(db: Prisma, seen: Json) -> bool:
    """A payment of the whole that waited for the bank has failed. One that is being asked for now hears it itself."""
    invoice = await _invoice(db, seen)
    if invoice is None:
        return False
    left = outstanding(invoice).minor
    waits = await db.payment.find_first(where={"invoice_id": invoice.id, "status": "pending", "amount_minor": left})
    if waits is not None and str(waits.external_id).startswith("pi_"):
        await _fail(db, waits)
    return True


async def _intent_succeeded(db: Prisma, intent: Json) -> bool:
    payment = await _payment(db, intent)
    if payment is None:
        return False
    await db.payment.update_many(
        where={"id": payment.id, "status": {"in": ["pending", "failed"]}},
        data={"status": "succeeded", "external_id": str(intent["id"])},
    )
    await pay_off(db, payment.invoice_id)
    return True


async def _intent_failed(db: Prisma, intent: Json) -> bool:
    payment = await _payment(db, intent)
    if payment is not None:
        await _fail(db, payment)
    return payment is not None


async def _fail(db: Prisma, payment: models.Payment) -> None:
    await db.payment.update_many(
        where={"id": payment.id, "status": "pending"}, data={"status": "failed", "external_id": None}
    )


async def _invoice(db: Prisma, seen: Json) -> models.InvoiceWithRelations | None:
    return await db.invoice.find_first(where={"external_id": str(seen.get("id"))}, include=include())


async def _payment(db: Prisma, intent: Json) -> models.Payment | None:
    """Ours, by the intent's identifier, or by the key that its metadata has from us."""
    found = await db.payment.find_first(where={"external_id": str(intent.get("id"))})
    key = inner(intent, "metadata").get(KEY)
    if found is None and key:
        found = await db.payment.find_unique(where={"idempotency_key": str(key)})
    return found


_APPLY: dict[str, Callable[[Prisma, Json], Awaitable[bool]]] = {
    "invoice.paid": _invoice_paid,
    "invoice.voided": _invoice_changed,
    "invoice.payment_failed": _invoice_unpaid,
    "payment_intent.succeeded": _intent_succeeded,
    "payment_intent.payment_failed": _intent_failed,
}
