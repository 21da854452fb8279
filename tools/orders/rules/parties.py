"""Whether the order comes from the customer it is checked for."""

from __future__ import annotations

from collections.abc import Iterator

from tools import names
from tools.orders.findings import Finding, blocking, quoted, warning
from tools.orders.order import Order, Party
from tools.orders.records import CustomerFacts, Records


def check_parties(order: Order, records: Records) -> Iterator[Finding]:
    customer = records.customer
    if customer is None:
        said = quoted(order.buyer.called) if order.buyer and order.buyer.called else "The buyer"
        yield blocking("unknown_customer", f"{said} is not in our customer records.")
        return
    if not customer.active:
        yield blocking("inactive_customer", f"{customer.name} ({customer.id}) is not an active customer.")
    if order.source != "request":
        yield from _buyer(order.buyer, customer)


def _buyer(buyer: Party | None, customer: CustomerFacts) -> Iterator[Finding]:
    """Numbers that name one company decide; without any in common its name does, or else its address."""
    if buyer is None or not (buyer.called or buyer.email or _numbers(buyer)):
        yield blocking("buyer_not_stated", "The order does not say who orders.")
        return
    known = {names.identifier(number) for number in (customer.tax_id, _bare(customer.endpoint)) if number}
    matching = _numbers(buyer) & known
    named = any(names.same(name, customer.name) for name in (buyer.name, buyer.legal_name) if name)
    wrote = buyer.email.casefold() == customer.email.casefold() and bool(buyer.email)
    if not matching and _contradicts(buyer, customer):
        yield blocking(
            "buyer_differs", f"The order is from {_described(buyer)}; our {customer.name} is {_ours(customer)}."
        )
        return
    if not (matching or named or (wrote and not buyer.called)):
        yield blocking("buyer_differs", f"The order is from {_described(buyer)}, not from {customer.name}.")
        return
    if buyer.called and not named:
        yield warning(
            "buyer_details_differ", f"The order names {quoted(buyer.called)!r}; our record says {customer.name!r}."
        )
    if buyer.email and not wrote and not _same_domain(buyer.email, customer.email):
        yield warning(
            "buyer_details_differ", f"The order gives {quoted(buyer.email)}; our record has {customer.email}."
        )


def _contradicts(buyer: Party, customer: CustomerFacts) -> bool:
    """Both state a number of the same sort, and they differ."""
    tax = names.identifier(buyer.tax_id), names.identifier(customer.tax_id or "")
    endpoint = buyer.endpoint.value if buyer.endpoint else "", _bare(customer.endpoint)
    return any(theirs and ours and theirs != ours for theirs, ours in (tax, endpoint))


def _numbers(buyer: Party) -> set[str]:
    found = [buyer.tax_id, *(each.value for each in buyer.identifications)]
    found += [each.value for each in (buyer.endpoint, buyer.registration) if each]
    return {number for text in found if (number := names.identifier(text))}


def _bare(endpoint: str | None) -> str:
    return (endpoint or "").rpartition(":")[2]


def _described(buyer: Party) -> str:
    number = buyer.tax_id or (str(buyer.endpoint) if buyer.endpoint else "")
    named = quoted(buyer.called or buyer.email)
    return " ".join(part for part in (named, f"({quoted(number)})" if number else "") if part)


def _ours(customer: CustomerFacts) -> str:
    return ", ".join(number for number in (customer.tax_id, customer.endpoint) if number)


def _same_domain(one: str, other: str) -> bool:
    return one.rpartition("@")[2].casefold() == other.rpartition("@")[2].casefold()
