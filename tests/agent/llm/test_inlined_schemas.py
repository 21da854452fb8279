from __future__ import annotations

import pytest
from pydantic import BaseModel

from agent.llm.schemas import inline_references


class Line(BaseModel):
    sku: str
    quantity: int


class Order(BaseModel):
    lines: list[Line]
    first: Line


class Node(BaseModel):
    children: list[Node]


def test_references_are_written_out():
    schema = inline_references(Order.model_json_schema())
    line = Line.model_json_schema()
    assert schema["properties"]["first"] == line
    assert schema["properties"]["lines"]["items"] == line
    assert "$ref" not in str(schema)
    assert "$defs" not in schema


def test_what_stands_beside_a_reference_wins():
    definitions = {"A": {"type": "string", "description": "of A"}}
    schema = {"properties": {"a": {"$ref": "#/$defs/A", "description": "mine"}}, "$defs": definitions}
    assert inline_references(schema)["properties"]["a"] == {"type": "string", "description": "mine"}


def test_a_schema_that_contains_itself_cannot_be_written_out():
    with pytest.raises(ValueError, match="'Node' contains itself"):
        inline_references(Node.model_json_schema())
