"""Policy alone: deny by default, the strictest wins, roles add up, findings stand."""

from __future__ import annotations

import pytest

from agent.policy import CAPABILITIES, Decision, Policy, Request, Rule, Verdict
from agent.principal import ROLES, Role
from tests.support.desk_tools import Desk, desk_tools
from tools.registry import EFFECTS, Effect

TOOLS = desk_tools(Desk())
TOOL_OF: dict[Effect, str] = {"read": "look_up", "write": "change", "money": "pay", "send": "mail"}


def request(effect: Effect, *roles: Role, blocked: str = "") -> Request:
    return Request(TOOLS[TOOL_OF[effect]], {}, {}, frozenset(roles), blocked)


def always(verdict: Verdict) -> Rule:
    return lambda request: verdict


EXPECTED: list[tuple[Role, list[Decision]]] = [
    ("viewer", ["allow", "refuse", "refuse", "refuse"]),
    ("clerk", ["allow", "allow", "ask", "ask"]),
    ("approver", ["allow", "refuse", "refuse", "refuse"]),
    ("admin", ["allow", "allow", "ask", "ask"]),
]


@pytest.mark.parametrize(("role", "decisions"), EXPECTED)
def test_a_role_may_do_what_its_line_says(role: Role, decisions: list[Decision]):
    assert [Policy().decide(request(effect, role)).decision for effect in EFFECTS] == decisions


def test_every_role_has_a_line():
    assert set(CAPABILITIES) == set(ROLES) == {role for role, _ in EXPECTED}


def test_without_a_role_everything_is_refused_and_hidden():
    for effect in EFFECTS:
        assert Policy().decide(request(effect)).decision == "refuse"
        assert not Policy().may_see(TOOLS[TOOL_OF[effect]], frozenset())


def test_roles_add_up():
    assert Policy().decide(request("write", "viewer", "clerk")).decision == "allow"


def test_without_rules_everything_is_refused():
    verdict = Policy(rules=()).decide(request("read", "admin"))
    assert (verdict.decision, verdict.rule) == ("refuse", "deny_by_default")


def test_the_strictest_verdict_wins_whatever_the_order():
    verdicts = [Verdict("allow", "a", ""), Verdict("refuse", "r", ""), Verdict("ask", "q", "")]
    for turn in range(3):
        rules = [always(verdict) for verdict in verdicts[turn:] + verdicts[:turn]]
        assert Policy(rules=rules).decide(request("read", "admin")).rule == "r"


@pytest.mark.parametrize("effect", ["write", "money", "send"])
def test_blocking_findings_refuse_every_effect_of_every_role(effect: Effect):
    verdict = Policy().decide(request(effect, *ROLES, blocked="found something"))
    assert (verdict.decision, verdict.rule) == ("refuse", "no_effects_after_blocking_findings")
    assert not Policy().offers(TOOLS[TOOL_OF[effect]], frozenset(ROLES), blocked="found something")


def test_blocking_findings_leave_reading_alone():
    assert Policy().decide(request("read", "clerk", blocked="found something")).decision == "allow"
