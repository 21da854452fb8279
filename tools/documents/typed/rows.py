"""The lines of a typed order: rows of a table, or sentences like "10 x WID-1001 Widget @ 32.00 EUR"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tools.documents.typed.layout import Line, Segment, joined
from tools.documents.typed.numbers import CURRENCY, NUMBER, DecimalMark, amounts, currency_code, to_decimal
from tools.documents.typed.totals import kind_of
from tools.documents.typed.units import UNIT_WORDS, unit_code
from tools.orders.order import Item, OrderLine

SKU = r"(?=[A-Za-z0-9./_-]*\d)[A-Za-z]{1,8}(?:[-_/.][A-Za-z0-9]+)+|[A-Z]{2,6}\d{3,8}"
_UNIT = rf"(?:{UNIT_WORDS})"
_MONEY = rf"(?:(?:{CURRENCY})\s?)?(?:{NUMBER})(?:\s?(?:{CURRENCY}))?"
_NUMBER_OF = r"(?:\s*-?\s*(?:no\.?|nr\.?|number|nummer|code|#|id))"
_COLUMNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"^(?:{words})$", re.I))
    for kind, words in (
        ("position", r"pos\.?|position|#|line|no\.?|nr\.?|ln\.?"),
        (
            "sku",
            rf"sku|(?:article|art\.?|artikel|part){_NUMBER_OF}?|(?:item|product){_NUMBER_OF}|code|material|"
            r"r\u00e9f(?:\u00e9rence)?|your\s+ref",
        ),
        (
            "name",
            r"description|item|product|goods|name|bezeichnung|beschreibung|d\u00e9signation|details|service",
        ),
        ("quantity", r"qty\.?|quantity|menge|anzahl|quantit\u00e9|ordered|pcs"),
        ("unit", r"unit|uom|u/m|einheit|unit\u00e9|unit\s+of\s+measure"),
        (
            "price",
            r"(?:net\s+)?(?:unit\s*)?price(?:\s*(?:/|per)\s*unit)?|unit\s*cost|price\s+each|each|rate|"
            r"einzelpreis|(?:st\u00fcck)?preis|prix(?:\s+unitaire)?|p\.u\.",
        ),
        (
            "amount",
            r"(?:line\s*|net\s*)?(?:total|amount|sum|value)|extended|ext\.?\s*price|gesamt(?:preis)?|betrag|montant",
        ),
    )
)
_IN_BRACKETS = re.compile(r"\s*[(\[].*?[)\]]\s*$")
_BULLET = r"^(?:[-*\u2022\u00b7]|\d{1,3}[.)])?\s*"
_DASH = r"[\s,:;\u2013-]*"
_TIMES = r"(?:x|\u00d7|\*|of)"
_QUANTITY = rf"(?P<quantity>{NUMBER})\s*(?P<unit>{_UNIT})?\s*"
_PRICE = rf"(?P<price>{_MONEY})(?:\s*(?:each|per\s+\w+|/\s?\w+|apiece))?"
_AMOUNT = rf"(?:\s*[=,:;\u2013-]+\s*(?:total\s*:?\s*)?(?P<amount>{_MONEY}))?\s*\.?$"
_SENTENCES = tuple(
    re.compile(_BULLET + rest, re.I)
    for rest in (
        # 10 x WID-1001 Widget @ 32.00 EUR = 320.00 EUR
        rf"{_QUANTITY}{_TIMES}?\s*(?P<sku>{SKU})\b{_DASH}(?P<name>.*?){_DASH}(?:@|\bat\b|\u00e0|\bfor\b)\s*{_PRICE}{_AMOUNT}",
        # WID-1001 Widget, 10 pcs at 32.00 EUR each = 320.00 EUR;  WID-1001: 10 x 32.00 EUR
        rf"(?P<sku>{SKU})\b{_DASH}(?P<name>.*?){_DASH}(?<![\w.,-])(?:(?:qty|quantity)\.?:?\s*)?{_QUANTITY}"
        rf"(?:x|\u00d7|\*|@|\bat\b|\u00e0|,)\s*{_PRICE}{_AMOUNT}",
        # 10 x WID-1001 Widget
        rf"{_QUANTITY}{_TIMES}\s*(?P<sku>{SKU})\b{_DASH}(?P<name>[^\d@=]*?)\.?$",
    )
)
_ROW = re.compile(  # one blank between columns: 1 WID-1001 Widget 10 pcs 32.00 320.00
    rf"^(?:(?P<position>\d{{1,3}})[.)]?\s+)?(?P<sku>{SKU})\s+(?P<name>.*?)\s+(?P<quantity>{NUMBER})\s*(?P<unit>{_UNIT})?\s+"
    rf"(?P<price>{_MONEY})\s+(?P<amount>{_MONEY})$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The lines found; `currencies` stand beside their amounts; `unread` are rows that have numbers but no sense."""

    lines: tuple[OrderLine, ...]
    currencies: frozenset[str]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    kind: str
    start: int
    end: int


