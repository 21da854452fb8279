"""Events as the command line reads them, and what a person wants to know of a result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from agent import events

if TYPE_CHECKING:
    from agent.records import StoredEvent

_BY_TYPE: dict[str, type[events.RunEvent]] = {
    event.type: event
    for event in (
        events.RunStarted,
        events.RunResumed,
        events.Token,
        events.ToolCalled,
        events.ApprovalRequired,
        events.ToolReturned,
        events.Guarded,
        events.Message,
        events.RunFinished,
    )
}
LONGEST = 90  # characters of one value
LONGEST_OBJECT = 70  # characters of an object without a name
ITEMS_SHOWN = 4  # of a list


def parse(stored: StoredEvent) -> events.RunEvent | None:
    """The typed event; None for a type that this version does not know."""
    known = _BY_TYPE.get(stored.type)
    return known.model_validate_json(stored.data) if known is not None else None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found."""

    severity: str
    text: str


@dataclass(slots=True)
class Summary:
    """What a person wants to know of a tool's result: plain fields, and findings where it made some."""

    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    findings: list[Finding] = field(default_factory=list[Finding])


def summarise(result: dict[str, Any]) -> Summary:
    """A result without what is empty, lists by their length and first items, findings apart."""
    summary = Summary()
    for name, value in result.items():
        if name == "findings" and isinstance(value, list):
            summary.findings.extend(_findings(cast("list[Any]", value)))
            if not value:
                summary.fields.append((name, "none"))
        elif value not in (None, "", [], {}) and (value is False or value != 0):
            summary.fields.append((name, show(value)))
    return summary


def _findings(items: list[Any]) -> Iterator[Finding]:
    for item in items:
        if isinstance(item, dict):
            known = cast("dict[str, Any]", item)
            text = known.get("message") or known.get("detail") or known.get("code") or show(known)
            yield Finding(str(known.get("severity", "note")), shorten(str(text), 300))
        else:
            yield Finding("note", shorten(str(item), 300))


def show(value: object, longest: int = LONGEST) -> str:
    """Any JSON value on one line."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            items = cast("list[object]", value)
            shown = "; ".join(show(item, 60) for item in items[:ITEMS_SHOWN])
            more = f"; and {len(items) - ITEMS_SHOWN} more" if len(items) > ITEMS_SHOWN else ""
            return shorten(shown + more, longest * 2)
        case {"lines": list()}:
            return shorten(_order(cast("dict[str, Any]", value)), longest)
        case dict():
            return _object(cast("dict[str, Any]", value), longest)
        case _:
            return shorten(str(value), longest)


def _object(known: dict[str, Any], longest: int) -> str:
    """By its name, with its quantity or identifier; else by all its parts."""
    name = known.get("name") or known.get("description") or known.get("sku") or known.get("number")
    if name is not None and known.get("quantity") is not None:
        return shorten(f"{show(known['quantity'])} x {name}", longest)
    if name is not None and known.get("id") is not None:
        return shorten(f"{name} ({show(known['id'])})", longest)
    parts = (f"{key} {show(item, 40)}" for key, item in known.items() if item not in (None, "", [], {}))
    return shorten(", ".join(parts), min(longest, LONGEST_OBJECT))


def _order(order: dict[str, Any]) -> str:
    """A purchase order: `PO-7001 of ACME GmbH, 3 lines, 1038.87 EUR`."""
    buyer: dict[str, Any] = order.get("buyer") or {}
    totals: dict[str, Any] = order.get("totals") or {}
    name, total, count = buyer.get("name") or buyer.get("legal_name"), totals.get("payable"), len(order["lines"])
    parts = (
        f"{order.get('number') or 'without a number'}{f' of {name}' if name else ''}",
        f"{count} line{'' if count == 1 else 's'}",
        f"{total} {order.get('currency', '')}" if total else "",
    )
    return ", ".join(part for part in parts if part)


def shorten(text: str, longest: int) -> str:
    """One line of at most `longest` characters, without control characters: a document's text may hold them."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def flatten(arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every argument by its path (`lines[0].quantity`), as `origins` names them."""
    for name, value in arguments.items():
        yield from _walk(name, value)


def _walk(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in cast("dict[str, object]", value).items():
            yield from _walk(f"{path}.{key}", item)
    elif isinstance(value, list) and value:
        for index, item in enumerate(cast("list[object]", value)):
            yield from _walk(f"{path}[{index}]", item)
    else:
        yield path, "-" if value is None else shorten(f"{value}", 200)
