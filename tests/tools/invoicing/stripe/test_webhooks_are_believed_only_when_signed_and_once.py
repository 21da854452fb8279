from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.stripe_events import SECRET, event, signed
from tests.support.stripe_server import StripeServer
from tests.support.tool_calls import NextCall, call
from tools.context import ToolContext
from tools.invoicing.stripe.signature import BadSignature, verify
from tools.invoicing.stripe.webhooks import Event, Heard, hear

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BODY = event("invoice.paid", {"id": "in_1"})
LINES = [{"product": "WID-1001", "quantity": 3}]  # 114.24 EUR


def test_a_signature_of_this_body_with_our_secret_is_believed():
    verify(BODY, signed(BODY, NOW, SECRET), SECRET, now=NOW)


def test_while_the_secret_is_changed_one_of_several_signatures_will_do():
    verify(BODY, signed(BODY, NOW, "whsec_new", SECRET), SECRET, now=NOW)
    verify(BODY, signed(BODY, NOW, SECRET, "whsec_old") + ",v0=abc", SECRET, now=NOW)


@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 300])
def test_a_signature_may_be_some_minutes_off(seconds: int):
    verify(BODY, signed(BODY, NOW + timedelta(seconds=seconds), SECRET), SECRET, now=NOW)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (signed(BODY, NOW, "whsec_other"), "not of this body"),
        (signed(BODY + b" ", NOW, SECRET), "not of this body"),
        (signed(BODY, NOW - timedelta(seconds=301), SECRET), "not of the last 300 seconds"),
        (signed(BODY, NOW + timedelta(seconds=301), SECRET), "not of the last 300 seconds"),
        (signed(BODY, NOW, SECRET).replace("v1=", "v0="), "no v1 signature"),
        (signed(BODY, NOW, SECRET).replace("t=", "x="), "has no time"),
        (signed(BODY, NOW, SECRET) + ",t=1", "has no time"),
        (signed(BODY, NOW, SECRET).replace("t=1", "t=-1"), "has no time"),
        ("t=1,v1=é", "not of this body"),
        ("", "has no time"),
        ("," * 100_000, "has no time"),
    ],
)
def test_anything_else_is_refused_in_words(header: str, words: str):
    with pytest.raises(BadSignature, match=words):
        verify(BODY, header, SECRET, now=NOW)


def test_without_a_secret_nothing_is_believed():
    with pytest.raises(BadSignature, match="no secret"):
        verify(BODY, signed(BODY, NOW, ""), "", now=NOW)


Tell = Callable[..., Any]


@pytest.fixture
def tell(ctx: ToolContext) -> Tell:
    async def put(type: str, found: dict[str, Any], event_id: str | None = None) -> Heard:
        return await hear(ctx.db, Event.model_validate_json(event(type, found, event_id=event_id)))

    return put


@pytest.fixture
def issued(next_call: NextCall) -> Callable[[], Any]:
    async def make() -> Any:
        draft = await call("draft_invoice", next_call(), customer="cus_globex", lines=LINES)
        return await call("issue_invoice", next_call(), invoice=draft.id.id)

    return make


async def listed(next_call: NextCall) -> Any:
    return (await call("list_invoices", next_call(), customer="cus_globex")).invoices[0]


async def test_an_invoice_paid_elsewhere_is_paid_here_with_its_payment_on_record(
    ctx: ToolContext, next_call: NextCall, server: StripeServer, tell: Tell, issued: Callable[[], Any]
):
    await issued()
    found = server.world.all("invoice")[0]
    server.world.pay(found["id"], {})
    assert await tell("invoice.paid", found) == "applied"
    card = await listed(next_call)
    assert (card.status, str(card.outstanding)) == ("paid", "0.00 EUR")
    (payment,) = await ctx.db.payment.find_many(where={"invoice_id": card.id.id})
    assert (payment.status, payment.amount_minor) == ("succeeded", 11424)


