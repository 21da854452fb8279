"""Whether each line names a product of ours, at our price, in our unit, in a quantity that can be delivered."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tools.orders.findings import Finding, amount, blocking, info, number, quoted, warning
from tools.orders.order import Order, OrderLine
from tools.orders.records import ProductFacts, Records, gtin_of, product_of

# Codes that all mean "so many of them". Source: UN/ECE Recommendation 20 (C62 one, EA each, H87 piece, NAR number of
# articles, NMB number, PCE and XPP are piece in older lists and as a package).
_PIECES = frozenset("C62 EA H87 NAR NMB PCE PCS ST XPP".split())
_MAX_QUANTITY = Decimal(10) ** 9


def check_lines(order: Order, records: Records) -> Iterator[Finding]:
    seen: set[str] = set()
    for line in order.lines:
        if line.id in seen:
            yield warning("line_repeated", f"Two lines of the order are numbered {quoted(line.id)}.")
        seen.add(line.id)
        where = f"Line {quoted(line.id)} ({quoted(line.item.called) or 'no name'})"
        yield from _quantity(line, where)
        product = product_of(line, records.products)
        if product is None:
            yield blocking("unknown_product", f"{where}: {_named(line)} is not in our catalogue.")
            continue
        yield from _product(line, product, where)
        yield from _price(order, line, product, where, records)


def _quantity(line: OrderLine, where: str) -> Iterator[Finding]:
    if line.quantity is None:
        yield blocking("quantity_missing", f"{where}: no quantity is stated.")
    elif not 0 < line.quantity <= _MAX_QUANTITY:
        yield blocking("quantity_invalid", f"{where}: a quantity of {number(line.quantity)} cannot be delivered.")
    elif line.quantity != round(line.quantity, 3):
        yield blocking(
            "quantity_invalid", f"{where}: a quantity of {number(line.quantity)} has more than three decimals."
        )
    elif line.unit in _PIECES and line.quantity != line.quantity.to_integral_value():
        yield blocking("quantity_invalid", f"{where}: {number(line.quantity)} pieces cannot be delivered.")


def _product(line: OrderLine, product: ProductFacts, where: str) -> Iterator[Finding]:
    if not product.active:
        yield blocking("inactive_product", f"{where}: {product.sku} {product.name} is not sold any more.")
    if not line.item.seller_id and not gtin_of(line):
        yield info(
            "product_matched_by_name", f"{where}: it gives no number of ours; taken as {product.sku} by its name."
        )
    elif line.item.seller_id and gtin_of(line) and product.gtin and gtin_of(line) != product.gtin.lstrip("0"):
        yield warning("product_number_differs", f"{where}: its GTIN is not that of {product.sku} ({product.gtin}).")
    if line.unit and not same_unit(line.unit, product.unit):
        yield blocking(
            "unit_differs", f"{where}: ordered in {quoted(line.unit)}; we sell {product.sku} by {product.unit}."
        )
    elif line.unit and line.base_unit and not same_unit(line.unit, line.base_unit):
        yield blocking(
            "unit_differs", f"{where}: ordered in {quoted(line.unit)}, but its price is by {quoted(line.base_unit)}."
        )


def _price(order: Order, line: OrderLine, product: ProductFacts, where: str, records: Records) -> Iterator[Finding]:
    if product.price.currency != order.currency:
        if order.currency in records.currencies:
            message = f"{where}: we sell {product.sku} in {product.price.currency}, not in {order.currency}."
            yield blocking("product_currency_differs", message)
        return
    if line.base_quantity <= 0 or (line.price is not None and line.price < 0):
        yield blocking("price_differs", f"{where}: its price of {line.price} for {line.base_quantity} is impossible.")
    elif line.price is None:
        yield info("price_missing", f"{where}: it states no price; ours is {product.price}.")
    elif line.price != product.price.decimal * line.base_quantity:
        theirs = amount(line.price, order.currency)
        per = "" if line.base_quantity == 1 else f" for {number(line.base_quantity)}"
        message = f"{where}: the order says {theirs}{per}, the catalogue {product.price} each."
        # A price that the user gave is the user's to give.
        yield warning("price_differs", message) if order.source == "request" else blocking("price_differs", message)


def same_unit(one: str, other: str) -> bool:
    return one == other or (one in _PIECES and other in _PIECES)


def _named(line: OrderLine) -> str:
    item = line.item
    standard = str(item.standard_id) if item.standard_id else ""
    return quoted(" ".join(part for part in (item.seller_id or standard, item.name) if part)) or "it"
