"""An element of a UBL document, by the local names of its children and with its values typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from xml.etree.ElementTree import Element  # a type only; parsing is defusedxml's

from tools.documents.errors import DamagedDocument
from tools.orders.order import Identifier

COMPONENTS = "urn:oasis:names:specification:ubl:schema:xsd:Common"
_AGGREGATE = f"{{{COMPONENTS}AggregateComponents-2}}"
_BASIC = f"{{{COMPONENTS}BasicComponents-2}}"
# xs:decimal, xs:date and xs:time. Source: XML Schema part 2; 15 digits are more than any amount has.
_DECIMAL = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?")
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, slots=True)
class Reading:
    """One document being read: what was met in it so far.

    Attributes:
        name: Of the document, for messages.
        currencies: Every currency that an amount was stated in.
        done: Elements whose text was read. They are kept alive, so that no other takes the place of one.
    """

    name: str
    currencies: set[str] = field(default_factory=set[str])
    done: dict[int, Element] = field(default_factory=dict[int, Element])


class Node:
    """One element. A path is local names, outermost first; a missing one ends in nothing, never in an error."""

    def __init__(self, element: Element, reading: Reading) -> None:
        self._element = element
        self._reading = reading

    def _wrap(self, element: Element) -> Node:
        return Node(element, self._reading)

    def unread(self) -> Iterator[tuple[str, str]]:
        """Path and text of each element in it that nobody asked for; elements of other standards are left alone."""
        yield from self._unread(self._element, "")

    def _unread(self, element: Element, path: str) -> Iterator[tuple[str, str]]:
        for child in element:
            name = child.tag.removeprefix(_AGGREGATE).removeprefix(_BASIC)
            if name == child.tag:
                continue
            inner = f"{path}/{name}" if path else name
            said = " ".join((child.text or "").split())
            if said and child.tag.startswith(_BASIC) and id(child) not in self._reading.done:
                yield inner, said
            yield from self._unread(child, inner)

    def all(self, *path: str) -> list[Node]:
        found = [self._element]
        for name in path:
            names = (_AGGREGATE + name, _BASIC + name)
            found = [child for element in found for child in element if child.tag in names]
        return [self._wrap(element) for element in found]

    def one(self, *path: str) -> Node | None:
        return next(iter(self.all(*path)), None)

    def text(self, *path: str) -> str:
        """Its text with runs of white space as one blank; empty when it is not there."""
        node = self.one(*path)
        if node is None:
            return ""
        self._reading.done[id(node._element)] = node._element
        return " ".join((node._element.text or "").split())

    def skip(self) -> None:
        """Take its text for read: it is kept elsewhere, or not at all."""
        self._reading.done[id(self._element)] = self._element

    def texts(self, *path: str) -> tuple[str, ...]:
        return tuple(text for node in self.all(*path) if (text := node.text()))

    def attribute(self, name: str) -> str:
        return self._element.get(name, "").strip()

    def decimal(self, *path: str) -> Decimal | None:
        """An exact number.

        Raises:
            DamagedDocument: It is there and is no number.
        """
        text = self.text(*path)
        if not text:
            return None
        if not _DECIMAL.fullmatch(text):
            raise self._damaged(path, text, "a number")
        return Decimal(text)

    def amount(self, *path: str) -> Decimal | None:
        """A number that has a currency, which is noted."""
        value = self.decimal(*path)
        node = self.one(*path)
        if node is not None and value is not None and (currency := node.attribute("currencyID")):
            self._reading.currencies.add(currency)
        return value

    def date(self, *path: str) -> date | None:
        text = self.text(*path)
        if not text:
            return None
        match = _DATE.fullmatch(text)
        try:
            return date.fromisoformat(match[1] if match else text)
        except ValueError:
            raise self._damaged(path, text, "a date") from None

    def time(self, *path: str) -> time | None:
        text = self.text(*path)
        if not text:
            return None
        match = _TIME.fullmatch(text)
        try:
            return time.fromisoformat(match[1] if match else text)
        except ValueError:
            raise self._damaged(path, text, "a time") from None

    def indicator(self, *path: str) -> bool | None:
        text = self.text(*path).lower()
        if not text:
            return None
        if text not in ("true", "false", "1", "0"):
            raise self._damaged(path, text, "true or false")
        return text in ("true", "1")

    def identifier(self, *path: str) -> Identifier | None:
        node = self.one(*path)
        value = node.text() if node else ""
        if node is None or not value:
            return None
        return Identifier(
            value=value,
            scheme=node.attribute("schemeID"),
            version=node.attribute("schemeVersionID"),
            uri=node.attribute("schemeDataURI"),
        )

    def _damaged(self, path: tuple[str, ...], text: str, expected: str) -> DamagedDocument:
        return DamagedDocument(self._reading.name, f"its {'/'.join(path)} {text[:40]!r} is not {expected}")
