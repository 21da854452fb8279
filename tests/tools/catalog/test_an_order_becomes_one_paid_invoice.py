from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.support.tool_calls import NextCall, Upload, call
from tests.support.ubl_orders import PLAIN
from tools.context import ToolContext
from tools.errors import Conflict, InvalidArguments, NotFound


async def test_the_whole_way_from_order_to_payment(ctx: ToolContext, next_call: NextCall, upload: Upload):
    document = await upload("acme-po-7001.pdf")
    draft = await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    assert (draft.status, draft.number, str(draft.total), draft.due) == ("draft", None, "1038.87 EUR", "2026-12-23")
    issued = await call("issue_invoice", next_call(), invoice=draft.id.id)
    assert (issued.status, issued.number.id) == ("issued", "INV-2026-0009")
    payment = await call("take_payment", next_call(), invoice="INV-2026-0009")
    assert (payment.status, str(payment.amount), payment.invoice_status) == ("succeeded", "1038.87 EUR", "paid")
    assert str(payment.outstanding) == "0.00 EUR"
    order = await ctx.db.purchaseorder.find_first_or_raise(
        where={"document_id": document.id}, include={"lines": True, "invoices": {"include": {"payments": True}}}
    )
    assert (order.number, order.status, order.total_minor, len(order.lines)) == ("PO-7001", "invoiced", 103887, 3)
    assert [invoice.number for invoice in order.invoices] == ["INV-2026-0009"]
    assert [paid.amount_minor for paid in order.invoices[0].payments] == [103887]


async def test_its_lines_are_invoiced_as_they_stand(ctx: ToolContext, upload: Upload):
    document = await upload("globex-gx-2207.eml")
    draft = await call("draft_invoice", ctx, customer="cus_globex", order=document.id)
    lines = await ctx.db.invoiceline.find_many(where={"invoice_id": draft.id.id}, order={"position": "asc"})
    found = [
        (each.description, each.quantity_milli, each.unit, each.unit_price_minor, each.net_minor) for each in lines
    ]
    assert found == [
        ("DES-3002 Office chair", 6000, "C62", 25900, 155400),
        ("DES-3003 Desk lamp", 6000, "C62", 3890, 23340),
        ("CAB-5001 Network cable", 20000, "MTR", 115, 2300),
    ]


async def test_the_same_order_twice_is_a_conflict_that_names_the_invoice(next_call: NextCall, upload: Upload):
    document = await upload("acme-po-7001.pdf")
    draft = await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    again = await upload("acme-po-7001.pdf")
    for order in (document, again):
        with pytest.raises(Conflict, match=rf"PO-7001 of this customer is already invoiced: {draft.id}"):
            await call("draft_invoice", next_call(), customer="cus_acme", order=order.id)


async def test_the_same_call_twice_is_one_invoice(ctx: ToolContext, upload: Upload):
    document = await upload("acme-po-7001.pdf")
    first = await call("draft_invoice", ctx, customer="cus_acme", order=document.id)
    assert await call("draft_invoice", ctx, customer="cus_acme", order=document.id) == first
    assert await ctx.db.invoice.count(where={"order": {"is": {"number": "PO-7001"}}}) == 1


@pytest.mark.parametrize("number", ["po-6999", " PO-6999 ", "Po- 6999"])
async def test_case_and_white_space_make_no_new_order(number: str, ctx: ToolContext, upload: Upload):
    document = await upload("po.xml", PLAIN.order(number))
    with pytest.raises(Conflict, match="already invoiced: INV-2026-0001"):
        await call("draft_invoice", ctx, customer="cus_acme", order=document.id)


async def test_an_order_may_be_invoiced_again_once_its_invoice_is_void(
    ctx: ToolContext, next_call: NextCall, upload: Upload
):
    document = await upload("acme-po-7001.pdf")
    first = await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    await ctx.db.invoice.update(where={"id": first.id.id}, data={"status": "void"})
    second = await call("draft_invoice", next_call(), customer="cus_acme", order=document.id)
    assert second.id != first.id
    assert await ctx.db.purchaseorder.count(where={"number": "PO-7001"}) == 1
    assert await ctx.db.purchaseorderline.count(where={"order": {"is": {"number": "PO-7001"}}}) == 3


