"""Every action against real databases: a SQLite file, and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from prisma import Json, JsonNull, Prisma, serializable
from prisma.enums import PurchaseOrderStatus
from prisma.errors import RecordNotFoundError, RelationViolationError, UniqueViolationError, WriteConflictError
from prisma.migrate import migrate
from prisma.models import Customer
from tests.support.postgres import PostgresServer


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def place(request: pytest.FixtureRequest) -> str | PostgresServer:
    """URL of a migrated SQLite file, or the PostgreSQL server."""
    return request.getfixturevalue("database_url" if request.param == "sqlite" else "postgres")


@pytest_asyncio.fixture
async def db(place: str | PostgresServer) -> AsyncGenerator[Prisma]:
    """A client on an empty, migrated database with the tenant `default`."""
    if isinstance(place, str):
        async with Prisma(place) as client:
            yield client
        return
    name = await place.create_database()
    await migrate(place.url(name))
    async with Prisma(place.url(name)) as client:
        await client.tenant.create({"id": "default", "name": "Demo company"})
        yield client
    await place.drop_database(name)


def customer(**more: Any) -> Any:
    base = {"tenant_id": "default", "name": "Ada", "email": "ada@example.org", "country": "DE"}
    return {**base, "currency": "EUR", "credit_limit_minor": 2**40, **more}


def on_sqlite(db: Prisma) -> bool:
    return db.url.startswith("file:")


def line(position: int, total: int) -> Any:
    money = {"quantity_milli": 1000, "unit_price_minor": total, "total_minor": total}
    return {"position": position, "description": f"line {position}", **money}


def without_tenant() -> Any:
    return {key: value for key, value in customer().items() if key != "tenant_id"}


async def test_records_are_created_found_changed_and_deleted(db: Prisma):
    created = await db.customer.create(customer())
    assert created.credit_limit_minor == 2**40
    assert created.created_at.tzinfo is UTC
    by_key: Any = {"tenant_id_email": {"tenant_id": "default", "email": "ada@example.org"}}
    assert await db.customer.find_unique(by_key) == created
    assert await db.customer.find_unique_or_raise({"id": created.id}) == created
    assert await db.customer.find_first(where={"name": {"contains": "AD", "mode": "insensitive"}}) == created
    assert await db.customer.find_first_or_raise(order={"name": "desc"}) == created
    changed = await db.customer.update({"name": "Grace", "credit_limit_minor": {"decrement": 1}}, by_key)
    assert changed is not None
    assert (changed.name, changed.credit_limit_minor) == ("Grace", 2**40 - 1)
    upserted = await db.customer.upsert(by_key, {"create": customer(), "update": {"name": "Joan"}})
    assert (upserted.id, upserted.name) == (created.id, "Joan")
    deleted = await db.customer.delete({"id": created.id})
    assert deleted is not None
    assert deleted.id == created.id
    assert await db.customer.delete({"id": created.id}) is None
    assert await db.customer.update({"name": "x"}, {"id": created.id}) is None
    with pytest.raises(RecordNotFoundError):
        await db.customer.find_unique_or_raise({"id": created.id})
    with pytest.raises(RecordNotFoundError):
        await db.customer.find_first_or_raise()


async def test_a_nested_create_returns_what_was_included(db: Prisma):
    order = await db.purchaseorder.create(
        {
            "tenant": {"connect": {"id": "default"}},
            "customer": {"create": dict(without_tenant(), tenant={"connect": {"id": "default"}})},
            "number": "PO-1",
            "currency": "EUR",
            "total_minor": 5,
            "ordered_on": datetime(2026, 1, 2, tzinfo=UTC),
            "lines": {"create": [line(1, 2), line(2, 3)]},
        },
        include={"lines": {"order_by": {"position": "desc"}}, "customer": True, "_count": True},
    )
    assert [item.position for item in order.lines] == [2, 1]
    assert order.customer.name == "Ada"
    assert order.count_ == {"lines": 2, "invoices": 0}
    found = await db.purchaseorder.find_many(
        where={"customer": {"is": {"name": {"startswith": "A"}}}, "lines": {"some": {"total_minor": {"gt": 2}}}},
        select={"number": True, "lines": {"select": {"position": True}, "where": {"total_minor": {"not": 2}}}},
    )
    assert [item.model_dump() for item in found] == [{"number": "PO-1", "lines": [{"position": 2}]}]
    assert await db.purchaseorder.find_many(where={"lines": {"every": {"total_minor": 2}}}) == []
    assert await db.purchaseorder.find_many(where={"document": {"is_not": None}}) == []


async def test_nested_writes_change_what_they_name(db: Prisma):
    order = await db.purchaseorder.create(
        {
            "tenant_id": "default",
            "customer_id": (await db.customer.create(customer())).id,
            "number": "PO-1",
            "currency": "EUR",
            "total_minor": 5,
            "lines": {"create_many": {"data": [line(position, position) for position in (1, 2, 3)]}},
        }
    )

    def key(position: int) -> Any:
        return {"order_id_position": {"order_id": order.id, "position": position}}

    changed = await db.purchaseorder.update(
        {
            "status": PurchaseOrderStatus.checked,
            "lines": {
                "update": {"where": key(1), "data": {"total_minor": {"multiply": 10}}},
                "delete": key(2),
                "update_many": {"where": {"position": {"gt": 2}}, "data": {"description": "many"}},
                "upsert": {"where": key(4), "create": line(4, 4), "update": {}},
                "create": line(5, 5),
                "connect_or_create": {"where": key(6), "create": line(6, 6)},
            },
        },
        {"id": order.id},
        include={"lines": {"order_by": {"position": "asc"}}},
    )
    assert changed is not None
    assert changed.status is PurchaseOrderStatus.checked
    assert [(item.position, item.total_minor) for item in changed.lines] == [(1, 10), (3, 3), (4, 4), (5, 5), (6, 6)]
    assert changed.lines[1].description == "many"
    with pytest.raises(RelationViolationError, match="not connected"):
        await db.purchaseorder.update({"lines": {"delete": key(2)}}, {"id": order.id})


async def test_many_to_many_links_are_set_and_cut(db: Prisma):
    for name in ("a", "b"):
        await db.tag.create({"name": name})
    document = await db.document.create(
        {
            "tenant_id": "default",
            "name": "x",
            "media_type": "text/plain",
            "size_bytes": 1,
            "sha256": "0",
            "content": b"\x00\xff",
            "tags": {
                "connect": [{"name": "a"}],
                "connect_or_create": {"where": {"name": "c"}, "create": {"name": "c"}},
            },
        },
        include={"tags": {"order_by": {"name": "asc"}}},
    )
    assert (document.content, [tag.name for tag in document.tags]) == (b"\x00\xff", ["a", "c"])
    tagged = await db.document.update({"tags": {"set": [{"name": "b"}]}}, {"id": document.id}, include={"tags": True})
    assert tagged is not None
    assert [tag.name for tag in tagged.tags] == ["b"]


async def test_bulk_writes_say_how_many_or_return_the_rows(db: Prisma):
    assert await db.tag.create_many([{"name": "a"}, {"name": "b"}]) == 2
    made = await db.tag.create_many_and_return([{"name": "c"}], select={"name": True})
    assert [tag.name for tag in made] == ["c"]
    changed = await db.tag.update_many_and_return({"name": "d"}, {"name": "c"})
    assert [tag.name for tag in changed] == ["d"]
    assert await db.tag.update_many({"name": "e"}, {"name": {"in": ["d"]}}) == 1
    assert await db.tag.delete_many({"name": {"not_in": ["a"]}}) == 2
    assert [tag.name for tag in await db.tag.find_many()] == ["a"]
    with pytest.raises(UniqueViolationError) as caught:
        await db.tag.create({"name": "a"})
    assert (caught.value.model, caught.value.fields) == ("Tag", ("name",))


async def test_numbers_are_counted_summed_and_grouped(db: Prisma):
    for number, limit in enumerate((1, 2, 6)):
        country = "DE" if number else "FR"
        await db.customer.create(customer(email=f"{number}", country=country, credit_limit_minor=limit))
    assert await db.customer.count() == 3
    assert (await db.customer.count({"tax_id": True, "_all": True}))["tax_id"] == 0
    totals = await db.customer.aggregate(
        where={"country": "DE"}, count=True, avg={"credit_limit_minor": True}, max={"email": True}
    )
    assert totals["_count"]["_all"] == 2
    assert totals["_avg"]["credit_limit_minor"] == 4
    assert totals["_max"]["email"] == "2"
    groups = await db.customer.group_by(
        ["country"],
        sum={"credit_limit_minor": True},
        count={"id": True},
        having={"credit_limit_minor": {"_sum": {"gt": 1}}},
        order={"_sum": {"credit_limit_minor": "desc"}},
    )
    assert groups == [{"country": "DE", "_sum": {"credit_limit_minor": 8}, "_count": {"id": 2}}]


async def test_json_comes_back_as_it_went_in(db: Prisma):
    key: Any = {"tenant_id": "default", "namespace": "n", "key": "k"}
    value = {"a": [1, 2.5, None, True], "ä": {"$type": "Int"}}
    data: Any = {**key, "value": value}
    assert (await db.cacheentry.create(data)).value == value
    where: Any = {"tenant_id_namespace_key": key}
    path: Any = "$.a[0]" if on_sqlite(db) else ["a", "0"]
    assert await db.cacheentry.count(where={"value": {"path": path, "equals": 1}}) == 1
    for null in (JsonNull, Json(None)):
        entry = await db.cacheentry.update({"value": null}, where)
        assert entry is not None
        assert entry.value is None
    assert await db.cacheentry.count(where={"value": {"equals": JsonNull}}) == 1


async def test_raw_queries_take_parameters_and_can_be_validated(db: Prisma):
    await db.customer.create(customer())
    mark = "?" if on_sqlite(db) else "$1"
    sql = 'SELECT name, credit_limit_minor FROM "Customer" WHERE email = ' + mark
    assert await db.query_raw(sql, "ada@example.org") == [{"name": "Ada", "credit_limit_minor": 2**40}]
    assert await db.query_first(sql, "nobody") is None
    found = await db.query_first('SELECT * FROM "Customer"', model=Customer)
    assert found is not None
    assert found.name == "Ada"
    assert (await db.query_raw('SELECT * FROM "Customer"', model=Customer))[0].active is True
    assert await db.execute_raw(f'UPDATE "Customer" SET name = {mark}', "Eve") == 1


async def test_a_transaction_and_a_batch_happen_whole_or_not_at_all(db: Prisma):
    async with db.tx() as tx:
        await tx.tag.create({"name": "kept"})
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
        async with db.tx() as tx:
            await tx.tag.create({"name": "lost"})
            _ = 1 / 0
    with pytest.raises(UniqueViolationError):  # noqa: PT012 - the block is what is tested
        async with db.batch_() as batch:
            batch.tag.create({"name": "lost too"})
            batch.tag.create({"name": "kept"})
    assert [tag.name for tag in await db.tag.find_many()] == ["kept"]


async def test_a_conflict_is_tried_again_up_to_the_bound(db: Prisma):
    calls: list[int] = []

    async def conflict_twice(tx: Prisma) -> str:
        calls.append(len(calls))
        await tx.tag.create({"name": f"{len(calls)}"})
        if len(calls) < 3:
            raise WriteConflictError("conflict")
        return "done"

    assert await serializable(db, conflict_twice) == "done"
    assert [tag.name for tag in await db.tag.find_many()] == ["3"]
    calls.clear()
    with pytest.raises(WriteConflictError):
        await serializable(db, conflict_twice, attempts=2)
    assert len(calls) == 2
    with pytest.raises(ValueError, match="at least 1"):
        await serializable(db, conflict_twice, attempts=0)