async def test_an_event_is_applied_once_however_often_and_at_once_it_is_delivered(
    ctx: ToolContext, server: StripeServer, tell: Tell, issued: Callable[[], Any]
):
    await issued()
    found = server.world.all("invoice")[0]
    server.world.pay(found["id"], {})
    heard = await asyncio.gather(*(tell("invoice.paid", found, event_id="evt_same") for _ in range(5)))
    assert sorted(heard) == ["applied", *["replayed"] * 4]
    assert await ctx.db.payment.count(where={"idempotency_key": {"startswith": "stripe:"}}) == 1
    assert await tell("invoice.paid", found) == "applied"  # the same news in another event
    assert await ctx.db.payment.count(where={"idempotency_key": {"startswith": "stripe:"}}) == 1


async def test_what_we_took_ourselves_is_not_put_on_record_twice(
    ctx: ToolContext, next_call: NextCall, server: StripeServer, tell: Tell, issued: Callable[[], Any]
):
    number = (await issued()).number.id
    await call("take_payment", next_call(), invoice=number, amount="50.00 EUR")
    await call("take_payment", next_call(), invoice=number)
    assert await tell("invoice.paid", server.world.all("invoice")[0]) == "applied"
    assert await ctx.db.payment.count(where={"invoice": {"is": {"number": number}}}) == 2


async def test_a_voided_invoice_is_void_here_and_owes_nothing(
    next_call: NextCall, server: StripeServer, tell: Tell, issued: Callable[[], Any]
):
    await issued()
    found = server.world.all("invoice")[0]
    await tell("invoice.voided", server.world.void(found["id"], {}))
    card = await listed(next_call)
    assert (card.status, str(card.outstanding)) == ("void", "0.00 EUR")


async def test_old_news_changes_nothing(
    next_call: NextCall, server: StripeServer, tell: Tell, issued: Callable[[], Any]
):
    await issued()
    found = server.world.all("invoice")[0]
    server.world.pay(found["id"], {})
    await tell("invoice.paid", found)
    await tell("invoice.payment_failed", found | {"status": "open"})
    await tell("invoice.voided", found | {"status": "void"})
    assert (await listed(next_call)).status == "paid"


@pytest.mark.parametrize("amount", [None, "50.00 EUR"])
async def test_a_payment_that_waited_for_the_bank_succeeds_later(
    amount: str | None,
    ctx: ToolContext,
    next_call: NextCall,
    server: StripeServer,
    tell: Tell,
    issued: Callable[[], Any],
):
    server.world.method = "pm_sepa_debit"
    payment = await call("take_payment", next_call(), invoice=(await issued()).number.id, amount=amount)
    assert payment.status == "pending"
    (intent,) = [each for each in server.world.all("payment_intent") if each["status"] == "processing"]
    server.world.succeed(intent)
    assert await tell("payment_intent.succeeded", intent) == "applied"
    row = await ctx.db.payment.find_unique_or_raise(where={"id": payment.id.id}, include={"invoice": True})
    assert (row.status, row.invoice.status) == ("succeeded", "issued" if amount else "paid")


@pytest.mark.parametrize("type", ["payment_intent.payment_failed", "invoice.payment_failed"])
async def test_a_payment_that_waited_for_the_bank_fails_later_and_may_be_taken_again(
    type: str, ctx: ToolContext, next_call: NextCall, server: StripeServer, tell: Tell, issued: Callable[[], Any]
):
    server.world.method = "pm_sepa_debit"
    number = (await issued()).number.id
    payment = await call("take_payment", next_call(), invoice=number)
    (intent,) = [each for each in server.world.all("payment_intent") if each["status"] == "processing"]
    intent["status"] = "requires_payment_method"
    await tell(type, intent if type.startswith("payment_intent") else server.world.all("invoice")[0])
    assert (await ctx.db.payment.find_unique_or_raise(where={"id": payment.id.id})).status == "failed"
    server.world.all("customer")[0]["invoice_settings"]["default_payment_method"] = "pm_card_visa"
    assert (await call("take_payment", next_call(), invoice=number)).invoice_status == "paid"


@pytest.mark.parametrize(
    ("type", "found"),
    [
        ("invoice.paid", {"id": "in_of_somebody_else", "amount_paid": 5, "currency": "eur", "status": "paid"}),
        ("payment_intent.succeeded", {"id": "pi_of_somebody_else"}),
        ("payment_intent.payment_failed", {}),
        ("customer.created", {"id": "cus_1"}),
    ],
)
async def test_news_of_what_is_not_ours_is_ignored(type: str, found: dict[str, Any], tell: Tell):
    assert await tell(type, found) == "ignored"
