"""What reading queries take and return."""

from typing import assert_type

from prisma import Prisma
from prisma.enums import InvoiceStatus
from prisma.models import (
    Customer,
    CustomerWithRelations,
    Invoice,
    InvoiceLineWithRelations,
    InvoicePartial,
    InvoiceWithRelations,
    PurchaseOrderWithRelations,
)


async def plain_rows(db: Prisma) -> None:
    invoice = await db.invoice.find_unique(where={"id": "1"})
    assert_type(invoice, Invoice | None)
    _ = invoice.number  # E: reportOptionalMemberAccess
    found = await db.invoice.find_unique_or_raise({"tenant_id_number": {"tenant_id": "1", "number": "1"}})
    assert_type(found, Invoice)
    assert_type(found.status, InvoiceStatus)
    assert_type(found.number, str | None)
    assert_type(found.total_minor, int)
    for line in found.lines:  # E: reportOptionalIterable
        _ = line.position
    found.number = "1"  # E: reportAttributeAccessIssue
    _ = found.numbr  # E: reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType
    assert_type(await db.invoice.find_many(), list[Invoice])
    assert_type(await db.invoice.find_first(order={"created_at": "desc"}), Invoice | None)
    assert_type(await db.invoice.find_first_or_raise(), Invoice)


async def included_relations(db: Prisma) -> None:
    invoice = await db.invoice.find_unique_or_raise(
        {"id": "1"},
        include={"lines": {"where": {"position": {"gt": 1}}, "include": {"product": True}}, "order": True},
    )
    assert_type(invoice, InvoiceWithRelations)
    assert_type(invoice.lines, list[InvoiceLineWithRelations])
    assert_type(invoice.customer, CustomerWithRelations)
    assert_type(invoice.order, PurchaseOrderWithRelations | None)
    _ = invoice.order.number  # E: reportOptionalMemberAccess
    takes_invoice(invoice)
    takes_included(await db.invoice.find_first_or_raise())  # E: reportArgumentType
    await db.invoice.find_many(include={"line": True})  # E: reportArgumentType
    await db.invoice.find_many(include={"lines": {"order": {"position": "asc"}}})  # E: reportArgumentType
    await db.invoice.find_many(include={"lines": {"order_by": {"position": "up"}}})  # E: reportArgumentType
    await db.invoice.find_many(include={"customer": {"take": 1}})  # E: reportArgumentType


async def selected_fields(db: Prisma) -> None:
    part = await db.invoice.find_first_or_raise(select={"id": True, "lines": {"select": {"position": True}}})
    assert_type(part, InvoicePartial)
    assert_type(part.id, str)
    takes_invoice(part)  # E: reportArgumentType
    assert_type(await db.invoice.find_many(omit={"number": True}), list[InvoicePartial])
    await db.invoice.find_many(select={"id": True}, include={"lines": True})  # E: reportCallIssue
    await db.invoice.find_many(select={"idd": True})  # E: reportArgumentType


async def filters(db: Prisma) -> None:
    await db.customer.find_many(
        where={
            "name": {"contains": "x", "mode": "insensitive", "not": {"startswith": "y"}},
            "email": {"in": ["a", "b"]},
            "tax_id": None,
            "credit_limit_minor": {"gte": 1},
            "invoices": {"some": {"status": {"not_in": ["void", InvoiceStatus.draft]}}, "none": {"number": None}},
            "tenant": {"is_not": {"name": "x"}},
            "OR": [{"name": "x"}, {"NOT": {"name": {"equals": db.customer.fields.email}}}],
        },
        order=[{"name": "asc"}, {"tax_id": {"sort": "desc", "nulls": "last"}}, {"invoices": {"_count": "desc"}}],
        cursor={"id": "1"},
        distinct=["name"],
    )
    await db.customer.find_many(where={"nam": "x"})  # E: reportArgumentType
    await db.customer.find_many(where={"name": 1})  # E: reportArgumentType
    await db.customer.find_many(where={"name": None})  # E: reportArgumentType
    await db.customer.find_many(where={"name": {"startsWith": "x"}})  # E: reportArgumentType
    await db.customer.find_many(where={"email": {"in": "abc"}})  # E: reportArgumentType
    await db.customer.find_many(where={"invoices": {"any": {}}})  # E: reportArgumentType
    await db.customer.find_many(where={"name": {"lt": db.customer.fields.credit_limit_minor}})  # E: reportArgumentType
    await db.invoice.find_many(where={"status": "lost"})  # E: reportArgumentType
    await db.customer.find_many(order={"name": "up"})  # E: reportArgumentType
    await db.customer.find_many(order={"nam": "asc"})  # E: reportArgumentType
    await db.customer.find_many(distinct=["nam"])  # E: reportArgumentType
    await db.customer.find_many(wher={"name": "x"})  # E: reportCallIssue
    await db.customer.find_unique({"name": "x", "id": 1})  # E: reportArgumentType
    await db.customer.find_unique({"tenant_id_email": {"tenant_id": "1"}})  # E: reportArgumentType
    await db.customer.find_unique({"name": "x"})  # E: reportArgumentType
    await db.customer.find_unique({})  # E: reportArgumentType
    await db.customer.find_unique({"id": "1", "name": {"contains": "x"}})
    await db.customer.find_unique()  # E: reportCallIssue
    await db.custommer.find_many()  # E: reportAttributeAccessIssue, reportUnknownMemberType
    await db.customer.find_all()  # E: reportAttributeAccessIssue, reportUnknownMemberType


async def counting(db: Prisma) -> None:
    assert_type(await db.invoice.count(where={"status": "paid"}), int)
    counts = await db.invoice.count({"number": True})
    assert_type(counts["number"], int)
    _ = counts["numbr"]  # E: reportGeneralTypeIssues, reportUnknownVariableType
    totals = await db.invoice.aggregate(sum={"total_minor": True}, count=True)
    assert_type(totals["_sum"]["total_minor"], int | None)
    groups = await db.invoice.group_by(["status"], avg={"net_minor": True}, having={"net_minor": {"_sum": {"gt": 1}}})
    assert_type(groups[0]["status"], InvoiceStatus)
    assert_type(groups[0]["_avg"]["net_minor"], float | None)
    await db.invoice.aggregate(sum={"status": True})  # E: reportArgumentType
    await db.invoice.group_by(["statu"])  # E: reportArgumentType
    await db.invoice.group_by("status")  # E: reportArgumentType


async def raw(db: Prisma) -> None:
    assert_type(await db.query_raw("SELECT 1", model=Customer), list[Customer])
    assert_type(await db.query_first("SELECT 1", model=Customer), Customer | None)
    assert_type(await db.execute_raw("DELETE FROM x WHERE y = ?", 1), int)


def takes_invoice(invoice: Invoice) -> None: ...


def takes_included(invoice: InvoiceWithRelations) -> None: ...
