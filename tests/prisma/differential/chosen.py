"""Operations of kinds that generation seldom meets, each a sequence that starts at the seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from prisma.migrate.urls import Provider
from tests.prisma.differential.operations import Json, tagged

BY_ID: list[Json] = [{"id": "asc"}]
EVERYTHING: Json = {
    **{name: {"orderBy": BY_ID} for name in ("posts", "reviews", "reports")},
    **{"profile": True, "manager": True, "seats": {"orderBy": [{"row": "asc"}, {"number": "asc"}]}},
}
NO_ROW = 99


def op(model: str, action: str, **args: Any) -> Json:
    return {"model": model, "action": action, "args": args}


def find(model: str, where: Json, **args: Any) -> Json:
    return op(model, "findMany", **{"where": where, "orderBy": BY_ID, **args})


def a_json(value: Any) -> Json:
    return tagged("Json", json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def chosen(provider: Provider) -> list[list[Json]]:
    """All of them for one provider."""
    kinds = (texts, relations, logic, nested_writes, errors, pages, orders, groups, numbers, documents, many_values)
    return [sequence for kind in kinds for sequence in kind(provider)]


def texts(provider: Provider) -> Iterator[list[Json]]:
    mode: Json = {"mode": "insensitive"} if provider == "postgresql" else {}
    for operator, value in product(("contains", "startsWith", "endsWith", "equals", "not", "lt", "gte"), "A%_é🙂'"):
        yield [find("User", {"NOT": {"name": {operator: value, **mode}}})]
    for operator in ("contains", "startsWith"):  # a pattern that ends in \ fails or not by PostgreSQL's statistics
        yield [find("User", {"NOT": {"name": {operator: "\\", **mode}}})]
    for value in ("%", "_", "É", "ß", "🙂", "\n", ""):
        yield [
            op("User", "create", data={"id": 50, "email": f"{value}z", "name": value}),
            find("User", {"name": {"contains": value, **mode}}),
            find("User", {"OR": [{"name": value}, {"name": {"in": [value, "a"], **mode}}]}),
        ]


def relations(_provider: Provider) -> Iterator[list[Json]]:
    insides: list[tuple[str, Json]] = [
        ("posts", {"published": True}),
        ("posts", {"rating": None}),
        ("posts", {}),
        ("reviews", {"rating": {"not": None}}),
        ("reports", {"name": None}),
    ]
    for (relation, inside), quantor in product(insides, ("some", "every", "none")):
        where: Json = {relation: {quantor: inside}}
        yield [find("User", where), find("User", {"NOT": where}), find("Tag", {"posts": {quantor: {"author": where}}})]
    for word, inside in product(("is", "isNot"), (None, {}, {"name": None}, {"manager": {"is": None}})):
        yield [find("User", {"manager": {word: inside}}), find("Post", {"reviewer": {word: inside}})]


def logic(_provider: Provider) -> Iterator[list[Json]]:
    empty: tuple[Json, ...] = ({"AND": []}, {"OR": []}, {"NOT": []}, {"NOT": {}}, {"NOT": [{}]}, {"OR": [{}]})
    lists: tuple[Json, ...] = ({"in": []}, {"notIn": []}, {"not": {"notIn": [1]}}, {"not": None})
    several: tuple[Json, ...] = (
        {"NOT": [{"id": 1}, {"id": 2}]},
        {"NOT": {"OR": []}},
        {"OR": [{"OR": []}, {"id": 1}]},
        {"AND": [{"OR": [{"id": 1}, {"id": 2}]}, {"NOT": [{"id": 1}]}]},
        *({"managerId": one} for one in lists),
    )
    for where in (*empty, *several):
        yield [find("User", where), op("User", "updateMany", where=where, data={"age": 9})]
        yield [op("User", "deleteMany", where=where)]


def nested_writes(_provider: Provider) -> Iterator[list[Json]]:
    new_post: Json = {"id": 70, "title": "q", "tags": {"create": {"id": 70, "name": "n"}, "connect": [{"id": 1}]}}
    seat: Json = {"row_number": {"row": 2, "number": 1}}
    changes: tuple[Json, ...] = (
        {"reviews": {"set": [{"id": 1}, {"id": 4}]}},
        {"reviews": {"set": []}},
        {"reviews": {"disconnect": [{"id": 2}]}},
        {"reviews": {"connect": [{"id": 1}, {"id": NO_ROW}]}},
        {"posts": {"set": [{"id": 3}]}},
        {"posts": {"delete": {"id": 3}}},
        {"posts": {"deleteMany": [{"views": 1}, {"views": 2}]}},
        {"posts": {"update": {"where": {"id": 1, "published": True}, "data": {"title": "z"}}}},
        {"posts": {"updateMany": {"where": {"OR": [{"views": 1}]}, "data": {"views": {"increment": 5}}}}},
        {"posts": {"upsert": {"where": {"id": 3}, "create": new_post, "update": {"title": "u"}}}},
        {"posts": {"connectOrCreate": {"where": {"id": 4}, "create": {"title": "n"}}}},
        {
            "posts": {
                "connectOrCreate": {"where": {"authorId_title": {"authorId": 1, "title": "q"}}, "create": new_post}
            }
        },
        {"posts": {"createMany": {"data": [{"id": 70, "title": "q"}, {"id": 71, "title": "a"}]}}},
        {"posts": {"create": [new_post]}},
        *({"profile": write} for write in ({"delete": True}, {"disconnect": True}, {"delete": {"bio": "nope"}})),
        {"profile": {"create": {"id": 70, "bio": "new"}}},
        {"profile": {"connect": {"id": 2}}},
        {"profile": {"upsert": {"where": {"bio": "nope"}, "create": {"bio": "c"}, "update": {"bio": "u"}}}},
        *({"manager": write} for write in ({"connect": {"id": 1}}, {"disconnect": True}, {"delete": True})),
        {"manager": {"upsert": {"create": {"id": 70, "email": "m"}, "update": {"name": "x"}}}},
        {"reports": {"set": [{"id": 3}, {"id": 1}]}},
        {"seats": {"set": [seat]}},
        {"seats": {"disconnect": [{"row_number": {"row": 1, "number": number}} for number in (1, 2)]}},
        {
            "seats": {
                "create": {"row": 9, "number": 9, "tickets": {"connect": {"kindAndCode": {"kind": "b", "code": 1}}}}
            }
        },
        {"email": "zz", "posts": {"create": {"title": "a"}}},
        {"id": 77},
    )
    for data, row in product(changes, (1, 2, 3)):
        yield [op("User", "update", where={"id": row}, data=data, include=EVERYTHING)]
    for where in ({"id": 1}, {"id": 90}, {"email": "a"}, {"email": "new"}, {"email": "a", "age": 5}):
        for email in ("a", "b", "new"):
            yield [op("User", "upsert", where=where, create={"id": 90, "email": email}, update={"email": email})]


def errors(_provider: Provider) -> Iterator[list[Json]]:
    yield [op("User", "update", where={"id": 1}, data={"email": "b"})]
    yield [op("User", "update", where={"id": 1, "name": "nope"}, data={"name": "x"})]
    for row in (1, 2, 4, NO_ROW):
        yield [op("User", "delete", where={"id": row})]
    yield [op("Seat", "delete", where={"row_number": {"row": 1, "number": 1}}, include={"tickets": True})]
    yield [op("User", "deleteMany", where={"seats": {"some": {}}})]
    for data in ({"title": "x"}, {"title": "x", "authorId": NO_ROW}, {"title": "a", "authorId": 1}):
        yield [op("Post", "create", data=data)]
    wrong: list[Json] = [{"select": {}}, {"where": {"nope": 1}}, {"orderBy": {"id": "up"}}, {"take": "x"}, {"skip": -1}]
    for args in wrong:
        yield [op("User", "findMany", **args)]


def pages(_provider: Provider) -> Iterator[list[Json]]:
    cursors: tuple[Json, ...] = ({"id": 2}, {"authorId_title": {"authorId": 1, "title": "b"}}, {"id": NO_ROW})
    sorts: tuple[Any, ...] = (BY_ID, [{"rating": {"sort": "asc", "nulls": "first"}}, {"id": "desc"}])
    for take, cursor, order in product((-2, -1, 0, 2), cursors, sorts):
        yield [op("Post", "findMany", take=take, cursor=cursor, skip=1, orderBy=order)]
        yield [op("Post", "findMany", take=take, cursor=cursor, distinct=["title"], orderBy=order)]
    for take, skip in product((-1, 1), (0, 1)):
        posts: Json = {"take": take, "skip": skip, "orderBy": [{"views": "desc"}, {"id": "asc"}]}
        reports: Json = {"distinct": ["name"], "take": take, "orderBy": BY_ID}
        yield [find("User", {}, include={"posts": posts, "reports": reports})]
        yield [find("Tag", {}, include={"posts": posts | {"include": {"tags": {"take": take, "orderBy": BY_ID}}}})]


def orders(_provider: Provider) -> Iterator[list[Json]]:
    sorts: tuple[Json, ...] = (
        {"posts": {"_count": "desc"}},
        {"manager": {"name": {"sort": "desc", "nulls": "last"}}},
        {"profile": {"bio": "desc"}},
        {"manager": {"manager": {"reports": {"_count": "asc"}}}},
    )
    for sort, take in product(sorts, (2, -2)):
        order = [sort, {"id": "asc"}]
        yield [op("User", "findMany", orderBy=order, take=take), op("User", "findFirst", orderBy=order, skip=1)]


def groups(_provider: Provider) -> Iterator[list[Json]]:
    numbers_: Json = {"_count": {"_all": True, "name": True}, "_sum": {"age": True}, "_avg": {"balance": True}}
    havings: tuple[Json, ...] = (
        {"age": {"_sum": {"gt": 1}}},
        {"id": {"_count": {"in": [1, 2]}}},
        {"OR": [{"age": {"_avg": {"lt": 1}}}, {"NOT": {"age": {"_max": {"equals": 1}}}}]},
        {"name": {"_min": {"contains": "a"}}},
    )
    for by, having in product((["name"], ["name", "age"], ["colour"]), havings):
        order = [{name: "asc"} for name in by]
        yield [op("User", "groupBy", by=by, having=having, orderBy=order, **numbers_)]
    yield [op("User", "groupBy", by=["name"], orderBy=[{"_count": {"id": "desc"}}, {"name": "asc"}], take=1, skip=1)]


def numbers(provider: Provider) -> Iterator[list[Json]]:
    values: dict[str, tuple[Any, ...]] = {
        "big": tuple(tagged("BigInt", text) for text in ("9007199254740993", "-9223372036854775808")),
        "decimal": tuple(tagged("Decimal", text) for text in ("0.1", "-0.000001", "1e10")),
        "float": (0.1, 1e308, -1e-308, 1e21),
        "at": (
            tagged("DateTime", "1969-12-31T23:59:59.999Z"),
            tagged("DateTime", "0001-01-01T00:00:00.000Z"),
            *("2020-02-29T23:59:59+02:00", "2020-02-29T10:00:00.123456Z", "garbage"),
        ),
        "bytes": tuple(tagged("Bytes", text) for text in ("AA==", "//79")),
        "int": (2147483647, 2147483648, 1.5),
    }
    for field, value in ((field, value) for field, of_field in values.items() for value in of_field):
        yield [
            op("Scalars", "create", data={"id": 50, "json": a_json({}), field: value}),
            find("Scalars", {field: {"in": [value, value]}}),
            find("Scalars", {"NOT": {field: value}}),
            op("Scalars", "updateMany", where={field: value}, data={field: value}),
        ]
    for field, how in product(("big", "decimal", "float", "int"), ("increment", "decrement", "multiply")):
        yield [op("Scalars", "update", where={"id": 2}, data={field: {how: 2}, f"opt{field.capitalize()}": {how: 2}})]
    if provider == "postgresql":
        price = tagged("Decimal", "12345678901234567890.123456789")
        seat: Json = {"create": {"row": 7, "number": 7, "price": price}}
        yield [
            op("User", "create", data={"id": 60, "email": "z", "balance": values["big"][0], "seats": seat}),
            *(
                op("User", "findMany", where={"id": 60}, include=EVERYTHING, relationLoadStrategy=strategy)
                for strategy in ("join", "query")
            ),
        ]


def documents(provider: Provider) -> Iterator[list[Json]]:
    document = {"a": 1, "b": [1, "x", {"c": "hello"}], "s": "Hello World", "n": None}
    filters: list[Json] = [
        *({"equals": a_json(value)} for value in (1, "Hello World", [1])),
        *({"equals": tagged("Null", name)} for name in ("JsonNull", "AnyNull")),
        {"not": a_json(1)},
        {"string_contains": "World"},
        {"string_starts_with": "Hello"},
        {"array_contains": a_json([1])},
        {"array_starts_with": a_json(1)},
    ]
    if provider == "postgresql":
        filters += [{"gt": a_json(0)}, {"lte": a_json(1.5)}, {"lt": a_json("Z")}, {"gt": a_json(0), "lt": a_json(2)}]
    paths = {"postgresql": (["a"], ["b", "2", "c"], ["s"], ["n"]), "sqlite": ("$.a", "$.b[2].c", "$.s", "$.n")}
    for stored, where in product((document, [1, 2], "text", 5), filters):
        data: Json = {"id": 50, "json": a_json(stored), "optJson": a_json(stored)}
        reads = [find("Scalars", {"json": {"path": path, **where}}) for path in paths[provider]]
        no = find("Scalars", {"NOT": {"optJson": where}})
        yield [op("Scalars", "create", data=data), find("Scalars", {"json": where}), no, *reads]


def many_values(provider: Provider) -> Iterator[list[Json]]:
    """More values than a statement takes: cut into several where that cannot change the answer, refused elsewhere."""
    count = 40_000 if provider == "postgresql" else 2_500
    ids: Json = {"id": {"in": list(range(count))}}
    yield [find("User", ids), op("User", "aggregate", where=ids, _count={"_all": True})]
    yield [find("User", {"id": {"notIn": list(range(2, count))}})]
    yield [op("User", "updateMany", where=ids, data={"age": {"increment": 1}})]
    yield [op("User", "deleteMany", where={"id": {"in": list(range(3, count))}})]
    tags: list[Json] = [{"id": 1000 + number, "name": f"n{number}"} for number in range(700)]
    connect: Json = {"connect": [{"id": tag["id"]} for tag in tags]}
    yield [
        op("Tag", "createMany", data=tags),
        op("Post", "update", where={"id": 3}, data={"tags": connect}, select={"_count": {"select": {"tags": True}}}),
        find("Tag", {}, take=-3, include={"posts": True}),
    ]
    yield [op("Tag", "createMany", data=[*tags, {"id": 5000, "name": "a"}])]
