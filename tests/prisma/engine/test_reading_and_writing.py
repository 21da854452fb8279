"""Every model operation, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from prisma.errors import (
    FieldNotFoundError,
    ForeignKeyViolationError,
    InputError,
    InvalidValueError,
    MissingRequiredValueError,
    RecordNotFoundError,
    RelationViolationError,
    UniqueViolationError,
)
from tests.support.library_database import Library, nested


async def people(library: Library, count: int = 5) -> None:
    for number in range(1, count + 1):
        await library.ask(
            "User",
            "createOne",
            data={"email": f"u{number}@x", "name": f"User {number % 2}", "age": number * 10, "balance": number},
        )


async def test_every_scalar_comes_back_as_it_was_given(library: Library):
    given: dict[str, Any] = {
        "email": "ada@x",
        "name": "Ada \u2603 'quoted'",
        "age": -7,
        "balance": 2**62,
        "score": 0.1,
        "amount": Decimal("12345.625"),
        "active": False,
        "born": datetime(1815, 12, 10, 12, 30, 15, 250000, tzinfo=UTC),
        "avatar": b"\x00\xff\x10",
        "meta": {"a": [1, 2.5, None, {"b": "c"}], "unicode": "\u00e9"},
        "color": "blue",
    }
    made = await library.ask("User", "createOne", data=given)
    found = await library.ask("User", "findUnique", where={"email": "ada@x"})
    assert made == found
    assert {name: found[name] for name in given} == given
    assert found["created_at"].tzinfo is UTC
    assert abs(datetime.now(UTC) - found["updated_at"]) < timedelta(seconds=30)


async def test_tagged_scalars_mean_the_same_as_python_values(library: Library):
    made = await library.ask(
        "User",
        "createOne",
        data={
            "email": "tagged@x",
            "balance": {"$type": "BigInt", "value": "9007199254740993"},
            "amount": {"$type": "Decimal", "value": "1.5"},
            "born": {"$type": "DateTime", "value": "2000-01-02T03:04:05.678Z"},
            "avatar": {"$type": "Bytes", "value": "AP8="},
            "meta": {"$type": "Json", "value": '{"x": 1}'},
        },
    )
    assert made["balance"] == 9007199254740993
    assert made["amount"] == Decimal("1.5")
    assert made["born"] == datetime(2000, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    assert made["avatar"] == b"\x00\xff"
    assert made["meta"] == {"x": 1}


async def test_a_moment_in_another_zone_is_the_same_moment(library: Library):
    moment = datetime(2024, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    made = await library.ask("User", "createOne", data={"email": "z@x", "born": moment})
    assert made["born"] == moment
    assert made["born"].isoformat() == "2024-05-01T10:00:00+00:00"
    assert await library.ask("User", "findFirst", where={"born": datetime(2024, 5, 1, 10, 0)})  # noqa: DTZ001
    assert await library.ask("User", "findFirst", where={"born": {"gte": date(2024, 5, 1)}})


async def test_json_null_and_no_value_differ(library: Library):
    await library.ask("User", "createOne", data={"email": "1@x", "meta": {"$type": "Enum", "value": "JsonNull"}})
    await library.ask("User", "createOne", data={"email": "2@x", "meta": {"$type": "Enum", "value": "DbNull"}})
    await library.ask("User", "createOne", data={"email": "3@x", "meta": "text"})
    rows = await library.engine.query_raw('SELECT email FROM "User" WHERE meta IS NULL')
    assert [row["email"] for row in rows] == ["2@x"]
    found = await library.ask("User", "findMany", orderBy={"email": "asc"})
    assert [user["meta"] for user in found] == [None, None, "text"]


async def test_filters_of_every_kind(library: Library):
    await people(library)

    async def emails(**where: Any) -> list[str]:
        return [user["email"] for user in await library.ask("User", "findMany", where=where, orderBy={"id": "asc"})]

    assert await emails(age={"gt": 20, "lte": 40}) == ["u3@x", "u4@x"]
    assert await emails(email={"in": ["u1@x", "u5@x", "nobody"]}) == ["u1@x", "u5@x"]
    assert await emails(email={"in": []}) == []
    assert await emails(email={"notIn": ["u1@x", "u2@x", "u3@x"]}) == ["u4@x", "u5@x"]
    assert await emails(name={"contains": "er 1"}, age={"not": 10}) == ["u3@x", "u5@x"]
    assert await emails(email={"startsWith": "u1"}) == ["u1@x"]
    assert await emails(OR=[{"email": {"endsWith": "1@x"}}, {"balance": {"gte": 5}}]) == ["u1@x", "u5@x"]
    assert await emails(NOT={"name": "User 1"}) == ["u2@x", "u4@x"]
    assert await emails(AND=[{"age": {"gte": 30}}, {"NOT": [{"age": 40}]}]) == ["u3@x", "u5@x"]
    assert await emails(color={"in": ["blue", "green"]}) == []
    assert await emails(color="red", born=None) == ["u1@x", "u2@x", "u3@x", "u4@x", "u5@x"]
    reference = {"$type": "FieldRef", "value": {"_ref": "balance", "_container": "User"}}
    assert await emails(balance={"gte": reference}) == ["u1@x", "u2@x", "u3@x", "u4@x", "u5@x"]
    assert await emails(balance={"lt": reference}) == []


async def test_json_filters_look_inside(library: Library):
    await library.ask("User", "createOne", data={"email": "1@x", "meta": {"a": {"b": 5}, "s": "hello"}})
    await library.ask("User", "createOne", data={"email": "2@x", "meta": {"a": {"b": 7}, "s": "world"}})
    text = {"sqlite": "$.s", "postgresql": ["s"]}[library.engine.provider]
    if library.engine.provider == "postgresql":
        found = await library.ask("User", "findMany", where={"meta": {"path": ["a", "b"], "gt": 5}})
        assert [user["email"] for user in found] == ["2@x"]
    found = await library.ask("User", "findMany", where={"meta": {"path": text, "string_contains": "ell"}})
    assert [user["email"] for user in found] == ["1@x"]
    assert await library.ask("User", "findMany", where={"meta": {"path": text, "equals": "hello"}})
    found = await library.ask("User", "findMany", where={"meta": {"equals": {"a": {"b": 7}, "s": "world"}}})
    assert [user["email"] for user in found] == ["2@x"]


async def test_relation_filters(library: Library):
    await library.ask(
        "User", "createOne", data={"email": "1@x", "posts": {"create": [{"title": "a", "views": 5}, {"title": "b"}]}}
    )
    await library.ask("User", "createOne", data={"email": "2@x", "profile": {"create": {"bio": "hi"}}})

    async def emails(**where: Any) -> list[str]:
        return [user["email"] for user in await library.ask("User", "findMany", where=where, orderBy={"id": "asc"})]

    assert await emails(posts={"some": {"views": {"gt": 3}}}) == ["1@x"]
    assert await emails(posts={"every": {"title": {"in": ["a", "b"]}}}) == ["1@x", "2@x"]
    assert await emails(posts={"none": {}}) == ["2@x"]
    assert await emails(profile={"is": {"bio": "hi"}}) == ["2@x"]
    assert await emails(profile=None) == ["1@x"]
    posts = await library.ask("Post", "findMany", where={"author": {"is": {"email": "1@x"}}, "title": "a"})
    assert [post["title"] for post in posts] == ["a"]


async def test_order_pages_and_cursors(library: Library):
    await people(library, 6)

    async def ages(**arguments: Any) -> list[int]:
        return [user["age"] for user in await library.ask("User", "findMany", **arguments)]

    assert await ages(orderBy=[{"name": "asc"}, {"age": "desc"}]) == [60, 40, 20, 50, 30, 10]
    assert await ages(orderBy={"age": "asc"}, skip=1, take=2) == [20, 30]
    assert await ages(orderBy={"age": "asc"}, take=-2) == [50, 60]
    assert await ages(orderBy={"age": "asc"}, cursor={"email": "u3@x"}, take=2) == [30, 40]
    assert await ages(orderBy={"age": "asc"}, cursor={"email": "u3@x"}, skip=1, take=2) == [40, 50]
    assert await ages(orderBy={"age": "asc"}, cursor={"email": "u3@x"}, take=-2) == [20, 30]
    assert await ages(cursor={"email": "nobody"}) == []
    assert await ages(orderBy={"born": {"sort": "asc", "nulls": "last"}}, take=1) == [10]
    assert sorted(await ages(distinct=["name"], orderBy={"age": "asc"})) == [10, 20]


async def test_a_page_of_each_parent(library: Library):
    for number in (1, 2):
        titles = [{"title": f"{letter}{number}", "views": views} for views, letter in enumerate("abcd")]
        await library.ask("User", "createOne", data={"email": f"{number}@x", "posts": {"create": titles}})

    async def titles_of(**arguments: Any) -> list[list[str]]:
        users = await library.ask("User", "findMany", select={"posts": nested(**arguments)}, orderBy={"id": "asc"})
        return [[post["title"] for post in user["posts"]] for user in users]

    assert await titles_of(orderBy={"views": "asc"}, take=2) == [["a1", "b1"], ["a2", "b2"]]
    assert await titles_of(orderBy={"views": "asc"}, skip=1, take=2) == [["b1", "c1"], ["b2", "c2"]]
    assert await titles_of(orderBy={"views": "asc"}, take=-1) == [["d1"], ["d2"]]
    assert await titles_of(where={"views": {"gte": 3}}) == [["d1"], ["d2"]]


async def test_many_to_many_and_counts(library: Library):
    await library.ask(
        "Post",
        "createOne",
        data={
            "title": "p",
            "tags": {"create": [{"name": "x"}], "connectOrCreate": [{"where": {"name": "y"}, "create": {"name": "y"}}]},
        },
    )
    await library.ask("Post", "createOne", data={"title": "q", "tags": {"connect": [{"name": "x"}]}})
    tags = await library.ask(
        "Tag",
        "findMany",
        orderBy={"name": "asc"},
        select={"posts": nested(orderBy={"title": "asc"}), "_count": {"arguments": {}, "selection": {"posts": True}}},
    )
    assert [(tag["name"], [post["title"] for post in tag["posts"]], tag["_count"]) for tag in tags] == [
        ("x", ["p", "q"], {"posts": 2}),
        ("y", ["p"], {"posts": 1}),
    ]
    post = await library.ask(
        "Post",
        "updateOne",
        where={"id": tags[1]["posts"][0]["id"]},
        data={"tags": {"disconnect": [{"name": "x"}], "set": [{"name": "y"}]}},
        select={"tags": nested()},
    )
    assert [tag["name"] for tag in post["tags"]] == ["y"]


async def test_deep_nested_create_is_one_tree(library: Library):
    made = await library.ask(
        "User",
        "createOne",
        data={
            "email": "deep@x",
            "profile": {"create": {"bio": "b"}},
            "mentor": {"create": {"email": "mentor@x"}},
            "posts": {
                "create": [
                    {"title": "1", "comments": {"create": [{"text": "c1"}, {"text": "c2"}]}},
                    {"title": "2", "tags": {"create": [{"name": "t"}]}},
                ]
            },
            "memberships": {"create": [{"team": {"create": {"name": "team"}}, "role": "lead"}]},
        },
        select={
            "profile": nested(),
            "mentor": nested(),
            "posts": nested(
                orderBy={"title": "asc"}, inside={"comments": nested(orderBy={"text": "asc"}), "tags": nested()}
            ),
            "memberships": nested(inside={"team": nested()}),
        },
    )
    assert made["profile"]["bio"] == "b"
    assert made["mentor"]["email"] == "mentor@x"
    assert [[comment["text"] for comment in post["comments"]] for post in made["posts"]] == [["c1", "c2"], []]
    assert [[tag["name"] for tag in post["tags"]] for post in made["posts"]] == [[], ["t"]]
    assert made["memberships"][0]["team"]["name"] == "team"
    assert made["memberships"][0]["role"] == "lead"


async def test_nested_writes_of_every_kind(library: Library):
    made = await library.ask(
        "User",
        "createOne",
        data={"email": "n@x", "posts": {"create": [{"title": "a"}, {"title": "b"}, {"title": "c"}]}},
        select={"posts": nested(orderBy={"title": "asc"})},
    )
    a, b, c = (post["id"] for post in made["posts"])
    other = await library.ask("Post", "createOne", data={"title": "other"})

    async def update(**posts: Any) -> list[tuple[str, int]]:
        user = await library.ask(
            "User",
            "updateOne",
            where={"email": "n@x"},
            data={"posts": posts},
            select={"posts": nested(orderBy={"title": "asc"})},
        )
        return [(post["title"], post["views"]) for post in user["posts"]]

    assert await update(update=[{"where": {"id": a}, "data": {"views": {"increment": 3}}}]) == [
        ("a", 3),
        ("b", 0),
        ("c", 0),
    ]
    assert await update(updateMany=[{"where": {"views": 0}, "data": {"views": 9}}]) == [("a", 3), ("b", 9), ("c", 9)]
    assert await update(delete=[{"id": c}]) == [("a", 3), ("b", 9)]
    assert await update(connect=[{"id": other["id"]}]) == [("a", 3), ("b", 9), ("other", 0)]
    assert await update(disconnect=[{"id": b}]) == [("a", 3), ("other", 0)]
    assert await update(set=[{"id": b}]) == [("b", 9)]
    upsert = {"where": {"id": b}, "update": {"title": "bb"}, "create": {"title": "never"}}
    assert await update(upsert=[upsert]) == [("bb", 9)]
    upsert = {"where": {"id": "no such"}, "update": {"title": "never"}, "create": {"title": "new"}}
    assert await update(upsert=[upsert]) == [("bb", 9), ("new", 0)]
    assert await update(createMany={"data": [{"title": "m1"}, {"title": "m2"}]}) == [
        ("bb", 9),
        ("m1", 0),
        ("m2", 0),
        ("new", 0),
    ]
    assert await update(deleteMany=[{"title": {"startsWith": "m"}}]) == [("bb", 9), ("new", 0)]


async def test_updates_count_and_compute(library: Library):
    await people(library, 3)
    assert await library.ask("User", "updateMany", where={"age": {"gte": 20}}, data={"age": {"multiply": 2}}) == {
        "count": 2
    }
    changed = await library.ask("User", "updateManyAndReturn", where={"age": {"gte": 40}}, data={"name": "old"})
    assert sorted((user["age"], user["name"]) for user in changed) == [(40, "old"), (60, "old")]
    user = await library.ask(
        "User", "updateOne", where={"email": "u1@x"}, data={"balance": {"decrement": 5}, "score": 1.5, "name": None}
    )
    assert (user["balance"], user["score"], user["name"]) == (-4, 1.5, None)
    assert user["updated_at"] >= user["created_at"]
    assert await library.ask("User", "deleteMany", where={"name": "old"}) == {"count": 2}
    gone = await library.ask("User", "deleteOne", where={"email": "u1@x"})
    assert gone["email"] == "u1@x"
    assert await library.count("User") == 0


async def test_create_many_skips_duplicates_where_the_database_can(library: Library):
    rows = [{"name": "a"}, {"name": "b"}]
    assert await library.ask("Tag", "createMany", data=rows) == {"count": 2}
    made = await library.ask("Tag", "createManyAndReturn", data=[{"name": "c"}, {"name": "d"}])
    assert [tag["name"] for tag in made] == ["c", "d"]
    if library.engine.provider == "postgresql":
        again = await library.ask("Tag", "createMany", data=[{"name": "a"}, {"name": "e"}], skipDuplicates=True)
        assert again == {"count": 1}
    else:
        with pytest.raises(FieldNotFoundError, match="skipDuplicates"):
            await library.ask("Tag", "createMany", data=rows, skipDuplicates=True)


async def test_upsert_creates_once_and_updates_then(library: Library):
    async def upsert() -> dict[str, Any]:
        place = {"room": "r", "hour": 9}
        return await library.ask(
            "Slot",
            "upsertOne",
            where={"place": place},
            create={**place, "taken": 1},
            update={"taken": {"increment": 1}},
        )

    assert (await upsert())["taken"] == 1
    assert (await upsert())["taken"] == 2
    assert await library.count("Slot") == 1


async def test_compound_keys_find_and_change_one_row(library: Library):
    user = await library.ask("User", "createOne", data={"email": "c@x"})
    team = await library.ask("Team", "createOne", data={"name": "t"})
    key = {"user_id_team_id": {"user_id": user["id"], "team_id": team["id"]}}
    await library.ask("Membership", "createOne", data={"user_id": user["id"], "team_id": team["id"]})
    assert (await library.ask("Membership", "findUnique", where=key))["role"] == "member"
    assert (await library.ask("Membership", "updateOne", where=key, data={"role": "lead"}))["role"] == "lead"
    await library.ask("Membership", "deleteOne", where=key)
    assert await library.ask("Membership", "findUnique", where=key) is None


async def test_aggregates_and_groups(library: Library):
    await people(library, 4)
    found = await library.ask(
        "User",
        "aggregate",
        select={
            "_count": {"arguments": {}, "selection": {"_all": True, "born": True}},
            "_sum": {"arguments": {}, "selection": {"age": True, "balance": True}},
            "_avg": {"arguments": {}, "selection": {"age": True}},
            "_min": {"arguments": {}, "selection": {"email": True}},
            "_max": {"arguments": {}, "selection": {"age": True}},
        },
    )
    assert found == {
        "_count": {"_all": 4, "born": 0},
        "_sum": {"age": 100, "balance": 10},
        "_avg": {"age": 25.0},
        "_min": {"email": "u1@x"},
        "_max": {"age": 40},
    }
    groups = await library.ask(
        "User",
        "groupBy",
        by=["name"],
        orderBy={"name": "asc"},
        having={"age": {"_sum": {"gt": 1}}},
        select={"name": True, "_sum": {"arguments": {}, "selection": {"age": True}}},
    )
    assert groups == [{"name": "User 0", "_sum": {"age": 60}}, {"name": "User 1", "_sum": {"age": 40}}]


async def test_omitted_fields_stay_away(library: Library):
    await people(library, 1)
    found = await library.ask("User", "findFirst", select={"email": False, "balance": False})
    assert "email" not in found
    assert "balance" not in found
    assert found["age"] == 10


async def test_generated_ids_have_their_shape(library: Library):
    token = await library.ask("Token", "createOne", data={})
    assert token["id"].startswith("c")
    assert len(token["id"]) == 25
    assert len(token["four"]) == 36
    assert token["four"][14] == "4"
    assert len(token["short"]) == 8


async def test_self_relations_reach_up_and_down(library: Library):
    await library.ask(
        "User", "createOne", data={"email": "top@x", "pupils": {"create": [{"email": "a@x"}, {"email": "b@x"}]}}
    )
    found = await library.ask(
        "User",
        "findUnique",
        where={"email": "a@x"},
        select={"mentor": nested(inside={"pupils": nested(orderBy={"email": "asc"})})},
    )
    assert [pupil["email"] for pupil in found["mentor"]["pupils"]] == ["a@x", "b@x"]


async def test_raw_queries_bind_their_parameters(library: Library):
    await people(library, 3)
    mark = {"sqlite": ("?", "?"), "postgresql": ("$1", "$2")}[library.engine.provider]
    sql = f'SELECT email, age FROM "User" WHERE age > {mark[0]} AND email <> {mark[1]} ORDER BY age'
    assert await library.engine.query_raw(sql, 10, "u3@x") == [{"email": "u2@x", "age": 20}]
    assert await library.engine.execute_raw(f'DELETE FROM "User" WHERE age < {mark[0]}', 25) == 2
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    await library.engine.execute_raw(f'UPDATE "User" SET born = {mark[0]} WHERE age = {mark[1]}', moment, 30)
    assert (await library.ask("User", "findFirst", where={"age": 30}))["born"] == moment


async def test_a_batch_happens_whole_or_not_at_all(library: Library):
    from tests.support.library_database import query

    results = await library.engine.batch(
        [query("Tag", "createOne", data={"name": "a"}), query("Tag", "findMany"), query("Team", "findMany")]
    )
    assert results[1] == [results[0]]
    assert results[2] == []
    with pytest.raises(UniqueViolationError) as caught:
        await library.engine.batch(
            [query("Tag", "createOne", data={"name": "b"}), query("Tag", "createOne", data={"name": "a"})]
        )
    assert caught.value.model == "Tag"
    assert await library.count("Tag") == 1


async def test_a_failed_nested_write_leaves_nothing(library: Library):
    await library.ask("Tag", "createOne", data={"name": "taken"})
    with pytest.raises(UniqueViolationError):
        await library.ask(
            "User",
            "createOne",
            data={"email": "x@x", "posts": {"create": [{"title": "t", "tags": {"create": [{"name": "taken"}]}}]}},
        )
    assert await library.count("User") == 0
    assert await library.count("Post") == 0


async def test_errors_name_code_model_and_fields(library: Library):
    await library.ask("User", "createOne", data={"email": "a@x", "profile": {"create": {"bio": "b"}}})
    with pytest.raises(UniqueViolationError) as unique:
        await library.ask("User", "createOne", data={"email": "a@x"})
    assert (unique.value.code, unique.value.model, unique.value.fields) == ("P2002", "User", ("email",))
    with pytest.raises(ForeignKeyViolationError) as foreign:
        await library.ask("Post", "createOne", data={"title": "t", "author_id": 99})
    assert (foreign.value.code, foreign.value.model) == ("P2003", "Post")
    with pytest.raises(RecordNotFoundError) as missing:
        await library.ask("User", "updateOne", where={"id": 99}, data={"name": "x"})
    assert (missing.value.code, missing.value.model) == ("P2025", "User")
    with pytest.raises(RecordNotFoundError):
        await library.ask("Post", "createOne", data={"title": "t", "author": {"connect": {"id": 99}}})
    with pytest.raises(RecordNotFoundError):
        await library.ask("User", "findUniqueOrThrow", where={"id": 99})
    with pytest.raises(RelationViolationError) as violated:
        await library.ask("User", "updateOne", where={"email": "a@x"}, data={"profile": {"create": {"bio": "2"}}})
    assert violated.value.code == "P2014"


async def test_an_error_in_a_nested_write_names_the_model_and_fields_it_is_about(library: Library):
    await library.ask("Tag", "createOne", data={"name": "taken"})
    posts = {"create": [{"title": "t", "tags": {"create": [{"name": "taken"}]}}]}
    with pytest.raises(UniqueViolationError) as unique:
        await library.ask("User", "createOne", data={"email": "x@x", "posts": posts})
    assert (unique.value.model, unique.value.fields) == ("Tag", ("name",))

    await library.ask("Slot", "createOne", data={"room": "r", "hour": 1})
    with pytest.raises(UniqueViolationError) as compound:
        await library.ask("Slot", "createOne", data={"room": "r", "hour": 1})
    assert (compound.value.model, compound.value.fields) == ("Slot", ("room", "hour"))

    user = await library.ask("User", "createOne", data={"email": "a@x", "profile": {"create": {"bio": "b"}}})
    with pytest.raises(ForeignKeyViolationError) as foreign:
        await library.ask("Post", "createOne", data={"title": "t", "author_id": 99})
    with pytest.raises((ForeignKeyViolationError, RelationViolationError)) as restricted:
        await library.ask("User", "deleteOne", where={"id": user["id"]})
    if library.engine.provider == "postgresql":  # SQLite does not tell which constraint
        assert (foreign.value.model, foreign.value.fields) == ("Post", ("author_id",))
        assert (restricted.value.model, restricted.value.fields) == ("Profile", ())


async def test_text_that_is_not_unicode_is_refused_as_such(library: Library):
    with pytest.raises(InvalidValueError, match="P2007"):
        await library.ask("Tag", "createOne", data={"name": "\ud83d"})
    with pytest.raises(InputError, match="cannot be written as JSON"):
        await library.ask("Tag", "findMany", where={"name": {"\ud83d": 1}})


async def test_wrong_operations_say_what_would_be_right(library: Library):
    with pytest.raises(FieldNotFoundError, match=r"where\.emial: UserWhereInput has no field 'emial' .*'email'"):
        await library.ask("User", "findMany", where={"emial": "x"})
    with pytest.raises(FieldNotFoundError, match="no argument 'wheer'"):
        await library.ask("User", "findMany", wheer={})
    with pytest.raises(FieldNotFoundError, match="User has no field 'nmae'"):
        await library.ask("User", "findMany", select={"nmae": True})
    with pytest.raises(MissingRequiredValueError, match=r"data\.email: a value is required here \(String\)"):
        await library.ask("User", "createOne", data={"name": "x"})
    with pytest.raises(InputError, match=r"data\.age: expected Int, got String"):
        await library.ask("User", "createOne", data={"email": "x", "age": "old"})
    with pytest.raises(InputError, match="needs at least one of: id, email"):
        await library.ask("User", "findUnique", where={})
    with pytest.raises(InputError, match="cannot be part of an operation"):
        await library.ask("User", "findMany", where={"name": object()})
