"""Without a file: deny by default, roles add up, findings stand; as it was when policy was code."""

from __future__ import annotations

import pytest

from agent.policy import Decision, Request, default_policy
from agent.principal import ROLES, Role
from tests.support.policies import TOOLS
from tools.origin import MODEL, USER, Origin
from tools.registry import EFFECTS, Effect, catalog

TOOL_OF: dict[Effect, str] = {"read": "look_up", "write": "change", "money": "pay", "send": "mail"}
POLICY = default_policy()


def request(effect: Effect, *roles: Role, blocked: str = "") -> Request:
    return Request(TOOLS[TOOL_OF[effect]], {}, {}, frozenset(roles), blocked)


EXPECTED: list[tuple[Role, list[Decision]]] = [
    ("viewer", ["allow", "refuse", "refuse", "refuse"]),
    ("clerk", ["allow", "allow", "ask", "ask"]),
    ("approver", ["allow", "refuse", "refuse", "refuse"]),
    ("admin", ["allow", "allow", "ask", "ask"]),
]


@pytest.mark.parametrize(("role", "decisions"), EXPECTED)
def test_a_role_may_do_what_its_line_says(role: Role, decisions: list[Decision]):
    assert [POLICY.decide(request(effect, role)).decision for effect in EFFECTS] == decisions


def test_every_role_has_a_line():
    assert {role for one in POLICY.data.capabilities for role in one.roles} == set(ROLES)


def test_without_a_role_everything_is_refused_and_hidden():
    for effect in EFFECTS:
        assert POLICY.decide(request(effect)).decision == "refuse"
        assert not POLICY.may_see(TOOLS[TOOL_OF[effect]], frozenset())


def test_roles_add_up():
    assert POLICY.decide(request("write", "viewer", "clerk")).decision == "allow"


@pytest.mark.parametrize("effect", ["write", "money", "send"])
def test_blocking_findings_refuse_every_effect_of_every_role(effect: Effect):
    verdict = POLICY.decide(request(effect, *ROLES, blocked="found something"))
    assert (verdict.decision, verdict.rule) == ("refuse", "no_effects_after_blocking_findings")
    assert verdict.reason == "found something"
    assert not POLICY.offers(TOOLS[TOOL_OF[effect]], frozenset(ROLES), blocked="found something")
    assert POLICY.may_see(TOOLS[TOOL_OF[effect]], frozenset(ROLES))


def test_blocking_findings_leave_reading_alone():
    assert POLICY.decide(request("read", "clerk", blocked="found something")).decision == "allow"


@pytest.mark.parametrize(
    ("origin", "decision"),
    [
        (MODEL, "refuse"),
        (USER, "allow"),
        (Origin("record", "invoice.customer_name"), "allow"),
        (Origin("document", "doc_7"), "allow"),
    ],
)
def test_a_customer_is_looked_up_by_a_name_that_somebody_said(origin: Origin, decision: Decision):
    """A small model takes names from the examples of its prompt."""
    tool = catalog()["find_customer"]
    verdict = POLICY.decide(Request(tool, {"query": "Ex Ltd"}, {"query": origin}, frozenset({"viewer"})))
    assert verdict.decision == decision
    assert (verdict.rule == "customers_are_looked_up_by_what_was_said") == (decision == "refuse")
