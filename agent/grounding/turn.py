"""What one turn has already done, so that a weak model cannot do it twice.

A JSON schema cannot forbid "the same call again". It can leave out the references that a call has used up: an invoice
that was issued in this turn is no longer among those that `issue_invoice` may name. What this costs: within one turn a
model under a schema drafts at most one invoice a customer. The next turn starts afresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self, cast

from agent.grounding.walk import schema_of
from tools.registry import AnyTool

MAX_LOOKUPS = 4  # calls of one read tool in a turn, unless something was written in between

Spent = dict[str, list[str]]  # `x-value` type -> values


class Turn:
    """What happened since the person last spoke."""

    def __init__(self) -> None:
        self._attached: list[str] = []
        self._useless: list[str] = []
        self._effects: dict[str, Spent] = {}
        self._reads: dict[str, Spent] = {}
        self._lookups: dict[str, int] = {}

    def attach(self, document: str) -> None:
        """A document that came with the request."""
        self._attached.append(document)

    def attached(self) -> list[str]:
        """What was attached, less what a tool could do nothing with."""
        return [document for document in self._attached if document not in self._useless]

    def answered(self, tool: AnyTool, arguments: dict[str, Any], *, retry: bool) -> None:
        """A call ended. After a `retry` its subject may be tried again, with other arguments."""
        if tool.effect == "read":
            self._lookups[tool.name] = self._lookups.get(tool.name, 0) + 1
        if not retry:
            _spend(self._of(tool).setdefault(tool.name, {}), subjects(tool, arguments))
            self._useless += [document for document in self._attached if document in arguments.values()]

    def succeeded(self, tool: AnyTool, named: Sequence[tuple[str, str]]) -> None:
        """`named`: types and values of the marked values in the result. An effect uses up all that its result names of
        the types it takes: an invoice's id and its number, its customer. What was looked up before may have changed."""
        values = {value for _, value in named}
        self._useless = [document for document in self._useless if document not in values]
        if tool.effect == "read":
            return
        kinds = {inner.get("x-value") for inner in _references(schema_of(tool.arguments, "validation")).values()}
        _spend(self._effects.setdefault(tool.name, {}), [(kind, value) for kind, value in named if kind in kinds])
        self._reads.clear()
        self._lookups.clear()

    def spent(self, tool: AnyTool) -> Spent:
        """Values that `tool` may not name again."""
        return self._of(tool).get(tool.name, {})

    def exhausted(self, tool: AnyTool) -> bool:
        """It was called often enough."""
        return self._lookups.get(tool.name, 0) >= MAX_LOOKUPS

    def _of(self, tool: AnyTool) -> dict[str, Spent]:
        return self._reads if tool.effect == "read" else self._effects

    def dump(self) -> dict[str, Any]:
        return {
            "attached": self._attached,
            "useless": self._useless,
            "effects": self._effects,
            "reads": self._reads,
            "lookups": self._lookups,
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        turn = cls()
        turn._attached = list(data["attached"])
        turn._useless = list(data["useless"])
        turn._effects = {tool: _copy(spent) for tool, spent in data["effects"].items()}
        turn._reads = {tool: _copy(spent) for tool, spent in data["reads"].items()}
        turn._lookups = dict(data["lookups"])
        return turn


def subjects(tool: AnyTool, arguments: dict[str, Any]) -> list[tuple[str, str]]:
    """Types and values of what a call is about.

    Of an effect: the references that it could do without but was given, for they are the most particular (an order,
    not its customer), else those it requires. Of a read: its reference, if that is all it takes; with other arguments
    beside it the same reference asks for something else.
    """
    schema = schema_of(tool.arguments, "validation")
    references = _references(schema)
    required = [name for name in references if name in schema.get("required", ())]
    if tool.effect == "read":
        chosen = required if len(schema.get("properties", {})) == len(required) == 1 else []
    else:
        chosen = [name for name in references if name not in required and name in arguments] or required
    return [(references[name]["x-value"], str(arguments[name])) for name in chosen if arguments.get(name) is not None]


def _references(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The arguments that are one reference, by name, with the schema of it."""
    found: dict[str, dict[str, Any]] = {}
    for name, inner in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).items():
        for option in (inner, *inner.get("anyOf", ())):
            if str(option.get("x-value", "")).startswith("ref:"):
                found[name] = option
    return found


def _spend(spent: Spent, values: Iterable[tuple[str, str]]) -> None:
    for kind, value in values:
        if value not in spent.setdefault(kind, []):
            spent[kind].append(value)


def _copy(spent: Spent) -> Spent:
    return {kind: list(values) for kind, values in spent.items()}
