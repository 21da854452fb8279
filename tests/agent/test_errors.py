"""Every error has a stable code of its own and stands in the drawn tree."""

from __future__ import annotations

import agent.ending
import agent.errors
from agent.errors import AgentError


def family(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(each for child in root.__subclasses__() for each in family(child))]


def test_every_error_is_drawn_in_the_tree():
    assert agent.errors.__doc__
    for error in family(AgentError):
        assert error.__name__ in agent.errors.__doc__


def test_every_code_is_used_once():
    codes = [getattr(error, "code") for error in family(AgentError)]  # noqa: B009  `type[Exception]` has none
    assert len(codes) == len(set(codes))


def test_every_ending_that_the_agent_makes_is_described():
    assert agent.ending.__doc__
    for code in ("step_limit", "token_limit", "time_limit", "loop", "call_limit", "input_refused", "output_refused"):
        assert f"\n{code} " in agent.ending.__doc__
    for ending in (agent.ending.INTERRUPTED, agent.ending.INTERNAL, agent.ending.CANCELLED):
        assert ending.error is not None
        assert ending.error.code in agent.ending.__doc__
