"""The orders of OpenPEPPOL in shared/data, over a company that sells what they order and over one that does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from prisma import Prisma
from tests.support.peppol import EXAMPLES, beside_the_checkout
from tests.support.tool_calls import Upload, call
from tools.context import ToolContext
from tools.documents.ubl import read_ubl_order
from tools.errors import Conflict
from tools.orders.check import check
from tools.orders.findings import blocks
from tools.orders.records import load_records
from tools.seed import TENANT

pytestmark = beside_the_checkout
HOSPITAL = {
    "id": "cus_hospital",
    "name": "City Hospital",
    "email": "martin.foggerty@cityhospital.se",
    "endpoint": "0088:7300010000001",
    "country": "SE",
    "currency": "EUR",
    "credit_limit_minor": 200_000,
}
HEALTH = {
    "id": "cus_health",
    "name": "Helseforetak AS",
    "email": "post@helseforetak.no",
    "tax_id": "NO9311867455MVA",
    "endpoint": "0192:987654325",
    "country": "NO",
    "currency": "NOK",
    "credit_limit_minor": 1_000_000,
}
# sku, name, gtin, unit, price in minor units, currency, tax
PRODUCTS = (
    ("SN-33", "Brown sauce", "5704066204093", "C62", 400, "EUR", 2500),
    ("SN-34", "White sauce", "8722700575887", "C62", 600, "EUR", 2500),
    ("SN-35", "Pepper sauce", "8722700577584", "C62", 300, "EUR", 2500),
    ("IT-1", "Item 1", None, "C62", 4000, "EUR", 2500),
    ("IT-2", "Item 2", None, "C62", 600, "EUR", 2500),
    ("TR-1", "Translation", None, "DAY", 40000, "EUR", 0),
    ("121212", "Needle 4mm", "7560000012345", "EA", 5000, "NOK", 2500),
    ("SItemNo011", "Wet tissues", None, "EA", 1500, "NOK", 2500),
)
# customer, a day on which the order is in force, total of its invoice
CLEAN = {
    "UC1_Order.xml": ("cus_hospital", datetime(2013, 7, 2, tzinfo=UTC), "143.75 EUR"),
    "UC2_Order.xml": ("cus_hospital", datetime(2013, 7, 2, tzinfo=UTC), "875.00 EUR"),
    "UC3_Order.xml": ("cus_hospital", datetime(2013, 7, 2, tzinfo=UTC), "400.00 EUR"),
}


@pytest.fixture
async def ready(db: Prisma, ctx: ToolContext) -> ToolContext:
    """The company knows the two hospitals and sells what they order."""
    for customer in (HOSPITAL, HEALTH):
        await db.customer.create(data=customer_row(customer))
    for sku, name, gtin, unit, price, currency, tax in PRODUCTS:
        await db.product.create(
            data={
                "id": f"prd_{sku.lower().replace('-', '')}",
                "tenant_id": TENANT,
                "sku": sku,
                "name": name,
                "gtin": gtin,
                "unit": unit,
                "unit_price_minor": price,
                "currency": currency,
                "tax_rate_bp": tax,
            }
        )
    return ctx


def customer_row(customer: dict[str, Any]) -> Any:
    return {"tenant_id": TENANT, **customer}


async def codes(ctx: ToolContext, document: str, customer: str) -> set[tuple[str, str]]:
    checked = await call("check_purchase_order", ctx, document=document, customer=customer)
    return {(each.severity, each.code) for each in checked.findings}


async def put(upload: Upload, name: str) -> str:
    return (await upload(name, (EXAMPLES / name).read_bytes())).id


@pytest.mark.parametrize("name", CLEAN)
async def test_it_is_clean_and_becomes_an_invoice_where_all_matches(name: str, ready: ToolContext, upload: Upload):
    customer, day, total = CLEAN[name]
    then = replace(ready, now=lambda: day)
    document = await put(upload, name)
    by_name = {("info", "product_matched_by_name")} if name != "UC1_Order.xml" else set[tuple[str, str]]()
    assert await codes(then, document, customer) == by_name
    invoice = await call("draft_invoice", then, customer=customer, order=document)
    assert str(invoice.total) == total


@pytest.mark.parametrize("name", CLEAN)
async def test_it_is_over_today_and_nothing_else(name: str, ready: ToolContext, upload: Upload):
    found = await codes(ready, await put(upload, name), "cus_hospital")
    assert {each for each in found if each[0] == "blocking"} == {("blocking", "order_expired")}


async def test_the_full_example_adds_up_but_takes_discounts_and_expects_little_tax(ready: ToolContext, upload: Upload):
    document = await put(upload, "Order_Example.xml")
    day = datetime(2013, 1, 31, tzinfo=UTC)
    assert await codes(replace(ready, now=lambda: day), document, "cus_health") == {
        ("blocking", "discount_not_agreed"),
        ("warning", "charge_stated"),
        ("warning", "prepayment_stated"),
        ("warning", "tax_differs"),
    }
    with pytest.raises(Conflict, match=r"takes off 652\.50 NOK \(Discount\)"):
        await call("draft_invoice", replace(ready, now=lambda: day), customer="cus_health", order=document)


@pytest.mark.parametrize("name", [*CLEAN, "Order_Example.xml"])
async def test_the_demo_company_knows_neither_buyer_nor_products(name: str, ctx: ToolContext):
    order = read_ubl_order(name, (EXAMPLES / name).read_bytes())
    found = check(order, await load_records(ctx.db, TENANT, order, "cus_acme"), today=ctx.now().date())
    blocking = {each.code for each in blocks(found)}
    assert {"buyer_differs", "unknown_product", "order_expired"} <= blocking
    assert ("currency_not_sold" in blocking) == (name == "Order_Example.xml")


async def test_a_price_that_rose_since_is_found(ready: ToolContext, upload: Upload):
    await ready.db.product.update(where={"id": "prd_sn33"}, data={"unit_price_minor": 450})
    then = replace(ready, now=lambda: CLEAN["UC1_Order.xml"][1])
    assert await codes(then, await put(upload, "UC1_Order.xml"), "cus_hospital") == {("blocking", "price_differs")}


async def test_an_order_over_the_limit_is_found(ready: ToolContext, upload: Upload):
    await ready.db.customer.update(where={"id": "cus_hospital"}, data={"credit_limit_minor": 87_499})
    then = replace(ready, now=lambda: CLEAN["UC2_Order.xml"][1])
    found = await codes(then, await put(upload, "UC2_Order.xml"), "cus_hospital")
    assert ("blocking", "over_credit_limit") in found


async def test_two_orders_of_one_number_from_one_customer_are_duplicates(ready: ToolContext, upload: Upload):
    then = replace(ready, now=lambda: CLEAN["UC1_Order.xml"][1])
    await call("draft_invoice", then, customer="cus_hospital", order=await put(upload, "UC1_Order.xml"))
    found = await codes(then, await put(upload, "UC2_Order.xml"), "cus_hospital")  # it is numbered 1, too
    assert ("blocking", "duplicate_order") in found
