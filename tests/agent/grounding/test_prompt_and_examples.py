from __future__ import annotations

from datetime import date

import pytest

from agent.grounding import Grounding, prompt
from agent.grounding.examples import EXAMPLES, Example
from agent.grounding.prompt import signature
from tests.support.office_tools import OFFICE, draft_invoice, find_customer, list_invoices
from tools.registry import catalog

EVERYTHING = list(catalog().values())
DAY = date(2026, 11, 23)


def text(messages: object) -> str:
    return str(messages)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.request[:40])
def test_an_example_calls_tools_as_they_are(example: Example):
    for did in example.calls:
        catalog()[did.tool].arguments.model_validate(did.arguments)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.request[:40])
def test_an_example_copies_what_it_names_from_what_came_before_it(example: Example):
    grounding = Grounding()
    grounding.observe_user("cus_0a" if "customer" not in example.request else "")  # known from an example before
    grounding.observe_user(example.request)
    for did in example.calls:
        assert grounding.unknown(catalog()[did.tool], did.arguments) == []
        grounding.observe_user(did.result)


def test_every_kind_of_end_is_shown():
    answers = [example.answer for example in EXAMPLES]
    assert any(example.calls and example.calls[-1].tool == "take_payment" for example in EXAMPLES)
    assert any("blocking" in did.result and "true" in did.result for example in EXAMPLES for did in example.calls)
    assert any(not example.calls and answer.endswith("?") for example, answer in zip(EXAMPLES, answers, strict=True))
    assert any(did.result.startswith("A person said no") for example in EXAMPLES for did in example.calls)


def test_what_an_example_names_is_known_to_nobody():
    prompt(EVERYTHING, company="ACME", today=DAY)
    grounding = Grounding()
    grounding.observe_user("Issue the invoice")
    assert grounding.unknown(catalog()["issue_invoice"], {"invoice": "inv_0a"}) == ["invoice"]


def test_the_prefix_is_the_same_all_day_and_changes_only_at_its_end():
    monday = prompt(EVERYTHING, company="ACME", today=DAY)
    tuesday = prompt(EVERYTHING, company="ACME", today=date(2026, 11, 24))
    assert monday == prompt(EVERYTHING, company="ACME", today=DAY)
    assert monday[:-1] == tuesday[:-1]
    assert monday[-1].content.startswith("Today is 2026-11-23.")


def test_a_tool_that_the_role_may_not_use_is_nowhere_in_the_prompt():
    readers = [tool for tool in EVERYTHING if tool.effect == "read"]
    written = text(prompt(readers, company="ACME", today=DAY))
    for tool in EVERYTHING:
        assert (tool.name in written) == (tool in readers)


def test_a_model_with_tools_of_its_own_is_shown_neither_form_nor_examples():
    written = prompt(EVERYTHING, company="ACME", today=DAY, native=True)
    assert [message.role for message in written] == ["system", "system"]
    assert "JSON" not in text(written)


def test_the_prefix_is_short():
    characters = sum(len(message.content) for message in prompt(EVERYTHING, company="ACME", today=DAY))
    assert characters < 7_400  # about 2,400 tokens of the embedded model, read once and kept


def test_a_tool_is_listed_with_the_shape_of_its_arguments():
    assert signature(find_customer) == "find_customer(query)"
    assert signature(list_invoices) == "list_invoices(customer?, status?: draft|issued|paid)"
    assert signature(draft_invoice) == "draft_invoice(customer, lines: [{product, quantity, price?}], note?)"
    assert "draft_invoice" in text(prompt(OFFICE, company="ACME", today=DAY))
