from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, cast

import pytest
from pydantic import BaseModel, ConfigDict, Field

from agent.grounding import Grounding
from agent.grounding.schema import MAX_ANSWER, MAX_CHOICES, MAX_LINES, MAX_TEXT
from agent.grounding.turn import MAX_LOOKUPS
from tests.support.office_tools import (
    OFFICE,
    Content,
    Customers,
    InvoiceRecord,
    draft_invoice,
    find_customer,
    get_customer,
    issue_invoice,
    list_invoices,
    read_document,
)
from tools.money import Money
from tools.registry import AnyTool
from tools.values import Customer, Document, Ref

ALWAYS = {"find_customer", "list_invoices", "search_web"}
ISSUED = InvoiceRecord(
    id=Ref("inv_a"), number=Ref("INV-2026-0001"), customer=Ref("cus_acme"), total=Money(100_00, "EUR")
)


def possible(grounding: Grounding, tools: list[AnyTool] = OFFICE) -> dict[str, dict[str, Any]]:
    """Arguments' schema by the name of each tool that a step may call."""
    *calls, answer = grounding.step_schema(tools)["anyOf"]
    assert list(answer["properties"]) == ["answer"]
    return {name: arguments for call in calls for name, arguments in call["properties"].items()}


def nodes(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        found = cast("dict[str, Any]", schema)
        yield found
        for inner in found.values():
            yield from nodes(inner)
    elif isinstance(schema, list):
        for inner in cast("list[Any]", schema):
            yield from nodes(inner)


def spoken(text: str) -> Grounding:
    grounding = Grounding()
    grounding.observe_user(text)
    return grounding


def test_a_tool_whose_reference_is_not_known_is_not_offered():
    assert set(possible(spoken("hello"))) == ALWAYS
    assert set(possible(spoken("who is cus_acme?"))) == {*ALWAYS, "get_customer"}
    assert [tool.name for tool in spoken("hello").offered([get_customer, find_customer])] == ["find_customer"]


def test_a_reference_can_only_be_one_that_is_known():
    arguments = possible(spoken("cus_acme or cus_globex"))["get_customer"]
    assert arguments["properties"] == {"customer": {"type": "string", "enum": ["cus_acme", "cus_globex"]}}


def test_an_optional_reference_is_dropped_while_nothing_is_known():
    assert set(possible(spoken("hello"))["list_invoices"]["properties"]) == {"status"}
    assert set(possible(spoken("cus_acme"))["list_invoices"]["properties"]) == {"customer", "status"}


def test_a_list_of_lines_is_limited_within():
    draft = possible(spoken("cus_acme wants 2 PC-1001 at 20 EUR"))["draft_invoice"]
    lines = draft["properties"]["lines"]
    assert (lines["minItems"], lines["maxItems"]) == (1, MAX_LINES)
    assert lines["items"]["properties"]["product"] == {"type": "string", "enum": ["PC-1001"]}
    assert lines["items"]["properties"]["price"] == {"type": "string", "enum": ["20.00 EUR"]}
    assert lines["items"]["required"] == ["product", "quantity"]


def test_lines_that_cannot_be_written_take_their_tool_with_them():
    assert "draft_invoice" not in possible(spoken("an invoice for cus_acme"))


def test_nothing_known_leaves_the_answer():
    assert possible(spoken("hello"), [get_customer]) == {}


def test_the_choice_of_values_is_bounded_and_keeps_the_latest():
    grounding = spoken(" ".join(f"cus_{number}" for number in range(100)))
    choices = possible(grounding)["get_customer"]["properties"]["customer"]["enum"]
    assert choices == [f"cus_{number}" for number in range(100 - MAX_CHOICES, 100)]


def test_every_string_and_list_is_bounded_and_nothing_is_left_that_a_decoder_refuses():
    schema = spoken("cus_acme wants 2 PC-1001 at 20 EUR, doc_7 inv_a").step_schema(OFFICE)
    for node in nodes(schema):
        assert not {"$ref", "$defs", "allOf", "oneOf", "x-value", "pattern", "title", "default"} & set(node)
        if node.get("type") == "string" and "enum" not in node:
            assert node["maxLength"] <= max(MAX_TEXT, MAX_ANSWER)
        if node.get("type") == "array":
            assert node["maxItems"] <= MAX_LINES
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert set(node["required"]) <= set(node["properties"])


def test_a_model_with_tools_of_its_own_is_given_the_same_limits_and_the_descriptions():
    grounding = spoken("cus_acme")
    specs = {spec.name: spec for spec in grounding.tool_specs(OFFICE)}
    assert set(specs) == {*ALWAYS, "get_customer"}
    assert specs["get_customer"].parameters["properties"]["customer"]["enum"] == ["cus_acme"]
    assert specs["find_customer"].parameters["properties"]["query"]["description"] == "Name or e-mail address."
    assert specs["find_customer"].description == "Find customers by name."


def test_what_such_a_model_makes_up_is_told_by_its_path():
    grounding = spoken("cus_acme wants PC-1001")
    made_up = {"customer": "cus_other", "lines": [{"product": "PC-1001", "quantity": 1, "price": "1.00 EUR"}]}
    assert grounding.unknown(draft_invoice, made_up) == ["customer", "lines[0].price"]


def test_an_invoice_is_issued_once_in_a_turn_whatever_it_is_called():
    grounding = spoken("issue inv_a and inv_b")
    grounding.observe_call(issue_invoice, {"invoice": "inv_a"})
    grounding.observe_result(issue_invoice, ISSUED)
    assert possible(grounding)["issue_invoice"]["properties"]["invoice"]["enum"] == ["inv_b"]
    grounding.observe_call(issue_invoice, {"invoice": "inv_b"})
    assert "issue_invoice" not in possible(grounding)
    grounding.observe_user("once more")
    assert set(possible(grounding)["issue_invoice"]["properties"]["invoice"]["enum"]) == {
        "inv_a",
        "inv_b",
        "INV-2026-0001",
    }


def test_a_call_that_can_be_mended_may_be_made_again():
    grounding = spoken("invoice cus_acme 2 x PC-1001")
    call = {"customer": "cus_acme", "lines": [{"product": "PC-1001", "quantity": 2}]}
    grounding.observe_call(draft_invoice, call, retry=True)
    assert "draft_invoice" in possible(grounding)
    grounding.observe_call(draft_invoice, call)
    assert "draft_invoice" not in possible(grounding)


def test_an_order_that_cannot_be_invoiced_leaves_its_customer_free():
    class Draft(BaseModel):
        customer: Ref[Customer]
        order: Ref[Document] | None = None

    draft = replace(draft_invoice, arguments=Draft)
    grounding = spoken("invoice cus_acme for doc_7 or doc_8")
    grounding.observe_call(draft, {"customer": "cus_acme", "order": "doc_7"})
    assert possible(grounding, [draft])["draft_invoice"]["properties"]["order"]["enum"] == ["doc_8"]
    grounding.observe_call(draft, {"customer": "cus_acme", "order": "doc_8"})
    grounding.observe_result(draft, ISSUED)
    assert possible(grounding, [draft]) == {}


def test_a_record_is_read_once_until_something_was_written():
    grounding = spoken("cus_acme inv_a")
    grounding.observe_call(get_customer, {"customer": "cus_acme"})
    assert "get_customer" not in possible(grounding)
    grounding.observe_call(issue_invoice, {"invoice": "inv_a"})
    grounding.observe_result(issue_invoice, ISSUED)
    assert "get_customer" in possible(grounding)


def test_a_reference_beside_other_arguments_may_be_asked_for_again():
    grounding = spoken("cus_acme")
    grounding.observe_call(list_invoices, {"customer": "cus_acme", "status": "draft"})
    assert possible(grounding)["list_invoices"]["properties"]["customer"]["enum"] == ["cus_acme"]


def test_looking_up_the_same_thing_over_and_over_comes_to_an_end():
    grounding = spoken("find them")
    for number in range(MAX_LOOKUPS):
        assert "find_customer" in possible(grounding)
        grounding.observe_call(find_customer, {"query": str(number)})
        grounding.observe_result(find_customer, Customers(customers=[]))
    assert "find_customer" not in possible(grounding)


def test_a_value_that_must_be_the_persons_is_not_taken_from_a_record():
    class Payment(BaseModel):
        amount: Annotated[Money | None, Field(json_schema_extra={"x-origin": "user"})] = None
        limit: Money | None = None

    taken = replace(find_customer, arguments=Payment)
    grounding = spoken("take 20 EUR")
    grounding.observe_result(issue_invoice, ISSUED)
    properties = possible(grounding, [taken])["find_customer"]["properties"]
    assert properties["amount"]["enum"] == ["20.00 EUR"]
    assert properties["limit"]["enum"] == ["20.00 EUR", "100.00 EUR"]
    assert set(possible(Grounding(), [taken])["find_customer"]["properties"]) == set()


def test_of_arguments_that_exclude_each_other_a_step_has_one():
    class Draft(BaseModel):
        model_config = ConfigDict(json_schema_extra={"x-one-of": ["order", "note"]})
        order: Ref[Document] | None = None
        note: str | None = None
        days: int = 30

    draft = replace(find_customer, arguments=Draft)
    forms = possible(spoken("doc_7"), [draft])["find_customer"]["anyOf"]
    assert [(set(form["properties"]), form["required"]) for form in forms] == [
        ({"order", "days"}, ["order"]),
        ({"note", "days"}, ["note"]),
    ]
    assert possible(spoken("hello"), [draft])["find_customer"]["required"] == ["note"]
    assert len(possible(spoken("doc_7"), [draft])["find_customer"]["anyOf"]) == 2
    attached = spoken("see doc_7, and this")
    attached.observe_document("doc_8")
    (only,) = [possible(attached, [draft])["find_customer"]]
    assert (only["properties"]["order"]["enum"], only["required"]) == (["doc_8"], ["order"])
    attached.observe_user("and now by hand")
    assert len(possible(attached, [draft])["find_customer"]["anyOf"]) == 2
    (spec,) = spoken("doc_7").tool_specs([draft])
    assert set(spec.parameters["properties"]) == {"order", "note", "days"}


def test_a_value_that_must_have_been_checked_is_offered_after_the_check():
    class Draft(BaseModel):
        model_config = ConfigDict(json_schema_extra={"x-one-of": ["order", "note"]})
        order: Annotated[Ref[Document] | None, Field(json_schema_extra={"x-after": "read_document"})] = None
        note: str | None = None

    draft = replace(draft_invoice, arguments=Draft)
    grounding = spoken("invoice this")
    grounding.observe_document("doc_7")
    assert possible(grounding, [draft]) == {}
    grounding.observe_call(read_document, {"document": "doc_7"})
    grounding.observe_result(read_document, Content(document=Ref("doc_7")))
    assert possible(grounding, [draft])["draft_invoice"]["required"] == ["order"]


def test_a_document_that_is_of_no_use_leaves_the_other_way():
    class Draft(BaseModel):
        model_config = ConfigDict(json_schema_extra={"x-one-of": ["order", "note"]})
        order: Annotated[Ref[Document] | None, Field(json_schema_extra={"x-after": "read_document"})] = None
        note: str | None = None

    draft = replace(draft_invoice, arguments=Draft)
    grounding = spoken("invoice this")
    grounding.observe_document("doc_7")
    grounding.observe_call(read_document, {"document": "doc_7"})
    assert possible(grounding, [draft])["draft_invoice"]["required"] == ["note"]


def test_an_argument_that_no_decoder_can_write_is_refused_by_name():
    class Odd(BaseModel):
        anything: object

    odd = replace(find_customer, arguments=Odd)
    with pytest.raises(TypeError, match="argument of JSON type None cannot be decoded"):
        Grounding().step_schema([odd])
