"""The whole way at Stripe, and what our rows hold of it afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.stripe_server import StripeServer
from tests.support.tool_calls import NextCall, Upload, call
from tools.context import ToolContext
from tools.errors import Blocked, Conflict, OutcomeUnknown, PaymentDeclined
from tools.invoicing.stripe.client import VERSION

LINES = [{"product": "WID-1001", "quantity": 3}]


async def issued(next_call: NextCall, customer: str = "cus_globex") -> str:
    """The number of a new invoice of 114.24 EUR."""
    draft = await call("draft_invoice", next_call(), customer=customer, lines=LINES)
    return (await call("issue_invoice", next_call(), invoice=draft.id.id)).number.id


async def test_the_whole_way_from_order_to_payment(
    ctx: ToolContext, next_call: NextCall, upload: Upload, server: StripeServer
):
    document = await upload("acme-po-7001.pdf")
    draft = await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    assert (draft.status, draft.number, str(draft.total), draft.due) == ("draft", None, "1038.87 EUR", "2026-12-23")
    issued = await call("issue_invoice", next_call(), invoice=draft.id.id)
    payment = await call("take_payment", next_call(), invoice=issued.number.id)
    assert (payment.status, str(payment.amount), payment.invoice_status) == ("succeeded", "1038.87 EUR", "paid")
    assert str(payment.outstanding) == "0.00 EUR"

    (invoice,) = server.world.all("invoice")
    assert (invoice["status"], invoice["total"], invoice["number"]) == ("paid", 103887, issued.number.id)
    assert invoice["metadata"]["deskclerk_invoice"] == draft.id.id
    assert invoice["custom_fields"]["0"] == {"name": "Order", "value": "PO-7001"}
    items = {each["description"]: each["amount"] for each in server.world.all("invoiceitem")}
    assert sum(items.values()) == 103887
    assert any(text.startswith("Tax 19 % on ") for text in items)

    row = await ctx.db.invoice.find_unique_or_raise(
        where={"id": draft.id.id}, include={"payments": True, "customer": True, "order": True}
    )
    (intent,) = [each for each in server.world.all("payment_intent") if each["status"] == "succeeded"]
    assert row.external_id == invoice["id"]
    assert row.customer.external_id == invoice["customer"]
    assert [each.external_id for each in row.payments] == [intent["id"]]
    assert row.order is not None
    assert row.order.status == "invoiced"


async def test_every_request_says_its_version_its_key_and_to_be_done_once(next_call: NextCall, server: StripeServer):
    await call("take_payment", next_call(), invoice=await issued(next_call))
    assert {each.headers["stripe-version"] for each in server.asked} == {VERSION}
    assert all(each.key for each in server.posts)
    assert len({each.key for each in server.posts}) == len(server.posts)
    assert {each.headers["content-type"] for each in server.posts if each.data} == {"application/x-www-form-urlencoded"}


async def test_a_customer_is_made_once_and_known_from_then_on(next_call: NextCall, server: StripeServer):
    for _ in range(3):
        await issued(next_call)
    assert server.world.effects["customer.created"] == 1


async def test_a_customer_whose_identifier_was_lost_is_found_by_its_metadata(
    ctx: ToolContext, next_call: NextCall, server: StripeServer
):
    await issued(next_call)
    await ctx.db.customer.update(where={"id": "cus_globex"}, data={"external_id": None})
    server.forget_keys()
    await issued(next_call)
    assert server.world.effects["customer.created"] == 1


async def test_an_order_is_invoiced_once_and_the_second_is_told_so(next_call: NextCall, upload: Upload):
    document = await upload("acme-po-7001.pdf")
    await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    with pytest.raises(Blocked, match="PO-7001"):
        await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    checked = await call("check_purchase_order", next_call(), document=document.id, customer="cus_acme")
    assert checked.blocking


async def test_a_draft_that_stripe_refuses_leaves_nothing_and_frees_the_order(
    ctx: ToolContext, next_call: NextCall, upload: Upload, server: StripeServer
):
    document = await upload("acme-po-7001.pdf")
    invoices = await ctx.db.invoice.count()
    server.refuse = "invoiceitems"
    with pytest.raises(Conflict, match="Stripe refuses it: Not this one"):
        await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    assert await ctx.db.invoice.count() == invoices
    assert server.world.all("invoice") == []
    server.refuse = ""
    await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    assert len(server.world.all("invoice")) == 1


async def test_a_total_that_is_not_ours_is_not_issued(ctx: ToolContext, next_call: NextCall, server: StripeServer):
    draft = await call("draft_invoice", next_call(), customer="cus_globex", lines=LINES)
    server.world.all("invoice")[0]["total"] += 1
    with pytest.raises(Conflict, match=r"by our records it is 114\.24 EUR\. Nothing was issued"):
        await call("issue_invoice", next_call(), invoice=draft.id.id)
    assert server.world.effects["invoice.finalized"] == 0
    assert (await ctx.db.invoice.find_unique_or_raise(where={"id": draft.id.id})).status == "draft"


async def test_an_invoice_is_issued_once(next_call: NextCall, server: StripeServer):
    number = await issued(next_call)
    with pytest.raises(Conflict, match="is issued already"):
        await call("issue_invoice", next_call(), invoice=number)
    assert server.world.effects["invoice.finalized"] == 1


async def test_parts_are_payment_intents_attached_to_the_invoice(next_call: NextCall, server: StripeServer):
    number = await issued(next_call)
    first = await call("take_payment", next_call(), invoice=number, amount="50.00 EUR")
    assert (first.status, first.invoice_status, str(first.outstanding)) == ("succeeded", "issued", "64.24 EUR")
    with pytest.raises(Conflict, match=r"has 64\.24 EUR outstanding; 64\.25 EUR cannot be taken"):
        await call("take_payment", next_call(), invoice=number, amount="64.25 EUR")
    rest = await call("take_payment", next_call(), invoice=number)
    assert (str(rest.amount), rest.invoice_status) == ("64.24 EUR", "paid")
    assert server.world.effects["payment.amount"] == 11424
    assert server.world.all("invoice")[0]["status"] == "paid"


@pytest.mark.parametrize("amount", [None, "50.00 EUR"])
async def test_a_declined_payment_says_why_and_leaves_the_invoice_open(
    amount: str | None, ctx: ToolContext, next_call: NextCall, server: StripeServer
):
    server.world.method = "pm_card_chargeDeclinedInsufficientFunds"
    number = await issued(next_call)
    declined = next_call()
    for _ in range(2):  # the same call hears the same again
        with pytest.raises(PaymentDeclined, match="was declined"):
            await call("take_payment", declined, invoice=number, amount=amount)
    assert server.world.effects["payment.declined"] == 1
    assert server.world.effects["payment.taken"] == 0
    customer = server.world.all("customer")[0]
    customer["invoice_settings"]["default_payment_method"] = "pm_card_visa"
    assert (await call("take_payment", next_call(), invoice=number)).invoice_status == "paid"
    assert server.world.effects["payment.amount"] == 11424


@pytest.mark.parametrize("method", ["pm_card_authenticationRequired", "pm_sepa_debit"])
async def test_a_payment_that_others_must_finish_is_pending(method: str, next_call: NextCall, server: StripeServer):
    server.world.method = method
    number = await issued(next_call)
    payment = await call("take_payment", next_call(), invoice=number)
    assert (payment.status, payment.invoice_status, str(payment.outstanding)) == ("pending", "issued", "114.24 EUR")
    with pytest.raises(Conflict, match="is under way"):
        await call("take_payment", next_call(), invoice=number)


@pytest.mark.parametrize("amount", [None, "50.00 EUR"])
async def test_a_customer_without_a_payment_method_cannot_be_charged(
    amount: str | None, next_call: NextCall, server: StripeServer
):
    server.world.method = None
    with pytest.raises((Conflict, PaymentDeclined), match=r"no (stored )?payment method"):
        await call("take_payment", next_call(), invoice=await issued(next_call), amount=amount)


async def test_an_invoice_of_our_own_ledger_is_not_paid_at_stripe(next_call: NextCall, server: StripeServer):
    with pytest.raises(Conflict, match="was made in our own ledger"):
        await call("take_payment", next_call(), invoice="INV-2026-0006")
    with pytest.raises(Conflict, match="was made in our own ledger"):
        await call("issue_invoice", next_call(), invoice="inv_seed09")
    assert server.asked == []


async def test_what_was_paid_elsewhere_is_not_taken_again(ctx: ToolContext, next_call: NextCall, server: StripeServer):
    number = await issued(next_call)
    invoice = server.world.all("invoice")[0]
    server.world.pay(invoice["id"], {})
    with pytest.raises(Conflict, match="is paid at Stripe"):
        await call("take_payment", next_call(), invoice=number)
    assert server.world.effects["payment.taken"] == 1
    assert await ctx.db.payment.count(where={"status": "pending"}) == 0


async def test_a_refusal_whose_reason_cannot_be_seen_is_looked_at_again(next_call: NextCall, server: StripeServer):
    server.world.method = "pm_card_authenticationRequired"
    number, context = await issued(next_call), next_call()
    server.fail("503", method="GET", path="/v1/invoices/in_", nth=2, times=3)
    with pytest.raises(OutcomeUnknown):
        await call("take_payment", context, invoice=number)
    payment = await call("take_payment", replace(context, attempt="again"), invoice=number)
    assert payment.status == "pending"


async def test_a_draft_that_was_deleted_at_stripe_meanwhile_is_made_anew(
    ctx: ToolContext, next_call: NextCall, server: StripeServer
):
    context = next_call()
    draft = await call("draft_invoice", context, customer="cus_globex", lines=LINES)
    server.world.delete_invoice(server.world.all("invoice")[0]["id"])
    again = await call("draft_invoice", replace(context, attempt="again"), customer="cus_globex", lines=LINES)
    assert again.id == draft.id
    (invoice,) = server.world.all("invoice")
    assert invoice["total"] == 11424
    assert (await ctx.db.invoice.find_unique_or_raise(where={"id": draft.id.id})).external_id == invoice["id"]


async def test_a_list_of_many_is_read_to_its_end(next_call: NextCall, server: StripeServer):
    """The call's own draft is found behind more than a page of others of the same customer."""
    context = next_call()
    await call("draft_invoice", context, customer="cus_globex", lines=LINES)
    customer = server.world.all("customer")[0]["id"]
    for _ in range(120):
        server.world.create_invoice({"customer": customer, "currency": "eur"})
    await context.db.invoice.update_many(
        where={"customer_id": "cus_globex", "status": "draft"}, data={"external_id": None}
    )
    server.forget_keys()
    await call("draft_invoice", replace(context, attempt="again"), customer="cus_globex", lines=LINES)
    assert server.world.effects["invoice.created"] == 121
