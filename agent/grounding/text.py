"""Values that name things, found in running text: whole words, by type, in the ways people write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tools.money import Money, decimals
from tools.values import EMAIL, ENTITIES, URL

MONEY = "money"
NUMBER = "number"
_AFTER_URL = ".,;:!?)]}*_"  # belongs to the sentence
MAX_SCANNED = 50_000  # characters of one text; a longer one is cut here, not refused

_ENTITIES = [(f"ref:{entity.kind}", re.compile(rf"(?<![\w-])(?:{entity.pattern})(?![\w-])")) for entity in ENTITIES]
_EMAIL = re.compile(rf"(?<![\w.%+-]){EMAIL.pattern}(?![\w-])")

# ISO 4217 codes that are looked for beside a number; other three-letter words there are units, not money.
_CODES = (
    "AED AUD BGN BRL CAD CHF CLP CNY CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW KWD MXN MYR NOK NZD PHP PLN RON "
    "RSD SAR SEK SGD THB TND TRY TWD UAH USD VND ZAR"
).split()
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "zł": "PLN", "us$": "USD"}
_WORDS = {
    "euro": "EUR",
    "euros": "EUR",
    "dollar": "USD",
    "dollars": "USD",
    "pound": "GBP",
    "pounds": "GBP",
    "francs": "CHF",
    "eur": "EUR",
    "usd": "USD",
    "gbp": "GBP",
    "chf": "CHF",
}
_AMOUNT = r"\d{1,3}(?:[.,'\u2019\u00a0\u202f]\d{3})+(?:[.,]\d{1,3})?|\d+(?:[.,]\d{1,3})?"
_CURRENCY = "|".join([*map(re.escape, sorted(_SIGNS, key=len, reverse=True)), *_CODES, *(rf"{w}\b" for w in _WORDS)])
_BEFORE = re.compile(rf"(?<!\w)((?i:{_CURRENCY}))[ \u00a0]?({_AMOUNT})(?![\w%]|[.,]\d)")
_AFTER = re.compile(rf"(?<![\w.,-])({_AMOUNT})[ \u00a0]?((?i:{_CURRENCY}))(?!\w)")
_BARE = re.compile(r"(?<![\w.,/-])(\d{1,3}(?:[,.'\u2019]\d{3})+[.,]\d{2}|\d+[.,]\d{2})(?![\w%/-]|[.,]\d)")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATES = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}"
    rf"|\b{_MONTH}\.? +{_DAY}\b(?:,? +\d{{4}})?|\b{_DAY}\.? +{_MONTH}\b(?: +\d{{4}})?",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"(?<![\w.,-])\d+(?:\.\d+)?(?![\w%-]|[.,]\d)")


def find(text: str, currencies: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`(type, wire form)` of each value in `text`; what one value takes, no other reads: "June 13" holds no number 13.

    Args:
        text: Any text; only its first `MAX_SCANNED` characters are read.
        currencies: ISO 4217 codes that an amount without a currency ("320.00") may be in; it is known in each.
    """
    rest = text[:MAX_SCANNED]

    def take(match: re.Match[str]) -> str:
        return "\x00" * len(match[0])

    for match in URL.finditer(rest):
        yield "url", match[0].rstrip(_AFTER_URL)
    for kind, pattern in ((("email", _EMAIL)), *_ENTITIES):
        yield from ((kind, canonical(kind, match[0])) for match in pattern.finditer(rest))
        rest = pattern.sub(take, rest)
    rest = _DATES.sub(take, rest)
    for pattern, amount, currency in ((_BEFORE, 2, 1), (_AFTER, 1, 2)):
        for match in pattern.finditer(rest):
            yield MONEY, str(_money(match[amount], _code(match[currency])))
        rest = pattern.sub(take, rest)
    for match in _BARE.finditer(rest):
        yield from ((MONEY, str(_money(match[1], code))) for code in currencies)
    rest = _BARE.sub(take, rest)
    yield from ((NUMBER, match[0]) for match in _NUMBERS.finditer(rest))


def canonical(kind: str, value: str) -> str:
    """The form in which values of `kind` are compared: an e-mail in lower case, money as `Money` writes it."""
    if kind == "email":
        return value.lower()
    if kind == MONEY:
        try:
            return str(Money.parse(value))
        except ValueError:
            return value
    return value


def _code(written: str) -> str:
    word = written.lower()
    return _SIGNS.get(word) or _WORDS.get(word) or written.upper()


def _money(amount: str, currency: str) -> Money:
    """Money from digits with any separators. A lone separator before three digits groups thousands, unless the
    currency has three decimals: "1.250 EUR" and "1,250 EUR" are both 1250."""
    whole, fraction = amount, ""
    point = max(amount.rfind("."), amount.rfind(","))
    if point >= 0:
        separators = sum(not character.isdigit() for character in amount)
        after = amount[point + 1 :]
        mixed = separators > 1 and amount.count(amount[point]) == 1
        if mixed or (separators == 1 and (len(after) != 3 or decimals(currency) == 3)):
            whole, fraction = amount[:point], after
    digits = re.sub(r"\D", "", whole)
    return Money.of(f"{digits}.{fraction}" if fraction else digits, currency)