def read_rows(page: Sequence[Line], mark: DecimalMark, skip: frozenset[int]) -> Rows:
    """Every order line on the page; rows in `skip` are its sums."""
    found: list[dict[str, str]] = []
    unread: list[str] = []
    columns: list[_Column] = []
    for row, line in enumerate(page):
        if not line or row in skip:
            continue
        if header := _header(line):
            columns = header
            continue
        cells = (_by_column(line, columns, mark) if columns else None) or _by_pattern(joined(line))
        if cells is not None:
            found.append(cells)
        elif columns and found and len(line) == 1 and not re.search(r"\d", line[0].text) and _in_name(line[0], columns):
            found[-1]["name"] = f"{found[-1].get('name', '')} {line[0].text}".strip()
        elif columns and len(line) >= 3 and _ends_in_amount(line, mark) and kind_of(line[0].text) is None:
            unread.append(joined(line)[:100])
    lines: list[OrderLine] = []
    currencies: set[str] = set()
    for number, cells in enumerate(found, 1):
        line, stated = _order_line(cells, number, mark)
        lines.append(line)
        currencies |= stated
    return Rows(tuple(lines), frozenset(currencies), tuple(unread))


def _header(line: Line) -> list[_Column] | None:
    """The columns that a table's head names: at least a quantity and two others."""
    columns: list[_Column] = []
    for segment in line:
        text = _IN_BRACKETS.sub("", segment.text).strip(" :")
        text = re.sub(rf"\s+(?:{CURRENCY})$", "", text)
        kind = next((kind for kind, pattern in _COLUMNS if pattern.match(text)), "")
        columns.append(_Column(kind, segment.start, segment.end))
    kinds = [column.kind for column in columns if column.kind]
    if "quantity" not in kinds or len(set(kinds)) < 3 or not {"sku", "name"} & set(kinds):
        return None
    return columns


def _by_column(line: Line, columns: list[_Column], mark: DecimalMark) -> dict[str, str] | None:
    """The cells under their heads, in order where there are as many, else by where they stand."""
    if len(line) == len(columns):
        cells = {column.kind: segment.text for column, segment in zip(columns, line, strict=True)}
    else:
        cells = {}
        for segment in line:
            nearest = min(columns, key=lambda column: _distance(segment, column))
            cells[nearest.kind] = f"{cells[nearest.kind]} {segment.text}" if nearest.kind in cells else segment.text
    return cells if _makes_sense(cells, mark) else None


def _distance(segment: Segment, column: _Column) -> int:
    """Text is set flush left or right under its head, numbers mostly right."""
    overlap = min(segment.end, column.end) - max(segment.start, column.start)
    return min(abs(segment.start - column.start), abs(segment.end - column.end)) - max(0, overlap)


def _makes_sense(cells: dict[str, str], mark: DecimalMark) -> bool:
    if not re.fullmatch(rf"(?:{NUMBER})(?:\s*[A-Za-z.]+)?", cells.get("quantity", "")):
        return False
    if not any(re.search(r"\w", cells.get(kind, "")) for kind in ("sku", "name")):
        return False
    return all(len(amounts(cells[kind], mark)) == 1 for kind in ("price", "amount") if cells.get(kind))


def _by_pattern(text: str) -> dict[str, str] | None:
    single = " ".join(text.split())
    for pattern in (_ROW, *_SENTENCES):
        if match := pattern.match(single):
            return {kind: value for kind, value in match.groupdict().items() if value}
    return None


def _in_name(segment: Segment, columns: list[_Column]) -> bool:
    return any(column.kind == "name" and abs(column.start - segment.start) <= 6 for column in columns)


def _ends_in_amount(line: Line, mark: DecimalMark) -> bool:
    return bool(amounts(line[-1].text, mark))


def _order_line(cells: dict[str, str], number: int, mark: DecimalMark) -> tuple[OrderLine, set[str]]:
    quantity = re.match(rf"({NUMBER})\s*(.*)", cells["quantity"])
    assert quantity is not None  # both ways of finding cells have seen a number there
    price, amount = (_money(cells.get(kind), mark) for kind in ("price", "amount"))
    name, sku = cells.get("name", "").strip(" ,:\u2013-"), cells.get("sku", "").strip()
    if not sku and re.fullmatch(SKU, cells.get("", "")):  # in a column whose head says nothing to us
        sku = cells[""]
    if not sku and (inside := re.match(rf"({SKU})\b[\s,:\u2013-]*(.*)", name)):
        sku, name = inside.groups()
    line = OrderLine(
        id=cells.get("position") or str(number),
        item=Item(seller_id=sku, name=name),
        quantity=to_decimal(quantity[1], mark),
        unit=unit_code(cells.get("unit") or quantity[2]),
        price=price[0],
        amount=amount[0],
    )
    return line, {currency for _, currency in (price, amount) if currency}


def _money(text: str | None, mark: DecimalMark) -> tuple[Decimal | None, str]:
    found = amounts(text, mark) if text else []
    if not found:
        return None, ""
    value, currency = found[0]
    return value, currency or currency_code((re.search(rf"({CURRENCY})", text or "") or [""])[0])
