"""Right calls made of their answers, and wrong ones made of the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, cast

from agent.messages import ToolCall
from evals.outside.bfcl.theirs import Row

KINDS = ("wrong_value", "missing_required", "extra_argument", "wrong_name", "wrong_type", "wrong_count")
STRANGE = "zz strange value 97"

Arguments = dict[str, Any]


def gold(row: Row) -> list[ToolCall]:
    """The first right value of every argument; an optional one whose first answer is to be left out is left out."""
    calls: list[ToolCall] = []
    for number, answer in enumerate(row.right, 1):
        ((name, arguments),) = answer.items()
        required = _doc(row, name)["parameters"].get("required", ())
        given = {
            argument: _chosen(values)
            for argument, values in arguments.items()
            if argument in required or "" not in values
        }
        calls.append(ToolCall(id=f"call_{number}", tool=name, arguments=given))
    return calls


def _chosen(values: Sequence[Any]) -> Any:
    """The first right value. In an object, alone or in a list, each field again lists its own; deeper, none does."""
    value = _first(values)
    if isinstance(value, list):
        return [_fields(cast("Any", one)) if isinstance(one, Mapping) else one for one in cast("list[Any]", value)]
    return _fields(cast("Any", value)) if isinstance(value, Mapping) else value


def _fields(answer: Mapping[str, Sequence[Any]]) -> Arguments:
    return {name: _first(values) for name, values in answer.items() if "" not in values}


def _first(values: Sequence[Any]) -> Any:
    return next((one for one in values if one != ""), "")


def mutants(row: Row, random: Random) -> Iterator[tuple[str, list[ToolCall]]]:
    """Each kind of mistake once, in one of the calls, where the row has what it needs."""
    right = gold(row)
    at = random.randrange(len(right))
    for kind in KINDS:
        if kind == "wrong_count":
            yield kind, [*right, right[at]]
            continue
        changed = _changed(kind, row, right[at], random)
        if changed is not None:
            yield kind, [*right[:at], changed, *right[at + 1 :]]


def _changed(kind: str, row: Row, call: ToolCall, random: Random) -> ToolCall | None:
    arguments = dict(call.arguments)
    if kind == "wrong_name":
        return call.model_copy(update={"tool": f"{call.tool}_other"})
    if kind == "extra_argument":
        return call.model_copy(update={"arguments": {**arguments, "zz_unknown": 1}})
    required = [name for name in _doc(row, call.tool)["parameters"].get("required", ()) if name in arguments]
    chosen = required if kind == "missing_required" else sorted(arguments)
    if not chosen:
        return None
    name = random.choice(chosen)
    if kind == "missing_required":
        del arguments[name]
    elif kind == "wrong_type":
        arguments[name] = [[1]] if isinstance(arguments[name], Mapping) else {"zz": 1}
    else:
        right = next(one[call.tool][name] for one in row.right if call.tool in one and name in one[call.tool])
        wrong = _wrong(arguments[name], right)
        if wrong is None:
            return None
        arguments[name] = wrong
    return call.model_copy(update={"arguments": arguments})


def _wrong(value: Any, right: Sequence[Any]) -> Any:
    """A value of the same type that is not among the right ones; None where every one of the type is."""
    match value:
        case bool():
            return None if (not value) in right else not value
        case int() | float():
            return max([one for one in right if isinstance(one, (int, float))], default=0) + 17
        case str():
            return STRANGE
        case list():
            return [*cast("list[Any]", value), *(cast("list[Any]", value)[-1:] or [STRANGE])]
        case Mapping():
            return {**cast("Mapping[str, Any]", value), "zz_unknown": STRANGE}
        case _:
            return None


def _doc(row: Row, name: str) -> Mapping[str, Any]:
    return next(function for function in row.functions if function["name"] == name)


def contradiction(row: Row) -> str | None:
    """Why no call at all can be right: the answers and the function's own doc exclude each other. Four rows are so."""
    for answer in row.right:
        ((name, arguments),) = answer.items()
        parameters = _doc(row, name)["parameters"]
        for argument, values in arguments.items():
            if not values:
                return f"no value of {argument} is right, and it is required"
            if argument not in parameters["properties"] and "" not in values:
                return f"{argument} is asked for, and {name} has no such argument"
        if missing := set(parameters.get("required", ())) - set(arguments):
            return f"{name} requires {', '.join(sorted(missing))}, which no answer may have"
    return None
