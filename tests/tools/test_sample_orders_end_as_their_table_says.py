"""Every file in tools/samples/orders, read and checked over the demo company."""

from __future__ import annotations

import re

import pytest

from tests.support.tool_calls import Upload, call
from tools.context import ToolContext
from tools.documents import UnreadableDocument, read_order
from tools.errors import Conflict
from tools.invoicing.card import InvoiceCard
from tools.money import Money
from tools.orders.check import check
from tools.orders.findings import blocks
from tools.orders.records import load_records
from tools.samples import ORDERS
from tools.samples.company import CUSTOMERS

GOOD = {
    "acme-po-7001.pdf": ("cus_acme", "PO-7001", "1038.87 EUR"),
    "globex-gx-2207.eml": ("cus_globex", "GX-2207", "2154.38 EUR"),
    "oscorp-om-5512.xml": ("cus_oscorp", "OM-5512", "1056.72 EUR"),
}
BLOCKED = {
    "unknown-customer.pdf": ("cus_none", "unknown_customer"),
    "price-differs.eml": ("cus_tyrell", "price_differs"),
    "over-credit-limit.xml": ("cus_umbrella", "over_credit_limit"),
    "wrong-total.pdf": ("cus_acme", "total_wrong"),
    "duplicate-po.eml": ("cus_acme", "duplicate_order"),
    "currency-not-sold.xml": ("cus_soylent", "currency_not_sold"),
    "inactive-customer.xml": ("cus_wonka", "inactive_customer"),
    "unknown-product.eml": ("cus_hooli", "unknown_product"),
}
UNREADABLE = {
    "empty.pdf": "document_empty",
    "long-200-pages.pdf": "document_too_large",
    "not-a-pdf.pdf": "document_mislabelled",
}
REQUESTS = {"hooli-request.txt", "request-over-limit.txt", "request-unknown-customer.txt"}


def test_the_table_lists_every_sample_and_no_other():
    listed = set(re.findall(r"^\| `([^`]+)`", (ORDERS / "README.md").read_text(), re.M))
    assert listed == {file.name for file in ORDERS.iterdir()} - {"README.md"}
    assert listed == {*GOOD, *BLOCKED, *UNREADABLE, *REQUESTS}


@pytest.mark.parametrize("name", GOOD)
async def test_a_correct_order_has_no_finding_at_all_and_its_invoice_comes_to_its_total(
    name: str, ctx: ToolContext, upload: Upload
):
    customer, number, total = GOOD[name]
    document = await upload(name)
    checked = await call("check_purchase_order", ctx, document=document.id, customer=customer)
    assert checked.findings == []
    assert (checked.blocking, checked.order_number, checked.total) == (False, number, Money.parse(total))
    invoice: InvoiceCard = await call("draft_invoice", ctx, customer=customer, order=document.id)
    assert (invoice.status, invoice.total, invoice.order_number) == ("draft", Money.parse(total), number)


@pytest.mark.parametrize("name", BLOCKED)
async def test_a_wrong_order_is_blocked_for_its_one_reason_with_numbers(name: str, ctx: ToolContext):
    customer, code = BLOCKED[name]
    read = await read_order(name, "", (ORDERS / name).read_bytes())
    assert read.order is not None
    records = await load_records(ctx.db, ctx.tenant_id, read.order, customer)
    assert [finding.code for finding in blocks(check(read.order, records, today=ctx.now().date()))] == [code]


@pytest.mark.parametrize("name", [name for name in BLOCKED if name != "unknown-customer.pdf"])
async def test_no_invoice_is_drafted_from_a_wrong_order(name: str, ctx: ToolContext, upload: Upload):
    customer, code = BLOCKED[name]
    document = await upload(name)
    before = await ctx.db.invoice.count()
    with pytest.raises(Conflict, match=rf"^Nothing was drafted\. \[{code}\]"):
        await call("draft_invoice", ctx, customer=customer, order=document.id)
    assert await ctx.db.invoice.count() == before


async def test_an_order_of_an_unknown_company_is_blocked_for_every_customer_it_may_be_pinned_on(ctx: ToolContext):
    read = await read_order("unknown-customer.pdf", "", (ORDERS / "unknown-customer.pdf").read_bytes())
    assert read.order is not None
    for customer in CUSTOMERS:
        records = await load_records(ctx.db, ctx.tenant_id, read.order, customer.id)
        found = {finding.code for finding in blocks(check(read.order, records, today=ctx.now().date()))}
        assert "buyer_differs" in found, customer.name


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_file_that_cannot_be_read_says_why_under_a_stable_code(name: str, ctx: ToolContext, upload: Upload):
    document = await upload(name)
    for tool, arguments in (
        ("read_document", {}),
        ("check_purchase_order", {"customer": "cus_acme"}),
    ):
        with pytest.raises(UnreadableDocument) as caught:
            await call(tool, ctx, document=document.id, **arguments)
        assert caught.value.code == UNREADABLE[name]
        assert name in caught.value.message
        assert caught.value.hint in caught.value.message


@pytest.mark.parametrize("name", sorted(REQUESTS))
async def test_a_request_typed_by_hand_is_no_order(name: str, ctx: ToolContext, upload: Upload):
    content = await call("read_document", ctx, document=(await upload(name)).id)
    assert content.order is None
    assert content.text == (ORDERS / name).read_text()


async def test_the_request_for_hooli_becomes_an_invoice_by_lines(ctx: ToolContext):
    lines = [{"product": "SRV-9201", "quantity": 4}, {"product": "DES-3201", "quantity": 2}]
    invoice = await call("draft_invoice", ctx, customer="cus_hooli", lines=lines, due_days=14)
    assert invoice.total == Money.parse("1438.00 USD")
    assert invoice.due == "2026-12-07"


async def test_the_request_over_the_limit_is_refused(ctx: ToolContext):
    with pytest.raises(Conflict, match=r"\[over_credit_limit\] .*8000\.00 EUR"):
        await call("draft_invoice", ctx, customer="cus_umbrella", lines=[{"product": "DES-3001", "quantity": 5}])


async def test_the_unknown_customer_of_the_request_is_not_found(ctx: ToolContext):
    found = await call("find_customer", ctx, query="Vandelay Imports")
    assert found.customers == []
    assert "Vandelay Imports" in found.note
