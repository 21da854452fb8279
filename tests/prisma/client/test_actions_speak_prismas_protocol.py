"""What each action sends, and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from prisma import DbNull, Json, JsonNull
from prisma.enums import PurchaseOrderStatus
from prisma.errors import (
    ClientNotConnectedError,
    FieldNotFoundError,
    InputError,
    RecordNotFoundError,
    TransactionError,
)
from tests.support.prisma_fake_engine import FakeEngine, connected_to

SCALARS = {"$composites": True, "$scalars": True}
ROW = {"id": "1", "name": "a"}
MISSING = RecordNotFoundError("... required but not found. No record was found for an update.")
MISSING_NESTED = RecordNotFoundError("... No 'Document' record (needed to ...) was found for a nested connect.")


def cases(*items: tuple[Callable[[Any], Awaitable[Any]], *tuple[Any, ...]]) -> list[Any]:
    """Parameters whose first is a call of the client, which is left untyped: some of them are wrong."""
    return list(items)


@pytest.mark.parametrize(
    ("call", "action", "arguments"),
    cases(
        (lambda db: db.tag.find_unique({"name": "a"}), "findUnique", {"where": {"name": "a"}}),
        (lambda db: db.tag.find_unique_or_raise({"name": "a"}), "findUniqueOrThrow", {"where": {"name": "a"}}),
        (lambda db: db.tag.find_first(), "findFirst", {}),
        (lambda db: db.tag.find_first_or_raise(skip=2), "findFirstOrThrow", {"skip": 2}),
        (lambda db: db.tag.create({"name": "a"}), "createOne", {"data": {"name": "a"}}),
        (
            lambda db: db.tag.upsert({"name": "a"}, {"create": {"name": "a"}, "update": {"name": "b"}}),
            "upsertOne",
            {"where": {"name": "a"}, "create": {"name": "a"}, "update": {"name": "b"}},
        ),
        (
            lambda db: db.tag.update({"name": "b"}, {"id": "1"}),
            "updateOne",
            {"data": {"name": "b"}, "where": {"id": "1"}},
        ),
        (lambda db: db.tag.delete({"id": "1"}), "deleteOne", {"where": {"id": "1"}}),
    ),
)
async def test_an_action_on_one_record_sends_its_arguments_and_returns_a_row(
    call: Any, action: str, arguments: dict[str, Any]
):
    engine = FakeEngine(dict(ROW))
    row = await call(await connected_to(engine))
    assert engine.queries == [
        {"modelName": "Tag", "action": action, "query": {"arguments": arguments, "selection": SCALARS}}
    ]
    assert (row.id, row.name, row.documents) == ("1", "a", None)


async def test_many_records_are_filtered_ordered_and_paged():
    engine = FakeEngine([dict(ROW), {"id": "2", "name": "b"}])
    db = await connected_to(engine)
    rows = await db.tag.find_many(
        where={"name": {"startswith": "a", "not": {"endswith": "z"}}, "documents": {"some": {"size_bytes": {"gt": 1}}}},
        take=-5,
        skip=1,
        cursor={"id": "1"},
        order=[{"name": "asc"}, {"documents": {"_count": "desc"}}],
        distinct=["name"],
    )
    assert [row.name for row in rows] == ["a", "b"]
    assert engine.queries[0]["action"] == "findMany"
    assert engine.arguments == {
        "where": {
            "name": {"startsWith": "a", "not": {"endsWith": "z"}},
            "documents": {"some": {"size_bytes": {"gt": 1}}},
        },
        "take": -5,
        "skip": 1,
        "cursor": {"id": "1"},
        "orderBy": [{"name": "asc"}, {"documents": {"_count": "desc"}}],
        "distinct": ["name"],
    }


async def test_nothing_is_sent_for_what_was_not_given_and_null_for_none_in_a_filter():
    engine = FakeEngine([])
    await (await connected_to(engine)).customer.find_many(where={"tax_id": None}, order=None)
    assert engine.arguments == {"where": {"tax_id": None}}


@pytest.mark.parametrize(
    ("call", "action", "arguments"),
    cases(
        (
            lambda db: db.tag.create_many([{"name": "a"}], skip_duplicates=True),
            "createMany",
            {"data": [{"name": "a"}], "skipDuplicates": True},
        ),
        (
            lambda db: db.tag.update_many({"name": "a"}, {"id": "1"}, limit=3),
            "updateMany",
            {"data": {"name": "a"}, "where": {"id": "1"}, "limit": 3},
        ),
        (lambda db: db.tag.delete_many(), "deleteMany", {}),
        (lambda db: db.tag.delete_many({"name": {"in": ["a"]}}), "deleteMany", {"where": {"name": {"in": ["a"]}}}),
    ),
)
async def test_a_bulk_action_returns_how_many_rows_it_touched(call: Any, action: str, arguments: dict[str, Any]):
    engine = FakeEngine({"count": 3})
    assert await call(await connected_to(engine)) == 3
    assert engine.queries[0]["action"] == action
    assert (engine.arguments, engine.selection) == (arguments, {"count": True})


@pytest.mark.parametrize(
    ("call", "action"),
    cases(
        (lambda db: db.tag.create_many_and_return([{"name": "a"}]), "createManyAndReturn"),
        (lambda db: db.tag.update_many_and_return({"name": "a"}, {"id": "1"}), "updateManyAndReturn"),
    ),
)
async def test_a_bulk_action_can_return_the_rows(call: Any, action: str):
    engine = FakeEngine([dict(ROW)])
    rows = await call(await connected_to(engine))
    assert [row.name for row in rows] == ["a"]
    assert (engine.queries[0]["action"], engine.selection) == (action, SCALARS)


async def test_updating_or_deleting_a_record_that_is_not_there_returns_none():
    db = await connected_to(FakeEngine(MISSING, MISSING))
    assert await db.tag.update({"name": "b"}, {"id": "9"}) is None
    assert await db.tag.delete({"id": "9"}) is None


async def test_a_missing_record_of_a_nested_write_is_not_taken_for_the_record_itself():
    db = await connected_to(FakeEngine(MISSING_NESTED))
    with pytest.raises(RecordNotFoundError, match="nested connect"):
        await db.tag.update({"documents": {"connect": {"id": "9"}}}, {"id": "1"})


async def test_nested_writes_of_every_kind_are_spelled_as_prisma_does():
    engine = FakeEngine({"id": "1"}, {"id": "1"})
    db = await connected_to(engine)
    line: Any = {"position": 1, "description": "x", "quantity_milli": 1, "unit_price_minor": 1, "net_minor": 1}
    unique: Any = {"invoice_id_position": {"invoice_id": "1", "position": 1}}
    await db.invoice.update(
        {
            "lines": {
                "create": [line],
                "create_many": {"data": [line], "skip_duplicates": True},
                "connect": [{"id": "7"}],
                "connect_or_create": {"where": unique, "create": line},
                "set": [],
                "disconnect": {"id": "8"},
                "delete": [unique],
                "update": {"where": unique, "data": {"position": {"increment": 1}}},
                "update_many": {"where": {"position": {"not_in": [1]}}, "data": {"description": "y"}},
                "upsert": {"where": unique, "create": line, "update": {}},
                "delete_many": [{"position": 2}],
            },
            "order": {"update": {"where": {"number": "1"}, "data": {"status": "checked"}}},
        },
        {"id": "1"},
    )
    lines = engine.arguments["data"]["lines"]
    assert list(lines) == [
        *("create", "createMany", "connect", "connectOrCreate", "set", "disconnect", "delete", "update"),
        *("updateMany", "upsert", "deleteMany"),
    ]
    assert lines["createMany"] == {"data": [line], "skipDuplicates": True}
    assert lines["updateMany"]["where"] == {"position": {"notIn": [1]}}
    assert engine.arguments["data"]["order"]["update"]["data"] == {"status": "checked"}
    await db.invoice.update({"order": {"disconnect": True}, "customer": {"update": {"name": "b"}}}, {"id": "1"})
    assert engine.arguments["data"] == {"order": {"disconnect": True}, "customer": {"update": {"name": "b"}}}


async def test_json_is_sent_as_its_text_and_its_nulls_are_told_apart():
    engine = FakeEngine(*[{"id": "1"}] * 4)
    db = await connected_to(engine)
    where: Any = {"id": "1"}
    pairs: tuple[tuple[Any, dict[str, str]], ...] = (
        ({"not_in": {"$type": "Int"}}, {"$type": "Json", "value": '{"not_in":{"$type":"Int"}}'}),
        (Json(None), {"$type": "Json", "value": "null"}),
        (JsonNull, {"$type": "Enum", "value": "JsonNull"}),
        (DbNull, {"$type": "Enum", "value": "DbNull"}),
    )
    for given, sent in pairs:
        await db.message.update({"calls": given}, where)
        assert engine.arguments["data"] == {"calls": sent}
    with pytest.raises(ValueError, match="not JSON compliant"):
        await db.message.update({"calls": [float("nan")]}, where)
    with pytest.raises(TypeError, match="set is not JSON"):
        await db.message.update({"calls": [{1}]}, where)


async def test_a_column_can_be_compared_with_another():
    engine = FakeEngine([])
    db = await connected_to(engine)
    await db.invoice.find_many(where={"net_minor": {"lt": db.invoice.fields.total_minor}})
    reference = {"$type": "FieldRef", "value": {"_ref": "total_minor", "_container": "Invoice"}}
    assert engine.arguments == {"where": {"net_minor": {"lt": reference}}}
    with pytest.raises(AttributeError, match="Did you mean 'total_minor'"):
        _ = db.invoice.fields.total_minr  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]


async def test_aggregates_select_what_was_asked_for_and_have_enums():
    engine = FakeEngine(
        {"_count": {"_all": 2, "number": 1}},
        {"_count": {"_all": 2}},
        {"_sum": {"total_minor": 5}, "_max": {"status": "paid"}},
        [{"status": "draft", "_count": {"_all": 2}}],
    )
    db = await connected_to(engine)
    counts = await db.invoice.count({"_all": True, "number": True}, where={"status": "paid"})
    assert (counts["_all"], counts["number"]) == (2, 1)
    assert await db.invoice.count() == 2
    totals = await db.invoice.aggregate(sum={"total_minor": True}, max={"status": True})
    assert totals["_sum"]["total_minor"] == 5
    assert totals["_max"]["status"] is not None
    assert totals["_max"]["status"].name == "paid"
    groups = await db.invoice.group_by(
        ["status"], count=True, having={"total_minor": {"_avg": {"gt": 1}}}, order={"status": "asc"}, take=1
    )
    assert groups[0]["status"].name == "draft"
    assert engine.queries[-1]["action"] == "groupBy"
    assert engine.arguments == {
        "by": ["status"],
        "take": 1,
        "having": {"total_minor": {"_avg": {"gt": 1}}},
        "orderBy": {"status": "asc"},
    }
    assert engine.selection == {"status": True, "_count": {"arguments": {}, "selection": {"_all": True}}}


async def test_enum_members_and_their_names_are_both_accepted():
    engine = FakeEngine([], [])
    db = await connected_to(engine)
    await db.purchaseorder.find_many(where={"status": PurchaseOrderStatus.checked})
    await db.purchaseorder.find_many(where={"status": {"in": ["checked"]}})
    assert engine.queries[0]["query"]["arguments"]["where"]["status"] == "checked"


@pytest.mark.parametrize(
    ("call", "message"),
    cases(
        (
            lambda db: db.invoice.delete_many({"numbr": "1"}),
            r"InvoiceWhereInput has no 'numbr'\. Did you mean 'number'",
        ),
        (lambda db: db.invoice.find_many(where={"number": {"starts_with": "1"}}), "Did you mean 'startswith'"),
        (lambda db: db.invoice.find_many(where={"number": {"startsWith": "1"}}), "Did you mean 'startswith'"),
        (lambda db: db.invoice.find_many(where={"OR": [{"lines": {"any": {}}}]}), "ListRelationFilter has no 'any'"),
        (lambda db: db.invoice.find_many(include={"line": True}), "InvoiceInclude has no 'line'"),
        (lambda db: db.invoice.find_many(include={"number": True}), "InvoiceInclude has no 'number'"),
        (lambda db: db.invoice.find_many(include={"lines": {"order": {}}}), "Did you mean 'order_by'"),
        (lambda db: db.invoice.find_many(select={"nmber": True}), "InvoiceSelect has no 'nmber'"),
        (lambda db: db.invoice.find_many(omit={"lines": True}), "InvoiceOmit has no 'lines'"),
        (lambda db: db.invoice.find_many(order={"numbr": "asc"}), "InvoiceOrderByInput has no 'numbr'"),
        (lambda db: db.invoice.create({"lines": {"creat": []}}), "Did you mean 'create'"),
        (lambda db: db.invoice.update({"net_minor": {"increase": 1}}, {"id": "1"}), "has no 'increase'"),
        (lambda db: db.invoice.group_by(["numbr"]), "Invoice has no 'numbr'"),
        (lambda db: db.invoice.aggregate(sum={"numbr": True}), "_sum of Invoice has no 'numbr'"),
        (lambda db: db.invoice.find_unique({"tenant_id_number": {"tenant": "1"}}), "Did you mean 'tenant_id'"),
        (lambda db: db.invoice.find_many(include={"_count": {"select": {"customer": True}}}), "has no 'customer'"),
    ),
)
async def test_an_unknown_name_is_an_error_that_tells_the_nearest_one(call: Any, message: str):
    engine = FakeEngine()
    with pytest.raises(FieldNotFoundError, match=message):
        await call(await connected_to(engine))
    assert not engine.queries


async def test_what_is_not_a_dict_or_a_list_is_refused_where_one_belongs():
    db: Any = await connected_to(FakeEngine())
    with pytest.raises(InputError, match="takes a dict, not 'x'"):
        await db.tag.find_many(where="x")
    with pytest.raises(InputError, match="A list was expected"):
        await db.tag.find_many(where={"OR": {"name": "a"}})
    with pytest.raises(InputError, match="A relation takes True, False or a dict"):
        await db.tag.find_many(include={"documents": 1})
    with pytest.raises(InputError, match="takes a dict of fields"):
        await db.tag.aggregate(min="name")
    with pytest.raises(InputError, match="cannot stand beside"):
        await db.tag.find_many(select={"id": True}, include={"documents": True})


async def test_an_unknown_model_is_an_attribute_error():
    db: Any = await connected_to(FakeEngine())
    with pytest.raises(AttributeError, match=r"Prisma has no attribute 'custommer'\. Did you mean 'customer'"):
        _ = db.custommer
    with pytest.raises(AttributeError, match="Batch has no attribute 'tags'"):
        _ = db.batch_().tags


async def test_text_is_compared_without_case_on_both_databases():
    engine = FakeEngine([], [])
    like: Any = {"name": {"contains": "a", "mode": "insensitive"}}
    await (await connected_to(engine)).customer.find_many(where=like)
    assert engine.arguments == {"where": {"name": {"contains": "a", "mode": "insensitive"}}}
    sqlite = await connected_to(engine, "file:./x.db")
    await sqlite.customer.find_many(where=like)
    assert engine.arguments == {"where": {"name": {"contains": "a"}}}
    for operators in ({"equals": "a"}, {"not": "a"}, {"not": {"equals": "a"}}, {"in": ["a"]}):
        with pytest.raises(InputError, match="On SQLite"):
            await sqlite.customer.find_many(where={"name": {"mode": "insensitive", **operators}})  # pyright: ignore[reportArgumentType]


async def test_a_batch_is_sent_at_its_end_and_not_at_all_when_its_block_fails():
    engine = FakeEngine()
    db = await connected_to(engine)
    async with db.batch_() as batch:
        batch.tag.create({"name": "a"})
        batch.tag.create_many([{"name": "b"}])
        batch.tag.update({"name": "c"}, {"name": "a"})
        batch.tag.update_many({"name": "d"}, {"name": "c"})
        batch.tag.upsert({"name": "e"}, {"create": {"name": "e"}, "update": {}})
        batch.tag.delete({"name": "e"})
        batch.tag.delete_many()
        assert not engine.batches
    actions = ["createOne", "createMany", "updateOne", "updateMany", "upsertOne", "deleteOne", "deleteMany"]
    assert [query["action"] for query in engine.batches[0]] == actions
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
        async with db.batch_() as batch:
            batch.tag.delete_many()
            _ = 1 / 0
    async with db.batch_():
        pass
    assert len(engine.batches) == 1


async def test_a_transaction_is_a_client_of_its_own():
    engine = FakeEngine(dict(ROW))
    db = await connected_to(engine)
    async with db.tx(isolation="Serializable") as tx:
        assert tx.is_transaction()
        assert not db.is_transaction()
        assert tx.tag is not db.tag
        assert await tx.tag.find_first() is not None
        with pytest.raises(TransactionError, match="transaction already"):
            async with tx.tx():
                pass
    with pytest.raises(ZeroDivisionError):
        async with db.tx():
            _ = 1 / 0
    assert engine.transactions == ["Serializable", "committed", "default", "rolled back"]


async def test_a_query_needs_a_connection():
    db = await connected_to(FakeEngine([]))
    assert db.is_connected()
    await db.tag.find_many()
    await db.disconnect()
    assert not db.is_connected()
    with pytest.raises(ClientNotConnectedError):
        await db.tag.find_many()


def test_the_url_comes_from_the_environment_and_has_a_default(monkeypatch: pytest.MonkeyPatch):
    from prisma import Prisma

    monkeypatch.setenv("DATABASE_URL", "postgresql://host/name")
    assert Prisma().url == "postgresql://host/name"
    assert Prisma("file:./x.db").url == "file:./x.db"
    monkeypatch.delenv("DATABASE_URL")
    assert Prisma().url == "file:./deskclerk.db"
