"""Customers as tools show them, and finding one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from tools import names
from tools.errors import NotFound
from tools.values import EMAIL, Customer, Email, Ref

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models

MAX_SCANNED = 10_000  # customers whose names are compared in one search
MAX_MATCHES = 5
MIN_NUMBER = 6  # letters and digits of a tax id

Match = Literal["exact", "similar"]


class FoundCustomer(BaseModel):
    """A customer that may be the one asked for. `match` says how sure that is, `number` by which one it was found."""

    id: Ref[Customer]
    name: str
    email: Email | None
    country: str
    active: bool
    match: Match
    number: str | None = None


def email_or_none(text: str | None) -> str | None:
    """`text` where it has the form of an address."""
    return text if text and EMAIL.fullmatch(text) else None


async def customer_or_error(db: Prisma, tenant_id: str, customer_id: str) -> models.Customer:
    """The tenant's customer with this identifier.

    Raises:
        NotFound: There is none.
    """
    row = await db.customer.find_first(where={"id": customer_id, "tenant_id": tenant_id})
    if row is None:
        raise NotFound("customer", customer_id, hint="Look it up with find_customer.")
    return row


async def find_customers(db: Prisma, tenant_id: str, query: str) -> list[tuple[models.Customer, Match]]:
    """Customers by identifier, e-mail, tax id or endpoint (exact), else by name (exact or similar), best first.

    A value or a whole name hides the similar ones. A name without its legal form does not hide those that it begins:
    "Acme" may be ACME GmbH or Acme Tooling Ltd. At most `MAX_MATCHES`.
    """
    wanted = query.strip()
    rows = await db.customer.find_many(where={"tenant_id": tenant_id}, order={"name": "asc"}, take=MAX_SCANNED)
    exact = [row for row in rows if _is(row, wanted)] or [row for row in rows if names.same(wanted, row.name)]
    if exact:
        found: list[tuple[models.Customer, Match]] = [(row, "exact") for row in exact]
        if not any(_is(row, wanted) or wanted.casefold() == row.name.casefold() for row in exact):
            found.extend((row, "similar") for row in rows if names.begins(wanted, row.name))
        return found[:MAX_MATCHES]
    scored = sorted(((names.likeness(wanted, row.name), row) for row in rows), key=lambda pair: -pair[0])
    return [(row, "similar") for score, row in scored[:MAX_MATCHES] if score >= names.SIMILAR * 100]


def number_of(row: models.Customer, wanted: str) -> str | None:
    """`wanted` where it is the customer's tax id or endpoint, whatever stands between its letters and digits."""
    wanted = wanted.strip()
    number = names.identifier(wanted)
    is_tax_id = len(number) >= MIN_NUMBER and number == names.identifier(row.tax_id or "")
    is_endpoint = bool(row.endpoint) and wanted in (row.endpoint, (row.endpoint or "").rpartition(":")[2])
    return wanted if is_tax_id or is_endpoint else None


def _is(row: models.Customer, wanted: str) -> bool:
    """Whether `wanted` is one of the values that name this customer alone."""
    return wanted == row.id or wanted.casefold() == row.email.casefold() or number_of(row, wanted) is not None
