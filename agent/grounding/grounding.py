"""What a conversation knows: typed values with their origins, and from them what a model may do next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel

from agent.grounding import schema as steps
from agent.grounding.choosing import Choices
from agent.grounding.known import Known
from agent.grounding.naming import Naming
from agent.grounding.text import NUMBER, canonical, find
from agent.grounding.turn import Spent, Turn
from agent.grounding.walk import Leaf, leaves, schema_of
from agent.llm.base import ToolSpec
from tools.origin import MODEL, UNTRUSTED, USER, Origin, strongest, weakest
from tools.registry import AnyTool, shown

MAX_SAID = 20_000  # characters of the person's words that are remembered word for word
_EDGES = ".,;:!?()[]{}\"'«»„“”\u2018\u2019"
_POSSESSIVE = re.compile(r"['\u2019]s\Z")
MAX_NAMED = 100  # values that results of one tool named
MAX_READ = 50  # untrusted texts that are told apart
TEXT = "text"  # the type of a record's plain strings, which are known only as a whole
MAX_TEXT = 200  # characters of such a string
MAX_OURS = 200  # values of one type that calls of this thread brought into the world


class Grounding:
    """The typed values that a run knows. Made once a thread, fed in the order of events, JSON in between.

    Args:
        currencies: ISO 4217 codes the company works in: "320.00" without a currency may be in any of them.
    """

    def __init__(self, *, currencies: Sequence[str] = ("EUR", "USD", "GBP")) -> None:
        self._currencies = tuple(currencies)
        self._known = Known()
        self._said: list[str] = []
        self._read: list[Origin] = []
        self._named: dict[str, list[str]] = {}
        self._ours: dict[str, dict[str, Origin]] = {}
        self._turn = Turn()
        self._naming = Naming()
        self._choices = Choices()
        self._given: list[str] = []

    # ------------------------------------------------------------------ what happened

    def observe_user(self, text: str) -> None:
        """The person's words. They start a new turn, in which calls that were made before may be made again."""
        self._turn = Turn()
        self._said.append(_plain(text))
        self._naming.observe_user(text)
        while len(self._said) > 1 and sum(map(len, self._said)) > MAX_SAID:
            del self._said[0]
        self._observe_text(text, USER)

    def observe_answer(self, text: str) -> None:
        """What some model answered where we did not see it: its values are known, and count as made up."""
        self._observe_text(text, MODEL)

    def observe_document(self, document_id: str, *, name: str = "") -> None:
        """A document that the person attached: naming it is theirs, its file name and its text are not."""
        self._known.add("ref:document", document_id, USER)
        self._turn.attach(document_id)
        if name:
            self._has_read(Origin("document", document_id))
            self._observe_text(name, Origin("document", document_id))

    def observe_call(self, tool: AnyTool, arguments: dict[str, Any], *, retry: bool = False) -> None:
        """A call was answered, in whatever way. `retry`: by a `ToolRetry`, so other arguments may do.

        What it was given from an untrusted place stays so when a result gives it back: a record is no better than what
        was written into it, and an echo is no record. Only a read's identifiers are verified by being found.
        """
        self._given = []
        for leaf in leaves(arguments, schema_of(tool.arguments, "validation")):
            self._given.append(str(leaf.value))
            kind = leaf.mark or TEXT
            if tool.effect == "read" and leaf.mark:
                continue
            if isinstance(leaf.value, str) and (origin := self._origin(tool, leaf)).untrusted:
                ours = self._ours.setdefault(kind, {})
                ours[canonical(kind, leaf.value)] = origin
                if len(ours) > MAX_OURS:
                    del ours[next(iter(ours))]
        self._turn.answered(tool, arguments, retry=retry)

    def observe_result(self, tool: AnyTool, result: BaseModel) -> None:
        """A call succeeded: what a model is shown of its result is known from now on."""
        result = shown(result)
        found = list(leaves(result.model_dump(mode="json"), schema_of(type(result), "serialization")))
        whole = result_origin(tool, found)
        if whole.untrusted:
            self._has_read(whole)
        for leaf in found:
            origin = _leaf_origin(tool, leaf, whole)
            if leaf.others and leaf.value not in ("", False):
                self._has_read(origin)
            if leaf.mark:
                self._learn(leaf.mark, str(leaf.value), origin)
            elif origin.untrusted and isinstance(leaf.value, str):
                self._observe_text(leaf.value, origin)
            if leaf.mark or (whole.untrusted and not leaf.others) or not isinstance(leaf.value, str):
                continue
            if len(leaf.value) <= MAX_TEXT and any(map(str.isalpha, leaf.value)):
                self._learn(TEXT, leaf.value, origin)
        if tool.results == "record":
            self._naming.observe(found, given=self._given, effect=tool.effect != "read")
            if tool.effect == "read":
                self._choices.observe(found)
        marked = [(leaf.mark, str(leaf.value)) for leaf in found if leaf.mark]
        self._named[tool.name] = [*self._named.get(tool.name, ()), *(value for _, value in marked)][-MAX_NAMED:]
        self._turn.succeeded(tool, marked)

    def _learn(self, kind: str, value: str, origin: Origin) -> None:
        ours = self._ours.get(kind, {}).get(canonical(kind, value))
        self._known.add(kind, value, origin if ours is None else weakest((origin, ours)))

    def _has_read(self, origin: Origin) -> None:
        if origin not in self._read:
            self._read = [*self._read, origin][-MAX_READ:]

    def _observe_text(self, text: str, origin: Origin) -> None:
        for kind, value in find(text, self._currencies):
            if kind not in (NUMBER, "url") or origin == USER:  # a link in a text is nobody's wish to go there
                self._known.add(kind, _number(value) if kind == NUMBER else value, origin)

    # ------------------------------------------------------------------ what may come next

    def offered(self, tools: Sequence[AnyTool]) -> list[AnyTool]:
        """The tools that can be called: each value they require is known."""
        return [tool for tool in tools if self._arguments(tool) is not None]

    def step_schema(self, tools: Sequence[AnyTool], *, answer: steps.Json = steps.ANSWER) -> dict[str, Any]:
        """One step as a JSON schema: a call of one of `tools` with what is known and not yet used up, or `answer`."""
        possible: list[steps.Json] = []
        for tool in tools:
            if self._turn.exhausted(tool):
                continue
            arguments = self._arguments(tool, spent=self._turn.spent(tool))
            if arguments is not None:
                possible.append(steps.call(tool.name, arguments))
        return {"anyOf": [*possible, answer]}

    def tool_specs(self, tools: Sequence[AnyTool]) -> list[ToolSpec]:
        """The offered tools for a model that calls tools by itself; `unknown` tells what it made up all the same."""
        specs = ((tool, self._arguments(tool, describe=True)) for tool in tools)
        return [ToolSpec(tool.name, tool.description, arguments) for tool, arguments in specs if arguments]

    def _arguments(self, tool: AnyTool, *, spent: Spent | None = None, describe: bool = False) -> dict[str, Any] | None:
        """The tool's arguments limited to what is known; None while it cannot be called."""
        sources = _Sources(self._known, self._turn, self._named, spent or {})
        return steps.narrow(schema_of(tool.arguments, "validation"), sources, describe=describe)

    # ------------------------------------------------------------------ where arguments come from

    def origins(self, tool: AnyTool, arguments: dict[str, Any]) -> dict[str, Origin]:
        """The origin of each argument by its path, like `lines[0].price`."""
        schema = schema_of(tool.arguments, "validation")
        return {leaf.path: self._origin(tool, leaf) for leaf in leaves(arguments, schema)}

    def read(self) -> frozenset[str]:
        """What was read in this thread: origins of untrusted text, and names of tools that answered."""
        return frozenset({*map(str, self._read), *self._named})

    def origin_of(self, kind: str, value: str) -> Origin | None:
        """Where a value of exactly this type came from; None when nothing known holds it."""
        return self._known.origin(kind, value)

    def unknown(self, tool: AnyTool, arguments: dict[str, Any]) -> list[str]:
        """Paths of the arguments that name something in the world which nothing known holds."""
        schema = schema_of(tool.arguments, "validation")
        return [
            leaf.path
            for leaf in leaves(arguments, schema)
            if leaf.mark and self._known.origin(leaf.mark, str(leaf.value)) is None
        ]

    def named(self, tool: AnyTool, arguments: dict[str, Any]) -> frozenset[str]:
        """Paths of the references among the arguments that the person named, by identifier or by name, and of those
        that a call of this conversation made."""
        return frozenset(
            path
            for path, identifier, origin in self._references(tool, arguments)
            if origin == USER or self._naming.is_named(identifier, self._said)
        )

    def undecided(self, tool: AnyTool, arguments: dict[str, Any]) -> frozenset[str]:
        """Paths of the references among the arguments that are one of several which a look-up found, where the person
        has neither written the identifier nor said which, and no call of this conversation made it."""
        return frozenset(
            path
            for path, identifier, origin in self._references(tool, arguments)
            if origin != USER
            and not self._naming.was_made(identifier)
            and self._choices.is_open(identifier, self._said)
        )

    def _references(self, tool: AnyTool, arguments: dict[str, Any]) -> Iterator[tuple[str, str, Origin | None]]:
        """Path, identifier and origin of each reference among the arguments."""
        for leaf in leaves(arguments, schema_of(tool.arguments, "validation")):
            if leaf.mark is not None and leaf.mark.startswith("ref:"):
                identifier = str(leaf.value)
                yield leaf.path, identifier, self._known.origin(leaf.mark, identifier)

    def carried(self, tool: AnyTool, arguments: dict[str, Any]) -> dict[str, frozenset[Origin]]:
        """By the path of each text among the arguments: where the values that it holds come from, those left out that
        the person wrote. A value is found in other spacing and letter case, and not when it is encoded otherwise."""
        found: dict[str, frozenset[Origin]] = {}
        for leaf in leaves(arguments, schema_of(tool.arguments, "validation")):
            if leaf.mark is None and isinstance(leaf.value, str):
                held = self._known.within(leaf.value)
                found[leaf.path] = frozenset(origin for value, origin in held if not self._was_said(value))
        return found

    def _origin(self, tool: AnyTool, leaf: Leaf) -> Origin:
        """That of the best value which it equals, by type; else of what the model had read when it wrote it."""
        if leaf.mark:
            return self._known.origin(leaf.mark, str(leaf.value)) or MODEL
        found = [weakest(self._read)]
        if leaf.default:
            found.append(Origin("tool", tool.name))
        if leaf.numeric:
            found += [USER] if self._known.origin(NUMBER, _number(leaf.value)) == USER else []
        elif isinstance(leaf.value, str):
            found += [USER] if self._was_said(leaf.value) else []
            found += [known] if (known := self._known.origin(TEXT, leaf.value)) is not None else []
        return strongest(found)

    def _was_said(self, text: str) -> bool:
        """Whether the person wrote `text`, as whole words. A lone number is `NUMBER`'s, not this one's."""
        words = _plain(text)
        return any(map(str.isalpha, words)) and any(words in said for said in self._said)

    # ------------------------------------------------------------------ between processes

    def dump(self) -> dict[str, Any]:
        return {
            "currencies": list(self._currencies),
            "known": self._known.dump(),
            "said": self._said,
            "read": [str(origin) for origin in self._read],
            "named": self._named,
            "ours": {
                kind: {value: str(origin) for value, origin in values.items()} for kind, values in self._ours.items()
            },
            "turn": self._turn.dump(),
            "naming": self._naming.dump(),
            "choices": self._choices.dump(),
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        """The inverse of `dump`."""
        grounding = cls(currencies=data["currencies"])
        grounding._known = Known.load(data["known"])
        grounding._said = list(data["said"])
        grounding._read = [Origin.parse(origin) for origin in data["read"]]
        grounding._named = {tool: list(values) for tool, values in data["named"].items()}
        grounding._ours = {
            kind: {value: Origin.parse(origin) for value, origin in values.items()}
            for kind, values in data.get("ours", {}).items()
        }
        grounding._turn = Turn.load(data["turn"])
        grounding._naming = Naming.load(data.get("naming", {}))
        grounding._choices = Choices.load(data.get("choices", []))
        return grounding


@dataclass(frozen=True, slots=True)
class _Sources:
    """What is known, less what is used up."""

    known: Known
    turn: Turn
    named: Mapping[str, Sequence[str]]
    spent: Spent

    def values(self, kind: str, limit: steps.Limit) -> list[str]:
        found = self.known.values(kind, without=self.spent.get(kind, ()), only=USER if limit.users else None)
        return [value for value in found if value in self.named.get(limit.after, ())] if limit.after else found

    def attached(self, kind: str) -> list[str]:
        return self.turn.attached() if kind == "ref:document" else []


def result_origin(tool: AnyTool, found: Sequence[Leaf]) -> Origin:
    """The origin of a result as a whole: of a document its identifier, of a page its address."""
    match tool.results:
        case "document":
            detail = next((str(leaf.value) for leaf in found if leaf.mark == "ref:document"), tool.name)
        case "web":
            detail = next((str(leaf.value) for leaf in found if leaf.field == "url"), tool.name)
        case _:
            detail = tool.name
    return Origin(tool.results, detail)


def text_origin(tool: AnyTool, found: Sequence[Leaf]) -> Origin:
    """The origin of a result as text: of a record that holds what others wrote, the first such field."""
    whole = result_origin(tool, found)
    origins = [_leaf_origin(tool, leaf, whole) for leaf in found if leaf.others and leaf.value != ""]
    return whole if whole.untrusted or not origins else origins[0]


def _leaf_origin(tool: AnyTool, leaf: Leaf, whole: Origin) -> Origin:
    if tool.results == "web" and isinstance(url := leaf.holder.get("url"), str):
        return Origin("web", url)
    if tool.results == "record":
        return Origin("document" if leaf.others else "record", f"{_record(leaf)}.{leaf.field}")
    return whole if tool.results in UNTRUSTED else Origin(tool.results, tool.name)


def _record(leaf: Leaf) -> str:
    """What the object that holds `leaf` is a record of: told by its identifier's type, else by its model's name."""
    mark = str(leaf.holder_schema.get("properties", {}).get("id", {}).get("x-value", ""))
    return mark.removeprefix("ref:") or str(leaf.holder_schema.get("title", "result")).lower()


def _plain(text: str) -> str:
    """Words in lower case with one space around each; punctuation at their edges and an English `'s` are left out."""
    words = (_POSSESSIVE.sub("", word.strip(_EDGES)) for word in text.lower().split())
    return f" {' '.join(word for word in words if word)} "


def _number(value: object) -> str:
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
