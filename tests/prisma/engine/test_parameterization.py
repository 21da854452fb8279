"""Which values leave an operation, so that its plan serves others of its shape."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
import pytest

from prisma.engine.datasource import with_provider
from prisma.engine.param_graph import ParamGraph, load_param_graph
from prisma.engine.parameterize import Parameterizer, constant
from prisma.engine.plan.compile import compile_plan
from prisma.engine.plan_cache import LARGE_SHAPE, PlanCache
from prisma.errors import InputError
from tests.support.library_database import COMMON, query


@pytest.fixture(scope="module")
def graph() -> ParamGraph:
    return load_param_graph(COMMON)


def shape(graph: ParamGraph, model: str, action: str, **arguments: Any) -> tuple[dict[str, Any], list[Any]]:
    parameterizer = Parameterizer(graph)
    operation = query(model, action, **arguments)
    made = orjson.loads(parameterizer.shape(model, action, operation["query"]))
    return made["query"]["arguments"], parameterizer.values


def placeholder(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"$type": "Param", "value": {"name": f"%{number}", "type": kind, **more}}


def test_filters_become_placeholders_and_what_shapes_the_query_stays(graph: ParamGraph):
    arguments, values = shape(
        graph, "User", "findMany", where={"age": {"gt": 5}, "name": None}, take=3, orderBy={"id": "asc"}
    )
    assert arguments == {
        "where": {"age": {"gt": placeholder(1, "Int")}, "name": None},
        "take": 3,
        "orderBy": {"id": "asc"},
    }
    assert values == [5]


@pytest.mark.parametrize("comparison", ["lt", "lte", "gt", "gte"])
def test_json_is_compared_with_a_scalar_in_the_shape(comparison: str):
    """The compiler panics on a placeholder there. (SQLite has no such filter.)"""
    graph = load_param_graph(with_provider(COMMON, "postgresql"))
    for text, bare in (("5", 5), ('"Z"', "Z"), ("true", True)):
        where = {"meta": {comparison: {"$type": "Json", "value": text}}}
        assert shape(graph, "User", "findMany", where=where) == ({"where": {"meta": {comparison: bare}}}, [])
    for operator in ("equals", "not", "array_starts_with"):
        _, values = shape(graph, "User", "findMany", where={"meta": {operator: {"$type": "Json", "value": "5"}}})
        assert values == ["5"]


def test_equal_values_of_one_type_share_a_placeholder(graph: ParamGraph):
    _, values = shape(graph, "User", "createOne", data={"email": "a", "name": "a", "age": 1, "score": 1.0})
    assert values == ["a", 1, 1.0]


def test_true_and_one_do_not_share(graph: ParamGraph):
    _, values = shape(graph, "User", "createOne", data={"email": "a", "active": True, "age": 1})
    assert values == ["a", True, 1]


def test_every_python_type_has_its_placeholder(graph: ParamGraph):
    class Shade(StrEnum):
        DARK = "blue"

    moment = datetime(2024, 1, 1, tzinfo=UTC)
    data = {
        "email": "e",
        "balance": 2**40,
        "amount": 3,
        "born": date(2024, 1, 1),
        "avatar": bytearray(b"x"),
        "meta": {"d": moment, "n": Decimal("1.5")},
        "color": Shade.DARK,
    }
    arguments, values = shape(graph, "User", "createOne", data=data)
    kinds = {name: value["value"]["type"] for name, value in arguments["data"].items()}
    assert kinds == {
        "email": "String",
        "balance": "BigInt",
        "amount": "Float",
        "born": "DateTime",
        "avatar": "Bytes",
        "meta": "Json",
        "color": "Enum",
    }
    assert values == ["e", 2**40, Decimal(3), moment, b"x", '{"d":"2024-01-01T00:00:00+00:00","n":"1.5"}', "BLUE"]


def test_lists_are_one_placeholder_and_empty_ones_stay(graph: ParamGraph):
    arguments, values = shape(graph, "User", "findMany", where={"balance": {"in": [1, 2**40]}, "age": {"in": []}})
    assert arguments["where"]["balance"] == {"in": placeholder(1, "List", inner={"type": "BigInt"})}
    assert arguments["where"]["age"] == {"in": []}
    assert values == [[1, 2**40]]


def test_nested_selections_have_placeholders_too(graph: ParamGraph):
    parameterizer = Parameterizer(graph)
    selection = {"posts": {"arguments": {"where": {"title": "t"}, "take": 1}, "selection": {"id": True}}}
    made = orjson.loads(parameterizer.shape("User", "findMany", {"arguments": {}, "selection": selection}))
    assert made["query"]["selection"]["posts"]["arguments"] == {
        "where": {"title": placeholder(1, "String")},
        "take": 1,
    }


def test_values_of_a_wrong_type_stay_for_the_compiler_to_refuse(graph: ParamGraph):
    arguments, values = shape(graph, "User", "findMany", where={"age": "old", "nosuch": 2**60})
    assert arguments["where"] == {"age": "old", "nosuch": {"$type": "BigInt", "value": str(2**60)}}
    assert values == []


def test_constants_are_written_as_tagged_scalars():
    assert constant(datetime(2024, 1, 1, tzinfo=UTC)) == {"$type": "DateTime", "value": "2024-01-01T00:00:00.000Z"}
    assert constant([Decimal("1.50"), b"a"]) == [
        {"$type": "Decimal", "value": "1.50"},
        {"$type": "Bytes", "value": "YQ=="},
    ]
    for bad in (float("nan"), float("inf"), object()):
        with pytest.raises(InputError):
            constant(bad)


def test_the_graph_survives_its_file(graph: ParamGraph):
    again = ParamGraph.from_json(graph.to_json())
    assert again.to_json() == graph.to_json()
    with pytest.raises(ValueError, match="format 0"):
        ParamGraph.from_json(b"[0]")


def test_the_cache_of_plans_is_bounded_and_forgets_the_oldest():
    plan = compile_plan({"type": "unit"}, parameters=0, bind=lambda _kind: None, max_parameters=1)
    cache = PlanCache(2)
    cache.put(b"a", plan)
    cache.put(b"b", plan)
    assert cache.get(b"a") is plan
    cache.put(b"c", plan)
    assert [cache.get(shape) is not None for shape in (b"a", b"b", b"c")] == [True, False, True]
    cache.put(b"x" * (LARGE_SHAPE + 1), plan)
    assert len(cache) == 2
