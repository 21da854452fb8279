"""The head of a typed order: its number, dates, currency and the two parties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tools.documents.typed.dates import read_date
from tools.documents.typed.layout import Line, Segment, below
from tools.orders.order import Contact, Identifier, Party
from tools.values import EMAIL

_ORDER_WORDS = (
    r"(?:purchase\s+order|sales\s+order|order|p\.\s?o\.|po|bestellung|bestell|auftrag|bon\s+de\s+commande|commande|"
    r"pedido|ordine)"
)
_NUMBER_WORDS = r"(?:number|numero|num\u00e9ro|num\.?|nummer|no\.?|nr\.?|n\u00b0|n\u00ba|ref(?:erence)?\.?|id|#)"
_NUMBER = r"(?P<value>(?=[\w./-]*\d)[A-Za-z0-9][\w./-]{1,39})"
_ORDER_NUMBER = re.compile(
    rf"\b{_ORDER_WORDS}[\s-]*{_NUMBER_WORDS}\s*[:#.]*\s*(?:(?P<value>[A-Za-z0-9][\w./-]{{0,39}}))?(?=\s|[,;)]|$)", re.I
)
_ORDER_THEN_VALUE = re.compile(rf"\b(?:purchase\s+order|po)\s*[:#]?\s*{_NUMBER}", re.I)
_BARE_NUMBER = re.compile(rf"^{_NUMBER_WORDS}\s*[:#]?\s*{_NUMBER}$", re.I)
MENTIONS_ORDER = re.compile(
    r"\b(?:purchase\s+order|order\s+(?:number|no\b|nr\b|#)|p\.o\.|po\s?(?:number|no\b|#|-\d)|bestellung|bestellnummer|"
    r"bon\s+de\s+commande)",
    re.I,
)

_LABELS: dict[str, re.Pattern[str]] = {
    kind: re.compile(rf"^(?:{words})\s*(?::|$)\s*(?P<value>.*)$", re.I)
    for kind, words in {
        "buyer": (
            r"buyer|bill(?:ed)?\s+to|invoice\s+to|ordered\s+by|customer|purchaser|sold\s+to|client|besteller|"
            r"k\u00e4ufer|auftraggeber|acheteur"
        ),
        "seller": r"seller|supplier|vendor|to|lieferant|verk\u00e4ufer|fournisseur",
        "delivery": r"ship(?:ped)?\s+to|deliver(?:y)?\s+(?:to|address)|lieferadresse|delivery",
        "date": (
            r"(?:order\s+|po\s+|issue\s+)?date|date\s+of\s+(?:order|issue)|issued(?:\s+on)?|dated|datum|bestelldatum"
        ),
        "valid": r"valid\s+(?:until|to|through)|expires(?:\s+on)?|expiry(?:\s+date)?|g\u00fcltig\s+bis",
        "currency": r"currency|w\u00e4hrung|devise",
        "tax_id": (
            r"vat(?:\s*(?:id|no\.?|number|reg(?:istration)?(?:\s+no\.?)?))?|tax\s*(?:id|no\.?|number)|"
            r"ust-?id(?:-?nr\.?)?|tva|ein"
        ),
        "endpoint": r"(?:peppol\s+)?(?:endpoint|participant)(?:\s+id)?",
        "email": r"e-?mail",
        "from": r"from",
        "reference": r"(?:your|our)\s+ref(?:erence)?\.?|customer\s+reference|contact",
        "terms": r"payment(?:\s+terms)?|terms|zahlungsbedingungen",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Head:
    """What the head says; empty or None where it says nothing."""

    number: str
    issued_on: date | None
    valid_until: date | None
    currency: str
    buyer: Party | None
    seller: Party | None
    terms: str
    unread: tuple[str, ...]


def read_head(lines: list[Line]) -> Head:
    """The head of the order on the page `lines`."""
    found: dict[str, list[tuple[int, Segment, str]]] = {}
    for row, segment in _segments(lines):
        for kind, pattern in _LABELS.items():
            if match := pattern.match(segment.text):
                found.setdefault(kind, []).append((row, segment, match["value"].strip()))
                break
    unread: list[str] = []
    buyer, seller = _party(lines, found.get("buyer")), _party(lines, found.get("seller"))
    if buyer is None or not buyer.email:
        buyer = _with_sender(lines, found, buyer)
    return Head(
        number=_order_number(lines),
        issued_on=_date(lines, found.get("date"), "order date", unread),
        valid_until=_date(lines, found.get("valid"), "end of validity", unread),
        currency=_first(lines, found.get("currency")).upper()[:3],
        buyer=buyer,
        seller=seller,
        terms=_first(lines, found.get("terms")),
        unread=tuple(unread),
    )


def _segments(lines: list[Line]) -> Iterator[tuple[int, Segment]]:
    return ((row, segment) for row, line in enumerate(lines) for segment in line)


def _is_label(text: str) -> bool:
    return any(pattern.match(text) for pattern in _LABELS.values())


def _value(lines: list[Line], row: int, segment: Segment, value: str) -> str:
    """Beside the label, in the next column, or below it."""
    if value:
        return value
    after = [each for each in lines[row] if each.start > segment.start]
    if after and not _is_label(after[0].text) and not _ORDER_NUMBER.match(after[0].text):
        return after[0].text
    return next(iter(below(lines, row, segment, limit=2)), "")


def _first(lines: list[Line], found: list[tuple[int, Segment, str]] | None) -> str:
    return next((value for entry in found or () if (value := _value(lines, *entry))), "")


def _date(lines: list[Line], found: list[tuple[int, Segment, str]] | None, what: str, unread: list[str]) -> date | None:
    text = _first(lines, found)
    value = read_date(text) if text else None
    if text and value is None:
        unread.append(f"The {what} {text[:40]!r} is not clear.")
    return value


def _order_number(lines: list[Line]) -> str:
    """By label and number first, then "Purchase order X-1", then "No. X-1" in an order."""
    for row, segment in _segments(lines):
        if match := _ORDER_NUMBER.search(segment.text):
            value = match["value"] or _value(lines, row, segment, "")
            if re.search(r"\d", value) and re.fullmatch(r"[\w./-]{1,40}", value):
                return value.rstrip(".")
    for pattern in (_ORDER_THEN_VALUE, _BARE_NUMBER):
        for _, segment in _segments(lines):
            if match := pattern.search(segment.text):
                return match["value"].rstrip(".")
    return ""


def _party(lines: list[Line], found: list[tuple[int, Segment, str]] | None) -> Party | None:
    """The first label's party: beside the label or in the block below it."""
    for row, segment, value in found or ():
        block = [value, *below(lines, row, segment)] if value else below(lines, row, segment)
        texts = [text for text in block if text]
        if texts and not _is_label(texts[0]):
            return _party_of(texts)
    return None


