from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from prisma import Prisma
from tests.tools.conftest import NOW
from tools.credit import credit_of
from tools.samples.company import CUSTOMERS, INVOICES, PRODUCTS
from tools.seed import TENANT, Seeded, seed
from tools.stored import store_document
from tools.values import EMAIL, Customer, Document, Invoice, Payment, Product

TABLES = "tenant customer product purchaseorder purchaseorderline invoice invoiceline payment counter document".split()


async def everything(db: Prisma) -> dict[str, list[Any]]:
    return {table: await getattr(db, table).find_many() for table in TABLES}


async def test_a_second_run_changes_nothing(db: Prisma):
    before = await everything(db)
    assert await seed(db, now=datetime(2027, 3, 1, tzinfo=UTC)) == Seeded()
    assert await everything(db) == before


async def test_a_first_run_says_what_it_wrote(database: Prisma):
    written = await seed(database, now=NOW)
    assert written == Seeded(len(CUSTOMERS), len(PRODUCTS), len(INVOICES))
    assert written.created
    assert (await database.tenant.find_many())[0].name == "Demo company"


async def test_numbers_go_on_from_those_that_were_given_out_before(database: Prisma):
    await database.counter.create(data={"tenant_id": TENANT, "series": "invoice-2026", "value": 41})
    await seed(database, now=NOW)
    numbers = sorted(str(row.number) for row in await database.invoice.find_many() if row.number)
    assert numbers == [f"INV-2026-{number:04d}" for number in range(42, 50)]
    counter = await database.counter.find_first_or_raise(where={"series": "invoice-2026"})
    assert counter.value == 49


async def test_an_invoice_of_last_year_has_last_years_number(database: Prisma):
    await seed(database, now=datetime(2027, 1, 20, tzinfo=UTC))
    numbers = {str(row.number)[:8] for row in await database.invoice.find_many() if row.number}
    assert numbers == {"INV-2026", "INV-2027"}


async def test_it_is_a_believable_company(db: Prisma):
    assert len(CUSTOMERS) >= 12
    assert len({customer.country for customer in CUSTOMERS}) >= 8
    assert len(PRODUCTS) >= 20
    assert [customer.id for customer in CUSTOMERS if not customer.active] == ["cus_wonka"]
    credit = await credit_of(db, "cus_umbrella")
    assert 0 < credit.left.minor < credit.limit.minor // 5
    statuses = {row.status for row in await db.invoice.find_many()}
    assert statuses == {"draft", "issued", "paid"}
    for row in await db.invoice.find_many(include={"lines": True, "payments": True}):
        assert row.net_minor == sum(line.net_minor for line in row.lines)
        assert row.total_minor == row.net_minor + row.tax_minor
        assert (row.status == "paid") == (sum(each.amount_minor for each in row.payments) == row.total_minor)


async def test_every_identifier_has_the_form_that_is_looked_for_in_text(db: Prisma):
    rows = await everything(db)
    for table, entity in (("customer", Customer), ("invoice", Invoice), ("payment", Payment)):
        assert all(re.fullmatch(entity.pattern, row.id) for row in rows[table]), table
    assert all(re.fullmatch(Product.pattern, row.sku) for row in rows["product"])
    assert all(EMAIL.fullmatch(row.email) for row in rows["customer"])


def test_every_gtin_has_a_right_check_digit():
    for product in PRODUCTS:
        if product.gtin:
            digits = [int(digit) for digit in reversed(product.gtin)]
            assert (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0, product.sku


async def test_a_stored_document_has_a_short_identifier_and_its_bytes(db: Prisma):
    row = await store_document(db, TENANT, name="a.txt", media_type="text/plain", content=b"Purchase order")
    assert re.fullmatch(Document.pattern, row.id)
    assert (row.size_bytes, bytes(row.content), len(row.sha256)) == (14, b"Purchase order", 64)
    again = await store_document(db, TENANT, name="a.txt", media_type="text/plain", content=b"Purchase order")
    assert again.id != row.id
