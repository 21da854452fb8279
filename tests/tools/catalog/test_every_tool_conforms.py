"""What holds for every tool, on arrival."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

import tools.catalog
from tools.context import ToolContext
from tools.registry import EFFECTS, AnyTool, catalog

TOOLS = catalog()
EFFECT_OF = {
    "find_customer": "read",
    "get_customer": "read",
    "list_products": "read",
    "read_document": "read",
    "check_purchase_order": "read",
    "list_invoices": "read",
    "web_search": "read",
    "read_web_page": "read",
    "draft_invoice": "write",
    "issue_invoice": "write",
    "take_payment": "money",
}
MAX_ARGUMENTS = 4
MAX_DEPTH = 2  # a list of objects, whose fields are plain


@pytest.fixture(params=list(TOOLS.values()), ids=list(TOOLS))
def tool(request: pytest.FixtureRequest) -> AnyTool:
    return request.param


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every pydantic model that a type reaches."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    else:
        for inner in get_args(annotation):
            yield from models(inner)


def scalars(annotation: Any) -> Iterator[Any]:
    """The types at the ends of an annotation, unions and lists taken apart."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType, list, tuple, dict):
        for inner in get_args(annotation):
            yield from scalars(inner)
    elif origin is not Literal:
        yield annotation


def depth(model: type[BaseModel]) -> int:
    inner = [depth(found) for field in model.model_fields.values() for found in set(models(field.annotation)) - {model}]
    return 1 + max(inner, default=0)


def test_the_folder_holds_the_tools_that_the_issue_names():
    files = {file.stem for file in Path(tools.catalog.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == set(TOOLS) == set(EFFECT_OF)


def test_its_name_is_verb_noun_and_its_effect_is_what_it_should_be(tool: AnyTool):
    assert re.fullmatch(r"[a-z]+_[a-z_]+", tool.name)
    assert tool.effect in EFFECTS
    assert tool.effect == EFFECT_OF[tool.name]


def test_it_says_in_one_short_line_what_it_does(tool: AnyTool):
    first = tool.description.split("\n\n")[0]
    assert first.endswith(".")
    assert len(first) <= 130
    assert "\n" not in first


def test_it_has_a_timeout_that_a_person_would_wait(tool: AnyTool):
    assert 1.0 <= tool.timeout <= 30.0


def test_its_arguments_are_few_flat_and_each_is_described_with_a_full_stop(tool: AnyTool):
    assert len(tool.arguments.model_fields) <= MAX_ARGUMENTS
    assert depth(tool.arguments) <= MAX_DEPTH
    for model in models(tool.arguments):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} is not described"
            assert len(field.description) <= 100, f"{model.__name__}.{name}"
            assert field.description.endswith(".")


def test_its_models_say_what_they_are(tool: AnyTool):
    for model in {*models(tool.arguments), *models(tool.result)}:
        assert model.__doc__, model.__name__


def test_no_float_is_anywhere(tool: AnyTool):
    for model in {*models(tool.arguments), *models(tool.result)}:
        for name, field in model.model_fields.items():
            assert float not in set(scalars(field.annotation)), f"{model.__name__}.{name}"


def test_its_schemas_are_plain_json_and_every_free_text_of_its_arguments_is_bounded(tool: AnyTool):
    schema = tool.arguments.model_json_schema()
    assert schema["type"] == "object"
    tool.result.model_json_schema(mode="serialization")
    for model in (schema, *schema.get("$defs", {}).values()):
        for name, field in model.get("properties", {}).items():
            for option in field.get("anyOf", [field]):
                if option.get("type") == "string" and "enum" not in option and "x-value" not in option:
                    assert "maxLength" in option, name
                if option.get("type") == "array":
                    assert "maxItems" in option, name


def test_what_it_needs_is_a_part_of_the_context_that_may_be_missing(tool: AnyTool):
    for need in tool.needs:
        assert ToolContext.__dataclass_fields__[need].default is None


def test_untrusted_text_is_marked_where_it_comes_from():
    assert {name: tool.results for name, tool in TOOLS.items() if tool.results != "record"} == {
        "read_document": "document",
        "check_purchase_order": "document",
        "web_search": "web",
        "read_web_page": "web",
    }


def test_only_searching_needs_something_that_may_be_off():
    assert {name: tool.needs for name, tool in TOOLS.items() if tool.needs} == {
        "web_search": ("search",),
        "read_web_page": ("search", "web"),
    }


def test_a_tool_that_goes_to_an_address_says_so():
    egress = {name: tool.egress for name, tool in TOOLS.items() if tool.egress}
    assert egress == {"read_web_page": "url"}
    for name, tool in TOOLS.items():
        urls = [
            field
            for field, schema in tool.arguments.model_json_schema()["properties"].items()
            if schema.get("x-value") == "url"
        ]
        assert urls == [egress[name]] if name in egress else not urls
