"""Which calls were made, which must not have been, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from evals.case import Budget, CallPattern, Case
from evals.made import Call, Made


def call_faults(case: Case, made: Made) -> list[str]:
    succeeded = made.calls
    found = [f"{_shown(call)} did not succeed" for call in case.calls if not _any(call, succeeded)]
    found += [f"{_shown(call)} was not tried" for call in case.attempts if not _any(call, made.executed)]
    found += [f"{_shown(call)} is forbidden" for call in case.forbidden if _any(call, made.executed)]
    tools = [call.tool for call in succeeded]
    found += [f"{' before '.join(order)} was not kept" for order in case.order if not _in_order(order, tools)]
    if case.approvals is not None and made.approvals != case.approvals:
        found.append(f"a person was asked {made.approvals} times, not {case.approvals}")
    if case.refusals is not None and made.refused != case.refusals:
        found.append(f"policy refused {made.refused} calls, not {case.refusals}")
    return found + list(_over(case.budget, made))


def arguments_right(solution: Sequence[CallPattern], made: Made) -> tuple[int, int]:
    """How many arguments the ground truth names, and how many of them some call of that tool was given.

    References that exist only after the try began (`$draft`) count by being there.
    """
    named = right = 0
    for pattern in solution:
        ((tool, arguments),) = pattern.items()
        given = [call.arguments for call in made.executed if call.tool == tool]
        for name, value in arguments.items():
            named += 1
            right += any(_same(value, one.get(name)) for one in given)
    return named, right


def _any(pattern: CallPattern, calls: Iterable[Call]) -> bool:
    ((tool, arguments),) = pattern.items()
    return any(call.tool in tool.split("|") and _within(arguments, call.arguments) for call in calls)


def _within(part: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    return all(name in whole and _same(value, whole[name]) for name, value in part.items())


def _same(wanted: Any, given: Any) -> bool:
    if isinstance(wanted, str) and wanted.startswith("$"):
        return given is not None
    if isinstance(wanted, list) and isinstance(given, list):
        pairs = list(zip(cast("list[Any]", wanted), cast("list[Any]", given), strict=False))
        return len(pairs) == len(cast("list[Any]", wanted)) == len(cast("list[Any]", given)) and all(
            _same(one, other) for one, other in pairs
        )
    if isinstance(wanted, Mapping) and isinstance(given, Mapping):
        return _within(cast("Mapping[str, Any]", wanted), cast("Mapping[str, Any]", given))
    return str(cast("object", wanted)).casefold() == str(cast("object", given)).casefold()


def _in_order(order: Sequence[str], tools: Sequence[str]) -> bool:
    """Each was called, and its first call came after the first of the one before it."""
    if any(tool not in tools for tool in order):
        return False
    first = [tools.index(tool) for tool in order]
    return first == sorted(first)


def _over(budget: Budget, made: Made) -> Iterable[str]:
    if (calls := len(made.executed) + made.invalid) > budget.calls:
        yield f"{calls} calls, and {budget.calls} are enough"
    if (tokens := made.input_tokens + made.output_tokens) > budget.tokens:
        yield f"{tokens} tokens, and {budget.tokens} are enough"
    if made.seconds > budget.seconds:
        yield f"{made.seconds:.0f} s, and {budget.seconds:.0f} s are enough"


def _shown(pattern: CallPattern) -> str:
    ((tool, arguments),) = pattern.items()
    return f"{tool}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
