"""What is wrong with a policy is told with its line before anything starts; nothing in it is without effect."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import orjson
import pytest

from agent.policy import InvalidPolicy, default_policy, load_policy
from agent.policy.load import parse_policy
from agent.policy.model import json_schema
from tests.support.policies import TOOLS

SCHEMA = Path(__file__).parents[3] / "agent" / "policy" / "policy.schema.json"
HEAD = "version: 1\ncapabilities:\n  - {roles: [clerk], verdict: allow}\nrules:\n"


def complaint(text: str) -> str:
    """The one thing that is wrong."""
    with pytest.raises(InvalidPolicy) as raised:
        parse_policy(dedent(text).lstrip().encode(), "policy.yaml", TOOLS)
    assert raised.value.code == "invalid_policy"
    [told] = raised.value.complaints
    return told


def rule(**parts: str) -> str:
    """A policy with one rule, its parts on lines 5 and further."""
    parts = {"name": "one_rule", "verdict": "refuse", "reason": "No.", **parts}
    lines = [f"{name}: {value}" for name, value in parts.items()]
    return HEAD + "  - " + "\n    ".join(lines) + "\n"


WRONG = {
    "not yaml": (rule(reason='"No'), 8, "It is not YAML: found unexpected end of stream."),
    "not a policy": ("[1, 2]", 1, "Input should be a valid dictionary"),
    "no version": ("capabilities: []", 1, "version: Field required"),
    "a version to come": ("version: 2\ncapabilities: []", 1, "version: Input should be 1"),
    "a key twice": ("version: 1\ncapabilities: []\nversion: 1", 3, "'version' is there twice."),
    "an alias": ("version: 1\ncapabilities: &a []\nrules: *a", 2, "Aliases (*name) are not taken"),
    "an unknown key": (rule(wen="{}"), 8, "rules.0.wen: Extra inputs are not permitted"),
    "an unknown role": (rule(roles="[cleric]"), 8, "rules.0.roles.0: Input should be 'viewer'"),
    "an empty list": (rule(tools="[]"), 8, "rules.0.tools: List should have at least 1 item"),
    "an unknown tool": (rule(tools="[pay, take_paymet]"), 8, "There is no tool 'take_paymet'; there are: "),
    "an unknown argument": (
        rule(tools="[pay]", require_origin="{custmer: [user]}"),
        9,
        "rule 'one_rule': no tool that it is about has an argument 'custmer'; there are: customer, note.",
    ),
    "an unknown nested argument": (rule(tools="[draft_invoice]", when='{"lines[*].cost": {gt: 1}}'), 9, "no tool that"),
    "an index": (rule(when='{"lines[0].price": {gt: 1}}'), 8, "String should match pattern"),
    "an unknown origin": (rule(require_origin="{customer: [usr]}"), 8, "'usr' is not an origin"),
    "a predicate that says nothing": (rule(when="{customer: {}}"), 8, "says nothing; give one of eq, in"),
    "an amount without a currency": (rule(when="{amount: {gt: '100'}}"), 8, "is not an amount with its currency"),
    "a broken regular expression": (rule(when="{note: {matches: '('}}"), 8, "is not a regular expression"),
    "an unknown flow": (
        rule(after_reading="[documents]"),
        8,
        "'documents' is neither a tool nor 'document' nor 'web'.",
    ),
    "a limit of nothing": (rule(limit="{within: 1h}"), 8, "give either calls or total"),
    "a sum of nothing": (rule(limit="{within: 1h, total: 1.00 EUR}"), 8, "total and of belong together"),
    "a time without a unit": (
        rule(limit="{within: 60, calls: 1}"),
        8,
        "rules.0.limit.within: Input should be a valid string",
    ),
    "a rule that grants": (rule(verdict="allow"), 6, "rules.0.verdict: Input should be 'ask' or 'refuse'"),
    "a taken name": (rule(name="role_may_use_tool"), 1, "the name 'role_may_use_tool' is taken"),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_is_told_where_it_is_wrong_and_why(what: str):
    text, line, message = WRONG[what]
    told = complaint(text)
    assert told.startswith(f"policy.yaml:{line}: ")
    assert message in told


def test_two_rules_of_one_name_are_an_error():
    twice = rule() + "  - {name: one_rule, verdict: ask, reason: Ask.}\n"
    assert "two rules are called 'one_rule'" in complaint(twice)


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(InvalidPolicy) as raised:
        parse_policy(rule(roles="[cleric]", wen="{}").encode(), "policy.yaml", TOOLS)
    assert [told.split(":")[1] for told in raised.value.complaints] == ["8", "9"]


def test_a_file_that_is_not_there_is_an_error_and_none_is_the_built_in(tmp_path: Path):
    with pytest.raises(InvalidPolicy, match="No such file"):
        load_policy(tmp_path / "policy.yaml", TOOLS)
    assert load_policy(None, TOOLS) is default_policy()


def test_a_file_that_is_right_is_in_force(tmp_path: Path):
    path = tmp_path / "policy.yaml"
    path.write_text(rule(tools="[pay]"))
    assert [one.name for one in load_policy(path, TOOLS).rules_about(TOOLS["pay"])] == ["one_rule"]
    assert load_policy(path, TOOLS).rules_about(TOOLS["mail"]) == []


def test_the_schema_for_editors_is_current():
    """Else: python -m agent.policy"""
    assert orjson.loads(SCHEMA.read_bytes()) == json_schema()