async def test_an_order_of_somebody_else_is_not_invoiced_to_this_customer(next_call: NextCall, upload: Upload):
    document = await upload("acme-po-7001.pdf")
    with pytest.raises(Conflict, match="buyer_differs"):
        await call("draft_invoice", next_call(), customer="cus_globex", order=document.id)


async def test_a_refusal_names_the_gravest_few_and_counts_the_rest(ctx: ToolContext, upload: Upload):
    lines = "".join(PLAIN.line(str(number), "1", "1.00", "1.00", sku=f"NO-{number}") for number in range(1, 9))
    document = await upload("bad.xml", PLAIN.document(PLAIN.b("ID", "X") + PLAIN.buyer() + lines))
    with pytest.raises(Conflict, match=r"NO-5.*And 3 more\.$"):
        await call("draft_invoice", ctx, customer="cus_acme", order=document.id)


async def test_lines_take_the_catalogues_price_unless_the_user_names_one(next_call: NextCall):
    lines = [
        {"product": "WID-1001", "quantity": 3},
        {"product": "SRV-9001", "quantity": 2.5, "unit_price": "80.00 EUR"},
        {"product": "CAB-5001", "quantity": "12.345"},
    ]
    draft = await call("draft_invoice", next_call(), customer="cus_acme", lines=lines, due_days=0)
    assert (str(draft.net), str(draft.tax), str(draft.total)) == ("310.20 EUR", "58.94 EUR", "369.14 EUR")
    assert (draft.due, draft.order_number) == ("2026-11-23", None)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, InvalidArguments, "either order"),
        ({"order": "doc_1", "lines": [{"product": "WID-1001", "quantity": 1}]}, InvalidArguments, "not both"),
        ({"lines": [{"product": "WID-9999", "quantity": 1}]}, NotFound, "list_products"),
        (
            {"lines": [{"product": "WID-1001", "quantity": 1}, {"product": "WID-1201", "quantity": 1}]},
            InvalidArguments,
            "EUR, USD",
        ),
        ({"lines": [{"product": "WID-1001", "quantity": 1, "unit_price": "30.00 USD"}]}, InvalidArguments, "EUR, USD"),
        ({"lines": [{"product": "WID-1900", "quantity": 1}]}, Conflict, "inactive_product"),
        ({"lines": [{"product": "WID-1001", "quantity": 0.5}]}, Conflict, "0.5 pieces"),
        ({"lines": [{"product": "DES-3001", "quantity": 60}]}, Conflict, "over_credit_limit"),
        ({"lines": [{"product": "WID-1201", "quantity": 1}]}, Conflict, "currency_differs"),
        ({"lines": [{"product": "WID-1001", "quantity": 1, "unit_price": "-5.00 EUR"}]}, Conflict, "price_differs"),
    ],
)
async def test_lines_that_cannot_be_invoiced_say_why(
    arguments: dict[str, object], error: type[Exception], words: str, ctx: ToolContext
):
    before = await ctx.db.invoice.count()
    with pytest.raises(error, match=words):
        await call("draft_invoice", ctx, customer="cus_acme", **arguments)
    assert await ctx.db.invoice.count() == before


@pytest.mark.parametrize("quantity", [0, -1, "1.2345", "many", True, None, 10**12])
async def test_a_quantity_that_is_none_is_refused_by_its_shape(quantity: object, ctx: ToolContext):
    with pytest.raises(ValidationError):
        await call("draft_invoice", ctx, customer="cus_acme", lines=[{"product": "WID-1001", "quantity": quantity}])


async def test_an_inactive_customer_gets_no_invoice(ctx: ToolContext):
    with pytest.raises(Conflict, match="inactive_customer"):
        await call("draft_invoice", ctx, customer="cus_wonka", lines=[{"product": "WID-1001", "quantity": 1}])


async def test_drafts_count_against_the_limit(next_call: NextCall):
    lines = [{"product": "DES-3001", "quantity": 1}]
    await call("draft_invoice", next_call(), customer="cus_umbrella", lines=lines)
    with pytest.raises(Conflict, match=r"7702\.87 EUR"):
        await call("draft_invoice", next_call(), customer="cus_umbrella", lines=lines)


