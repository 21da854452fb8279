"""Each node of a plan by itself, over statements that are kept in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from prisma.drivers.sqlite_values import BIND
from prisma.engine.plan.compile import compile_plan
from prisma.errors import (
    EngineError,
    InvalidValueError,
    RecordNotFoundError,
    RelationViolationError,
    TooManyParametersError,
    UnsupportedPlanError,
)


class MemoryStatements:
    """Answers statements from a table of SQL text, and remembers what was asked."""

    def __init__(self, answers: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[tuple[str, list[Any]]] = []
        self.last_insert_id: int | None = None
        self._columns: list[str] = []

    async def query(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        self.asked.append((sql, list(parameters)))
        rows = self.answers.get(sql, [])
        if rows:
            self._columns = list(rows[0])
        return [tuple(row.values()) for row in rows]

    def columns(self) -> list[str]:
        return self._columns

    async def query_raw(self, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def execute_raw(self, sql: str, parameters: Sequence[Any]) -> int:
        raise NotImplementedError

    async def execute(self, sql: str, parameters: Sequence[Any]) -> int:
        self.asked.append((sql, list(parameters)))
        self.last_insert_id = 42
        return 3

    async def begin(self) -> None:
        self.asked.append(("BEGIN", []))

    async def commit(self) -> None:
        self.asked.append(("COMMIT", []))

    async def rollback(self) -> None:
        self.asked.append(("ROLLBACK", []))


def run(plan: dict[str, Any], *values: Any, on: MemoryStatements | None = None, limit: int = 999) -> Any:
    compiled = compile_plan(
        plan, parameters=len(values), bind=lambda kind: BIND.get(kind.get("scalarType", "")), max_parameters=limit
    )
    return asyncio.run(compiled.run(on or MemoryStatements(), values))


def value(held: Any) -> dict[str, Any]:
    return {"type": "value", "args": held}


def get(name: str) -> dict[str, Any]:
    return {"type": "get", "args": {"name": name}}


def let(expression: dict[str, Any], **bindings: Any) -> dict[str, Any]:
    bound = [{"name": name, "expr": bound} for name, bound in bindings.items()]
    return {"type": "let", "args": {"bindings": bound, "expr": expression}}


def param(name: str) -> dict[str, Any]:
    return {"prisma__type": "param", "prisma__value": {"name": name, "type": "Any"}}


def call(name: str, *arguments: Any) -> dict[str, Any]:
    return {"prisma__type": "generatorCall", "prisma__value": {"name": name, "args": list(arguments)}}


def statement(*pieces: Any, args: Sequence[Any] = (), kind: str = "query", chunkable: bool = True) -> dict[str, Any]:
    fragments = [{"type": "stringChunk", "chunk": piece} if isinstance(piece, str) else piece for piece in pieces]
    return {
        "type": kind,
        "args": {
            "type": "templateSql",
            "fragments": fragments,
            "args": list(args),
            "argTypes": [{"arity": "scalar", "scalarType": "string"}] * len(args),
            "placeholderFormat": {"prefix": "$", "hasNumbering": True},
            "chunkable": chunkable,
        },
    }


ONE = {"type": "parameter"}
TUPLE = {"type": "parameterTuple", "itemPrefix": "", "itemSeparator": ",", "itemSuffix": ""}
TUPLES = {
    "type": "parameterTupleList",
    "itemPrefix": "(",
    "itemSeparator": ",",
    "itemSuffix": ")",
    "groupSeparator": ",",
}


def test_simple_nodes_give_their_values():
    two = [value(1), value(2)]
    assert run({"type": "seq", "args": two}) == 2
    assert run({"type": "sum", "args": [value(1), value("2")]}) == 3
    assert run({"type": "concat", "args": [value([1]), value(2), value([])]}) == [1, 2]
    assert run({"type": "reverse", "args": value([1, 2])}) == [2, 1]
    assert run({"type": "unit"}) is None
    assert run({"type": "unique", "args": value([7])}) == 7
    assert run({"type": "unique", "args": value([])}) is None
    assert run({"type": "mapField", "args": {"field": "a", "records": value([{"a": 1}, {"b": 2}])}}) == [1, None]
    assert run({"type": "getFirstNonEmpty", "args": {"names": ["%1", "%2"]}}, [], [5]) == [5]
    assert run({"type": "required", "args": value([1])}) == [1]


def test_two_where_one_is_expected_is_an_error_of_the_engine():
    with pytest.raises(EngineError, match="got 2"):
        run({"type": "unique", "args": value([1, 2])})
    with pytest.raises(EngineError, match="requires"):
        run({"type": "required", "args": value([])})


def test_an_inner_binding_hides_the_outer_one_only_inside():
    inner = let(get("x"), x=value("inner"))
    assert run(let({"type": "concat", "args": [get("x"), inner, get("x")]}, x=value("outer"))) == [
        "outer",
        "inner",
        "outer",
    ]


def test_two_runs_of_one_plan_share_nothing():
    plan = compile_plan(let(get("y"), y=value([param("%1")])), parameters=1, bind=lambda _kind: None, max_parameters=9)

    async def both() -> list[Any]:
        return list(await asyncio.gather(*[plan.run(MemoryStatements(), [letter]) for letter in "ab"]))

    assert asyncio.run(both()) == [["a"], ["b"]]


def test_records_are_made_and_computed():
    record = {
        "type": "initializeRecord",
        "args": {
            "expr": statement("INSERT", kind="execute"),
            "fields": {"id": {"type": "lastInsertId"}, "n": {"type": "value", "value": 5}},
        },
    }
    assert run(record) == {"id": 42, "n": 5}
    operations = {
        "a": {"type": "add", "value": 2},
        "b": {"type": "subtract", "value": 2},
        "c": {"type": "multiply", "value": 2},
        "d": {"type": "divide", "value": 0},
        "e": {"type": "set", "value": "x"},
    }
    start = value({"a": 1, "b": 1, "c": 4, "d": 1})
    assert run({"type": "mapRecord", "args": {"expr": start, "fields": operations}}) == {
        "a": 3,
        "b": -1,
        "c": 8,
        "d": None,
        "e": "x",
    }


def test_children_join_their_parents_whatever_type_writes_the_key():
    child = {"child": value([{"p": "1", "n": "a"}]), "on": [["id", "p"]], "parentField": "c", "isRelationUnique": False}
    args = {"parent": value([{"id": 1}, {"id": 2}]), "children": [child], "canAssumeStrictEquality": False}
    assert run({"type": "join", "args": args}) == [{"id": 1, "c": [{"p": "1", "n": "a"}]}, {"id": 2, "c": []}]
    assert run({"type": "join", "args": {**args, "parent": value(None)}}) is None


def test_differences_and_conditions():
    diff = {"from": value([{"a": 1}, {"a": 2}]), "to": value([{"a": 2}]), "fields": ["a"]}
    assert run({"type": "diff", "args": diff}) == [{"a": 1}]
    rule = {"type": "rowCountNeq", "args": 0}
    branches = {"rule": rule, "then": value("some"), "else": value("none")}
    assert run({"type": "if", "args": {"value": value([1]), **branches}}) == "some"
    assert run({"type": "if", "args": {"value": value([]), **branches}}) == "none"


@pytest.mark.parametrize(
    ("identifier", "context", "error"),
    [
        ("RELATION_VIOLATION", {"relation": "r", "modelA": "A", "modelB": "B"}, RelationViolationError),
        ("RECORDS_NOT_CONNECTED", {"relation": "r", "parent": "A", "child": "B"}, RelationViolationError),
        (
            "INCOMPLETE_CONNECT_OUTPUT",
            {"expectedRows": 1, "relation": "r", "relationType": "t"},
            RelationViolationError,
        ),
        ("INCOMPLETE_CONNECT_INPUT", {"expectedRows": 1}, RecordNotFoundError),
        ("MISSING_RECORD", {"operation": "a delete"}, RecordNotFoundError),
        (
            "MISSING_RELATED_RECORD",
            {"model": "A", "relation": "r", "relationType": "t", "operation": "o"},
            RecordNotFoundError,
        ),
    ],
)
def test_each_rule_that_fails_has_its_error(identifier: str, context: dict[str, Any], error: type[Exception]):
    rules = [{"type": "rowCountEq", "args": 1}, {"type": "never"}]
    args = {"expr": value([1]), "rules": rules, "errorIdentifier": identifier, "context": context}
    with pytest.raises(error):
        run({"type": "validate", "args": args})
    assert run({"type": "validate", "args": {**args, "rules": [{"type": "affectedRowCountEq", "args": [1]}]}}) == [1]


def test_processing_pages_and_nests():
    inner: dict[str, Any] = {
        "pagination": None,
        "distinct": ["k"],
        "reverse": False,
        "linkingFields": None,
        "nested": {},
    }
    operations: dict[str, Any] = {
        "pagination": {"cursor": {"id": param("%1")}, "skip": 1, "take": 2},
        "distinct": None,
        "reverse": True,
        "linkingFields": None,
        "nested": {"c": inner},
    }
    rows = [{"id": number, "c": [{"k": 1}, {"k": 1}]} for number in range(6)]
    found = run({"type": "process", "args": {"expr": value(rows), "operations": operations}}, 1)
    assert [(row["id"], row["c"]) for row in found] == [(3, [{"k": 1}]), (2, [{"k": 1}])]
    assert run({"type": "process", "args": {"expr": value(None), "operations": operations}}, 1) is None


def test_statements_number_their_placeholders():
    on = MemoryStatements()
    run(statement("a = ", ONE, " b IN ", TUPLE, " c = ", ONE, args=["x", param("%1"), "y"]), [1, 2], on=on)
    run(statement("a IN ", TUPLE, args=[[]]), on=on)
    run(statement("VALUES ", TUPLES, args=[call("product", param("%1"), ["a", "b"])]), 1, on=on)
    assert on.asked == [
        ("a = $1 b IN ($2,$3) c = $4", ["x", 1, 2, "y"]),
        ("a IN (NULL)", []),
        ("VALUES ($1,$2),($3,$4)", [1, "a", 1, "b"]),
    ]


def test_too_many_values_are_cut_in_one_transaction():
    on = MemoryStatements()
    plan = statement("d ", ONE, " IN ", TUPLE, args=["x", param("%1")], kind="execute")
    assert run(plan, [1, 2, 3, 4, 5], on=on, limit=3) == 9
    assert [values for _, values in on.asked] == [[], ["x", 1, 2], ["x", 3, 4], ["x", 5], []]
    assert (on.asked[0][0], on.asked[-1][0]) == ("BEGIN", "COMMIT")
    rows = [[1, 2], [3, 4], [5, 6]]
    on = MemoryStatements()
    run(statement("VALUES ", TUPLES, args=[param("%1")]), rows, on=on, limit=4)
    assert [values for _, values in on.asked if values] == [[1, 2, 3, 4], [5, 6]]
    with pytest.raises(TooManyParametersError):
        run(statement("IN ", TUPLE, args=[param("%1")], chunkable=False), [1, 2, 3], limit=2)


def test_a_transaction_that_fails_is_rolled_back():
    on = MemoryStatements()
    failing = {"type": "seq", "args": [statement("INSERT", kind="execute"), {"type": "required", "args": value(None)}]}
    with pytest.raises(EngineError):
        run({"type": "transaction", "args": failing}, on=on)
    assert [sql for sql, _ in on.asked] == ["BEGIN", "INSERT", "ROLLBACK"]


def field(column: str, kind: str, arity: str = "optional", **more: Any) -> dict[str, Any]:
    return {"type": "field", "dbName": column, "fieldType": {"type": kind, "arity": arity, **more}}


def mapped(source: dict[str, Any], **fields: Any) -> dict[str, Any]:
    structure = {"type": "object", "serializedName": None, "skipNulls": False, "fields": fields}
    return {"type": "dataMap", "args": {"expr": source, "structure": structure, "enums": {"E": {"A_DB": "A"}}}}


def test_rows_and_records_map_alike():
    fields = {
        "n": field("n_db", "int"),
        "e": field("e", "enum", name="E"),
        "l": field("l", "bigint", "list"),
        "in": {"type": "object", "serializedName": None, "skipNulls": False, "fields": {"f": field("f", "float")}},
    }
    rows = [{"n_db": "5", "e": "A_DB", "l": ["9"], "f": 1}, {"n_db": None, "e": None, "l": None, "f": None}]
    expected: list[dict[str, Any]] = [
        {"n": 5, "e": "A", "l": [9], "in": {"f": 1.0}},
        {"n": None, "e": None, "l": [], "in": {"f": None}},
    ]
    assert run(mapped(value(rows), **fields)) == expected
    assert run(mapped(statement("SELECT"), **fields), on=MemoryStatements({"SELECT": rows})) == expected
    assert run(mapped(statement("SELECT"), **fields)) == []


def test_values_that_cannot_be_mapped_are_inconsistent_data():
    for name, kind, bad in [("a", "datetime", "yesterday"), ("a", "boolean", "perhaps"), ("b", "int", 1)]:
        with pytest.raises(InvalidValueError) as caught:
            run(mapped(value([{"a": bad}]), x=field(name, kind)))
        assert caught.value.code == "P2023"
    with pytest.raises(InvalidValueError, match="'Z' not found in enum 'E'"):
        run(mapped(value([{"a": "Z"}]), x=field("a", "enum", name="E")))


@pytest.mark.parametrize(
    "plan",
    [
        {"type": "teleport", "args": {}},
        get("nowhere"),
        value(call("horoscope")),
        value({"prisma__type": "riddle", "prisma__value": {}}),
        {"type": "if", "args": {"value": value(1), "rule": {"type": "moonFull"}, "then": value(1), "else": value(2)}},
        {"type": "validate", "args": {"expr": value(1), "rules": [], "errorIdentifier": "BAD_LUCK", "context": {}}},
        statement({"type": "parameterCube"}, args=[1]),
        {"type": "query", "args": {"type": "smokeSignal"}},
        mapped(value([]), x=field("a", "colour")),
        mapped(value([]), x={"type": "puzzle"}),
        {"type": "mapRecord", "args": {"expr": value({}), "fields": {"a": {"type": "root", "value": 1}}}},
        {"type": "initializeRecord", "args": {"expr": value({}), "fields": {"a": {"type": "guess"}}}},
    ],
)
def test_what_is_not_known_is_refused_when_the_plan_is_compiled(plan: dict[str, Any]):
    with pytest.raises(UnsupportedPlanError):
        compile_plan(plan, parameters=0, bind=lambda _kind: None, max_parameters=9)
