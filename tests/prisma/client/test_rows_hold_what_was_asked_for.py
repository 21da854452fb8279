"""Rows: plain ones, with relations, partial ones; and how fast importing and building them is."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from prisma import NotLoadedError
from prisma.client.models import ROWS
from prisma.enums import InvoiceStatus
from prisma.models import Invoice, InvoicePartial, InvoiceWithRelations, Tag, User
from tests.support.prisma_fake_engine import FakeEngine, connected_to

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def invoice(**more: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(("id", "tenant_id", "customer_id", "currency"), "x"),
        **dict.fromkeys(("net_minor", "tax_minor", "total_minor"), 1),
        **dict.fromkeys(("due_on", "created_at", "updated_at"), NOW),
        **dict.fromkeys(("order_id", "number", "issued_at", "external_id")),
        "status": "paid",
        **more,
    }


async def test_a_plain_row_has_every_column_and_none_for_every_relation():
    row = await (await connected_to(FakeEngine(invoice()))).invoice.find_first()
    assert type(row) is Invoice
    assert row.status is InvoiceStatus.paid
    assert row.lines is None
    assert row.model_dump(exclude_none=True)["due_on"] == NOW
    assert row == Invoice.model_validate(invoice())
    assert row.model_copy(update={"number": "1"}).number == "1"
    with pytest.raises(ValidationError, match="frozen"):
        row.number = "1"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


async def test_relations_that_were_included_are_rows_and_the_others_raise():
    line = {"id": "l", "position": 1, "product": None}
    answer = invoice(lines=[line], order={"id": "o", "status": "checked"}, customer={"id": "c"}, _count={"lines": 3})
    engine = FakeEngine(answer)
    row = await (await connected_to(engine)).invoice.find_unique(
        {"id": "x"},
        include={
            "lines": {"include": {"product": True}, "where": {"position": {"gt": 0}}, "order_by": {"position": "asc"}},
            "order": True,
            "customer": {"select": {"id": True}},
            "payments": False,
            "_count": {"select": {"lines": {"where": {"position": 1}}}},
        },
    )
    assert engine.selection == {
        "$composites": True,
        "$scalars": True,
        "lines": {
            "arguments": {"where": {"position": {"gt": 0}}, "orderBy": {"position": "asc"}},
            "selection": {
                "$composites": True,
                "$scalars": True,
                "product": {"arguments": {}, "selection": {"$composites": True, "$scalars": True}},
            },
        },
        "order": {"arguments": {}, "selection": {"$composites": True, "$scalars": True}},
        "customer": {"arguments": {}, "selection": {"id": True}},
        "_count": {
            "arguments": {},
            "selection": {"lines": {"arguments": {"where": {"position": 1}}, "selection": {}}},
        },
    }
    assert isinstance(row, InvoiceWithRelations)
    assert isinstance(row, Invoice)
    assert (row.lines[0].position, row.lines[0].product, row.count_) == (1, None, {"lines": 3})
    assert row.order is not None
    assert row.order.status.name == "checked"
    assert repr(row.customer) == "CustomerPartial(id='c')"
    with pytest.raises(NotLoadedError, match=r"InvoiceWithRelations\.payments was not loaded: name it in `include`"):
        _ = row.payments
    with pytest.raises(NotLoadedError, match="name it in `select`"):
        _ = row.customer.name
    with pytest.raises(AttributeError, match="'InvoiceWithRelations' object has no attribute 'lins'"):
        _ = row.lins  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]


async def test_a_relation_to_one_that_is_not_there_is_none():
    row = await (await connected_to(FakeEngine(invoice(order=None)))).invoice.find_first(include={"order": True})
    assert row is not None
    assert row.order is None


async def test_every_list_relation_can_be_counted_at_once():
    engine = FakeEngine({"id": "t", "_count": {"documents": 2}})
    row = await (await connected_to(engine)).tag.find_first(include={"_count": True})
    assert row is not None
    assert row.count_ == {"documents": 2}
    assert engine.selection["_count"] == {"arguments": {}, "selection": {"documents": True}}


async def test_select_and_omit_return_partial_rows_that_say_what_they_lack():
    engine = FakeEngine({"id": "x", "lines": []}, invoice(), invoice(lines=[]))
    db = await connected_to(engine)
    chosen = await db.invoice.find_first(select={"id": True, "number": False, "lines": {"select": {"id": True}}})
    assert isinstance(chosen, InvoicePartial)
    assert not isinstance(chosen, Invoice)
    assert (chosen.id, chosen.lines) == ("x", [])
    assert chosen.model_dump() == {"id": "x", "lines": []}
    with pytest.raises(NotLoadedError, match=r"InvoicePartial\.number was not loaded: name it in `select`"):
        _ = chosen.number
    assert engine.selection["number"] is False
    await db.invoice.find_first(omit={"number": True, "id": False})
    assert engine.selection == {"$composites": True, "$scalars": True, "number": False, "id": True}
    await db.invoice.find_first(omit={"number": True}, include={"lines": {"omit": {"id": True}}})
    assert engine.selection["lines"]["selection"] == {"$composites": True, "$scalars": True, "id": False}


def test_rows_can_be_validated_and_described_like_any_pydantic_model():
    for group in ROWS.values():
        for row in group:
            schema = row.model_json_schema()
            assert schema.get("title") == row.__name__ or row.__name__ in schema["$defs"]
    adapter = TypeAdapter(list[InvoiceWithRelations])
    assert "InvoiceLineWithRelations" in adapter.json_schema()["$defs"]
    assert Tag.model_validate_json('{"id": "1", "name": "a"}') == Tag(id="1", name="a")
    with pytest.raises(ValidationError, match="email"):
        User.model_validate({"id": "1", "name": "a"})


def test_importing_the_client_loads_neither_pydantic_nor_wasmtime_nor_a_driver():
    script = (
        "import sys, prisma; prisma.Prisma('file:./x.db').invoice; "
        "print([name for name in ('pydantic', 'wasmtime', 'asyncpg', 'aiosqlite', 'orjson') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