async def test_an_invoice_is_issued_once(next_call: NextCall):
    draft = await call(
        "draft_invoice", next_call(), customer="cus_acme", lines=[{"product": "WID-1001", "quantity": 1}]
    )
    await call("issue_invoice", next_call(), invoice=draft.id.id)
    for name in (draft.id.id, "INV-2026-0009"):
        with pytest.raises(Conflict, match=r"Invoice INV-2026-0009 is issued already\."):
            await call("issue_invoice", next_call(), invoice=name)


@pytest.mark.parametrize("name", ["issue_invoice", "take_payment"])
async def test_an_unknown_invoice_tells_what_to_do_next(name: str, ctx: ToolContext):
    with pytest.raises(NotFound, match=r"No invoice 'inv_9'\. Look it up with list_invoices\."):
        await call(name, ctx, invoice="inv_9")


async def test_a_part_is_taken_and_then_the_rest_and_never_more(ctx: ToolContext, next_call: NextCall):
    first = await call("take_payment", next_call(), invoice="INV-2026-0006", amount="1000.00 EUR")
    assert (first.invoice_status, str(first.outstanding)) == ("issued", "1127.72 EUR")
    with pytest.raises(Conflict, match=r"has 1127\.72 EUR outstanding; 1127\.73 EUR cannot be taken"):
        await call("take_payment", next_call(), invoice="INV-2026-0006", amount="1127.73 EUR")
    rest = await call("take_payment", next_call(), invoice="INV-2026-0006")
    assert (str(rest.amount), rest.invoice_status) == ("1127.72 EUR", "paid")
    with pytest.raises(Conflict, match="is paid already"):
        await call("take_payment", next_call(), invoice="INV-2026-0006")
    assert await ctx.db.payment.count(where={"customer_id": "cus_tyrell"}) == 2


@pytest.mark.parametrize(
    ("invoice", "amount", "words"),
    [
        ("inv_seed09", None, "is a draft: issue it before"),
        ("INV-2026-0001", None, "is paid already"),
        ("INV-2026-0006", "10.00 USD", "is in EUR, not in USD"),
        ("INV-2026-0006", "0.00 EUR", "cannot be taken"),
        ("INV-2026-0006", "-1.00 EUR", "cannot be taken"),
    ],
)
async def test_a_payment_that_cannot_be_taken_says_why(invoice: str, amount: str | None, words: str, ctx: ToolContext):
    with pytest.raises(Conflict, match=words):
        await call("take_payment", ctx, invoice=invoice, amount=amount)


async def test_the_same_payment_call_twice_takes_the_money_once(ctx: ToolContext):
    first = await call("take_payment", ctx, invoice="INV-2026-0006")
    assert (await call("take_payment", ctx, invoice="INV-2026-0006")).id == first.id
    assert await ctx.db.payment.count(where={"invoice": {"is": {"number": "INV-2026-0006"}}}) == 1


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ({"customer": "cus_acme"}, ["INV-2026-0007", "INV-2026-0001"]),
        ({"customer": "cus_acme", "status": "issued"}, ["INV-2026-0007"]),
        ({"status": "draft"}, [None]),
        ({"status": "void"}, []),
        ({"customer": "cus_duff"}, []),
        ({"invoice": "INV-2026-0001"}, ["INV-2026-0001"]),  # whatever else there is: the list holds ten
        ({"invoice": "inv_seed07"}, ["INV-2026-0007"]),
    ],
)
async def test_invoices_are_listed_newest_first(arguments: dict[str, str], numbers: list[str | None], ctx: ToolContext):
    found = await call("list_invoices", ctx, **arguments)
    assert [each.number.id if each.number else None for each in found.invoices] == numbers
    assert found.more is False


async def test_an_unknown_invoice_is_not_found(ctx: ToolContext):
    with pytest.raises(NotFound, match="No invoice 'INV-2026-9999'"):
        await call("list_invoices", ctx, invoice="INV-2026-9999")


async def test_an_unknown_customer_has_no_list(ctx: ToolContext):
    with pytest.raises(NotFound):
        await call("list_invoices", ctx, customer="cus_9")
