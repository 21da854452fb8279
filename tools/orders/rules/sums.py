"""Whether the order agrees with itself. Source: Peppol BIS Order rules PEPPOL-T01-R006 to R024, as in EN 16931."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal

from tools.money import decimals
from tools.orders.findings import Finding, amount, blocking, number, quoted, warning
from tools.orders.order import AllowanceCharge, Order, OrderLine

_SLACK = Decimal("0.02")  # of a line and of a percentage. Source: PEPPOL-T01-R022, R024
_ZERO = Decimal(0)


def check_sums(order: Order) -> Iterator[Finding]:
    for line in order.lines:
        yield from _line(order, line)
    yield from _allowances(order, order.allowances, "The order")
    yield from _totals(order)
    yield from _tax(order)
    if order.totals.prepaid:
        yield warning("prepayment_stated", f"The order says {_money(order, order.totals.prepaid)} is already paid.")


def _line(order: Order, line: OrderLine) -> Iterator[Finding]:
    where = f"Line {quoted(line.id)} ({quoted(line.item.called) or 'no name'})"
    yield from _allowances(order, line.allowances, where)
    yield from _price(order, line, where)
    expected = line.expected_amount
    if line.amount is not None and expected is not None and abs(line.amount - expected) > _SLACK:
        sums = f"{number(line.quantity or _ZERO)} x {_money(order, line.price or _ZERO)}"
        if line.base_quantity != 1:
            sums += f" / {number(line.base_quantity)}"
        sums += "".join(f" {'+' if each.charge else '-'} {_money(order, each.amount)}" for each in line.allowances)
        yield blocking(
            "line_total_wrong",
            f"{where}: it says {_money(order, line.amount)}, but {sums} is {_money(order, _rounded(order, expected))}.",
        )


def _price(order: Order, line: OrderLine, where: str) -> Iterator[Finding]:
    """The net price is the gross price less its allowance, where both are stated. Source: as EN 16931, PEPPOL R046."""
    entry = line.price_allowance
    if (
        entry is None
        or entry.base is None
        or line.price is None
        or abs(entry.base + entry.signed - line.price) <= _SLACK
    ):
        return
    sign, right = "+" if entry.charge else "-", _money(order, entry.base + entry.signed)
    sums = f"{_money(order, entry.base)} {sign} {_money(order, entry.amount)}"
    yield blocking("allowance_wrong", f"{where}: its price is {_money(order, line.price)}, but {sums} is {right}.")


def _allowances(order: Order, entries: Iterable[AllowanceCharge], where: str) -> Iterator[Finding]:
    for entry in entries:
        what = quoted(entry.reason) or ("charge" if entry.charge else "discount")
        stated = _money(order, entry.amount)
        if entry.amount < 0:
            yield blocking("allowance_wrong", f"{where}: {what} of {stated} is below zero.")
        elif entry.percent is not None and entry.base is not None:
            expected = entry.base * entry.percent / 100
            if abs(entry.amount - expected) > _SLACK:
                sums = f"{number(entry.percent)} % of {_money(order, entry.base)}"
                right = _money(order, _rounded(order, expected))
                yield blocking("allowance_wrong", f"{where}: {what} is {stated}, but {sums} is {right}.")
        if order.source == "request" or entry.amount == 0:
            continue
        if entry.charge:
            yield warning("charge_stated", f"{where} adds a charge of {stated} ({what}).")
        else:
            yield blocking("discount_not_agreed", f"{where} takes off {stated} ({what}); no discount is on record.")


def _totals(order: Order) -> Iterator[Finding]:
    totals = order.totals
    charges = sum((entry.amount for entry in order.allowances if entry.charge), _ZERO)
    allowances = sum((entry.amount for entry in order.allowances if not entry.charge), _ZERO)
    lines, net = _rounded(order, order.lines_total), _rounded(order, order.net_total)
    loose = _rounding_of_lines(order)
    pairs = (
        ("the lines", totals.lines, lines, loose),
        ("the discounts", totals.allowances, allowances, _ZERO),
        ("the charges", totals.charges, charges, _ZERO),
        ("the net total", totals.tax_exclusive, net, loose),
    )
    for what, stated, expected, slack in pairs:
        if stated is not None and abs(stated - expected) > slack:
            yield _wrong(order, what, stated, expected)
    if totals.tax_exclusive is not None and abs(totals.tax_exclusive - net) <= loose:
        net = totals.tax_exclusive
    gross = net + (order.tax_amount or _ZERO)
    if totals.tax_inclusive is not None and order.tax_amount is not None and totals.tax_inclusive != gross:
        yield _wrong(order, "the total with tax", totals.tax_inclusive, gross)
    yield from _payable(order, net)


def _rounding_of_lines(order: Order) -> Decimal:
    """How far a sum may be off because lines without an amount were rounded one by one before they were added."""
    rounded = sum((line.amount is None and line.expected_amount is not None for line in order.lines), 0)
    return rounded * Decimal(5).scaleb(-decimals(order.currency) - 1)


def _payable(order: Order, net: Decimal) -> Iterator[Finding]:
    """What is to be paid: with the stated tax; without any, before tax or with the tax of the stated rates."""
    totals = order.totals
    if totals.payable is None:
        if totals.tax_inclusive is None and order.source != "request":
            yield warning("total_missing", "The order states no total to compare with.")
        return
    if totals.payable < 0:
        yield _wrong(order, "the amount to pay", totals.payable, net)
        return
    if totals.tax_inclusive is not None:
        expected = [totals.tax_inclusive]
    elif order.tax_amount is not None:
        expected = [net + order.tax_amount]
    else:
        expected = [net, net + (tax_by_rates(order) or _ZERO)]
    expected = [value - (totals.prepaid or _ZERO) + (totals.rounding or _ZERO) for value in expected]
    if totals.payable not in expected:
        yield _wrong(order, "the amount to pay", totals.payable, expected[0])
    elif totals.rounding is not None and abs(totals.rounding) >= 1:
        yield _wrong(order, "the rounding", totals.rounding, _ZERO)


def _tax(order: Order) -> Iterator[Finding]:
    """Only a warning: the seller's invoice decides the tax, the order merely anticipates it."""
    parts = [each.amount for each in order.tax_subtotals if each.amount is not None]
    if order.tax_amount is not None and parts and sum(parts, _ZERO) != order.tax_amount:
        yield warning(
            "tax_differs",
            f"The order expects {_money(order, order.tax_amount)} of tax; by category it says "
            f"{_money(order, sum(parts, _ZERO))}.",
        )
    expected = tax_by_rates(order)
    if order.tax_amount is not None and expected is not None and abs(order.tax_amount - expected) > _SLACK:
        rates = _money(order, expected)
        yield warning(
            "tax_differs", f"The order expects {_money(order, order.tax_amount)} of tax; its own rates make {rates}."
        )


