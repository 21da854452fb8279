"""Conformance: every tool of the catalogue, on arrival."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from agent.grounding import Grounding
from agent.grounding.walk import leaves, schema_of
from tools.registry import AnyTool, catalog

TOOLS = list(catalog().values())
KNOWN = "cus_acme WID-1001 doc_k3f9xw2m inv_k3f9xw2m pay_k3f9xw2m 20.00 EUR ops@acme.example and 3 things https://a.example/x"


def shortest(schema: dict[str, Any]) -> Any:
    """A value that the schema accepts, as small as can be; every property is there."""
    match schema:
        case {"anyOf": [first, *_]}:
            return shortest(first)
        case {"enum": [first, *_]} | {"const": first}:
            return first
        case {"type": "object"}:
            return {name: shortest(inner) for name, inner in schema["properties"].items()}
        case {"type": "array"}:
            return [shortest(schema["items"])] * max(1, schema["minItems"])
        case {"type": "string", "format": "date"}:
            return "2026-11-23"
        case {"type": "string"}:
            return "x" * max(2, schema["minLength"])
        case {"type": "boolean"}:
            return True
        case _:
            return max(1, cast("int", schema.get("minimum", 1)))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_what_its_schema_allows_its_arguments_accept(tool: AnyTool):
    grounding = Grounding()
    grounding.observe_user(KNOWN)
    call, _ = grounding.step_schema([tool])["anyOf"]
    arguments = shortest(call["properties"][tool.name])
    tool.arguments.model_validate_json(json.dumps(arguments))
    assert grounding.unknown(tool, arguments) == []


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_argument_that_names_something_is_marked_in_arguments_and_results(tool: AnyTool):
    grounding = Grounding()
    grounding.observe_user(KNOWN)
    call, _ = grounding.step_schema([tool])["anyOf"]
    arguments = shortest(call["properties"][tool.name])
    marked = {leaf.path for leaf in leaves(arguments, schema_of(tool.arguments, "validation")) if leaf.mark}
    named = {
        leaf.path for leaf in leaves(arguments, schema_of(tool.arguments, "validation")) if leaf.value in KNOWN.split()
    }
    assert named <= marked
    assert "x-value" in json.dumps(schema_of(tool.result, "serialization")) or tool.results == "web"


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_it_can_name_nothing_while_nothing_is_known(tool: AnyTool):
    schema = json.dumps(Grounding().step_schema([tool]))
    assert all(value not in schema for value in KNOWN.split()[:5])