def _party_of(block: list[str]) -> Party:
    text = "\n".join(block)
    email = EMAIL.search(text)
    name = re.sub(r"[<(]?" + EMAIL.pattern + r"[>)]?", "", block[0]).strip(" ,;-")
    return Party(
        name=name,
        tax_id=_labelled(block, "tax_id"),
        endpoint=_endpoint(_labelled(block, "endpoint")),
        contact=Contact(email=email[0]) if email else None,
    )


def _labelled(block: list[str], kind: str) -> str:
    return next(
        (match["value"].strip() for text in block if (match := _LABELS[kind].match(text)) and match["value"]), ""
    )


def _endpoint(text: str) -> Identifier | None:
    if not text:
        return None
    scheme, colon, value = text.rpartition(":")
    return Identifier(value=value.strip(), scheme=scheme.strip() if colon else "")


def _with_sender(
    lines: list[Line], found: dict[str, list[tuple[int, Segment, str]]], buyer: Party | None
) -> Party | None:
    """The buyer with the address of who wrote, and with what is labelled outside any block where no seller is named."""
    sender = _first(lines, found.get("from"))
    written = EMAIL.search(sender) or EMAIL.search(_first(lines, found.get("email")) if "seller" not in found else "")
    tax_id = _first(lines, found.get("tax_id")) if "seller" not in found else ""
    if not (written or tax_id or buyer or sender):
        return None
    if buyer is None and sender and not written:  # "From: ACME GmbH" on a letter, not a mail's header
        return _party(lines, found.get("from"))
    base = buyer or Party()
    return base.model_copy(
        update={
            "contact": Contact(email=written[0], name=_display_name(sender)) if written else base.contact,
            "tax_id": base.tax_id or tax_id,
        }
    )


def _display_name(sender: str) -> str:
    return sender.partition("<")[0].strip(' "') if "<" in sender else ""