def tax_by_rates(order: Order) -> Decimal | None:
    """Tax by the rates that the lines and allowances state, rounded a rate; None unless every line states one."""
    bases: dict[Decimal, Decimal] = {}
    for line in order.lines:
        value = line.amount if line.amount is not None else line.expected_amount
        if line.item.tax is None or line.item.tax.percent is None or value is None:
            return None
        bases[line.item.tax.percent] = bases.get(line.item.tax.percent, _ZERO) + value
    for entry in order.allowances:
        if entry.tax is None or entry.tax.percent is None:
            if len(bases) != 1:
                return None
            rate = next(iter(bases))
        else:
            rate = entry.tax.percent
        bases[rate] = bases.get(rate, _ZERO) + entry.signed
    return sum((_rounded(order, base * rate / 100) for rate, base in bases.items()), _ZERO) if bases else None


def _wrong(order: Order, what: str, stated: Decimal, expected: Decimal) -> Finding:
    verb = "are" if what.endswith("s") else "is"
    return blocking(
        "total_wrong",
        f"The order says {what} {verb} {_money(order, stated)}; by its own figures {_money(order, expected)} is right "
        f"({_money(order, abs(stated - expected))} too {'much' if stated > expected else 'little'}).",
    )


def _rounded(order: Order, value: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals(order.currency)), ROUND_HALF_UP)


def _money(order: Order, value: Decimal) -> str:
    return amount(value, order.currency)
