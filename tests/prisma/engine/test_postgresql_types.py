"""What only PostgreSQL has: list columns, native types, relation joins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from prisma.errors import InvalidValueError, RawQueryError
from tests.support.library_database import SCALARS, Library, nested, postgres_library
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.service


@pytest.fixture
async def pg(postgres: PostgresServer) -> AsyncIterator[Library]:
    name = await postgres.create_database()
    async with postgres_library(postgres.url(name)) as library:
        yield library
    await postgres.drop_database(name)


async def test_list_columns_of_every_scalar(pg: Library):
    given: dict[str, Any] = {
        "numbers": [1, -2],
        "names": ["a", "b,c", '"'],
        "colors": ["red", "blue"],
        "moments": [datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)],
        "amounts": [Decimal("1.5"), Decimal(2)],
        "blobs": [b"\x00\xff", b""],
        "docs": [{"a": 1}, {"b": [2]}],
        "bigs": [2**60, 1],
        "flags": [True, False],
        "floats": [0.5, 2.0],
    }
    made = await pg.ask("Lists", "createOne", data=given)
    assert {name: made[name] for name in given} == given
    empty = await pg.ask("Lists", "createOne", data={})
    assert all(empty[name] == [] for name in given)
    found = await pg.ask("Lists", "findMany", where={"names": {"has": "b,c"}})
    assert [row["id"] for row in found] == [made["id"]]
    found = await pg.ask("Lists", "findMany", where={"numbers": {"hasSome": [7, -2]}, "flags": {"isEmpty": False}})
    assert [row["id"] for row in found] == [made["id"]]
    changed = await pg.ask(
        "Lists",
        "updateOne",
        where={"id": made["id"]},
        data={"numbers": {"push": 9}, "colors": {"set": ["green"]}, "names": {"push": ["x", "y"]}},
    )
    assert changed["numbers"] == [1, -2, 9]
    assert changed["colors"] == ["green"]
    assert changed["names"] == ["a", "b,c", '"', "x", "y"]


async def test_native_types_come_back_as_their_prisma_type(pg: Library):
    made = await pg.ask(
        "Native",
        "createOne",
        data={
            "day": date(2024, 2, 29),
            "clock": datetime(1970, 1, 1, 13, 14, 15, tzinfo=UTC),
            "zoned": datetime(2024, 1, 1, 12, tzinfo=UTC),
            "short": "abcde",
            "small": 7,
            "exact": Decimal("123456789012.3456"),
            "host": "10.1.2.3",
            "single": 0.5,
        },
    )
    assert UUID(made["id"]).version == 4
    assert made["day"] == datetime(2024, 2, 29, tzinfo=UTC)
    assert made["clock"] == datetime(1970, 1, 1, 13, 14, 15, tzinfo=UTC)
    assert made["zoned"] == datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert (made["short"], made["small"], made["exact"]) == ("abcde", 7, Decimal("123456789012.3456"))
    assert made["host"].startswith("10.1.2.3")
    found = await pg.ask("Native", "findUnique", where={"id": made["id"]})
    assert found == made
    assert await pg.ask("Native", "findFirst", where={"day": date(2024, 2, 29), "clock": made["clock"]})


async def test_values_that_do_not_fit_say_so(pg: Library):
    with pytest.raises(InvalidValueError) as long:
        await pg.ask("Native", "createOne", data={"short": "abcdef"})
    assert long.value.code == "P2000"
    with pytest.raises(InvalidValueError) as wide:
        await pg.ask("Native", "createOne", data={"small": 70000})
    assert wide.value.code == "P2020"
    with pytest.raises(InvalidValueError):
        await pg.ask("Native", "findMany", where={"id": "not a uuid"})


async def test_joining_in_the_database_gives_what_separate_queries_give(pg: Library):
    for number in range(3):
        await pg.ask(
            "User",
            "createOne",
            data={
                "email": f"{number}@x",
                "balance": 2**61 + number,
                "amount": Decimal("0.125"),
                "avatar": b"\x01\xff",
                "born": datetime(2000, 1, 1, number, 0, 0, 5000, tzinfo=UTC),
                "meta": {"n": [number]},
                "color": "blue",
                "profile": {"create": {"bio": "b"}},
                "posts": {
                    "create": [
                        {"title": f"{letter}", "tags": {"create": [{"name": f"{letter}{number}"}]}} for letter in "cab"
                    ]
                },
                "memberships": {"create": [{"team": {"create": {"name": "t"}}}]},
            },
        )
    await pg.ask("User", "updateMany", where={"email": {"not": "0@x"}}, data={"mentor_id": 1})
    select = {
        "posts": nested(orderBy={"title": "asc"}, take=2, inside={"tags": nested(), "author": nested()}),
        "profile": nested(),
        "mentor": nested(inside={"posts": nested(orderBy={"title": "desc"})}),
        "pupils": nested(orderBy={"id": "asc"}),
        "memberships": nested(inside={"team": nested()}),
        "_count": {"arguments": {}, "selection": {"posts": True, "pupils": True}},
    }
    arguments: dict[str, Any] = {"orderBy": {"id": "asc"}, "select": select}
    joined = await pg.ask("User", "findMany", relationLoadStrategy="join", **arguments)
    queried = await pg.ask("User", "findMany", relationLoadStrategy="query", **arguments)
    assert joined == queried
    assert joined[1]["mentor"]["balance"] == 2**61
    assert joined[1]["mentor"]["amount"] == Decimal("0.125")
    assert joined[1]["mentor"]["avatar"] == b"\x01\xff"
    assert joined[1]["mentor"]["born"] == datetime(2000, 1, 1, 0, 0, 0, 5000, tzinfo=UTC)
    assert joined[1]["mentor"]["color"] == "blue"
    assert joined[1]["mentor"]["meta"] == {"n": [0]}


async def test_raw_rows_have_python_values(pg: Library):
    row = (
        await pg.engine.query_raw(
            "SELECT $1::uuid AS id, '{\"a\": 1}'::jsonb AS doc, now() AS moment, 1.50::numeric AS amount, "
            "ARRAY[1,2] AS list, '\\x00ff'::bytea AS blob, $2::text AS text, TIMESTAMP '2024-01-01' AS plain",
            "0190a1b2-c3d4-7e5f-8a6b-0123456789ab",
            "t",
        )
    )[0]
    assert row["id"] == "0190a1b2-c3d4-7e5f-8a6b-0123456789ab"
    assert row["doc"] == {"a": 1}
    assert row["moment"].tzinfo is UTC
    assert row["amount"] == Decimal("1.50")
    assert row["list"] == [1, 2]
    assert row["blob"] == b"\x00\xff"
    assert row["plain"] == datetime(2024, 1, 1, tzinfo=UTC)


async def test_raw_errors_carry_the_databases_code(pg: Library):
    with pytest.raises(RawQueryError) as caught:
        await pg.engine.query_raw("SELECT nothing")
    assert caught.value.code == "P2010"
    assert caught.value.meta["code"] == "42703"


async def test_a_column_that_changed_its_type_is_written_again(pg: Library):
    await pg.ask("Tag", "createOne", data={"name": "1"})
    await pg.engine.execute_raw('ALTER TABLE "Comment" ALTER COLUMN "text" TYPE VARCHAR(10)')
    await pg.ask("Post", "createOne", data={"title": "p", "comments": {"create": [{"text": "t"}]}})
    await pg.engine.execute_raw('ALTER TABLE "Slot" ALTER COLUMN "hour" TYPE BIGINT')
    assert (await pg.ask("Slot", "createOne", data={"room": "r", "hour": 1}))["hour"] == 1


async def test_selecting_scalars_by_name_is_enough(pg: Library):
    await pg.ask("User", "createOne", data={"email": "a@x"})
    found = await pg.engine.execute(
        {"modelName": "User", "action": "findFirst", "query": {"arguments": {}, "selection": {"email": True}}}
    )
    assert found == {"email": "a@x"}
    assert SCALARS["$scalars"]
