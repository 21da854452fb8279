"""What a customer owes us: every invoice that is neither paid nor void, drafts included, less what was paid on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.money import Money

if TYPE_CHECKING:
    from prisma import Prisma


@dataclass(frozen=True, slots=True)
class Credit:
    """In the customer's own currency. `others` are open amounts in other currencies, which no limit covers."""

    limit: Money
    open: Money
    others: tuple[Money, ...] = ()

    @property
    def left(self) -> Money:
        """May be negative."""
        return Money(self.limit.minor - self.open.minor, self.limit.currency)


async def credit_of(db: Prisma, customer_id: str) -> Credit:
    """The credit of an existing customer, as of now."""
    customer = await db.customer.find_unique_or_raise(where={"id": customer_id})
    invoices = await db.invoice.find_many(
        where={"customer_id": customer_id, "status": {"in": ["draft", "issued"]}},
        include={"payments": {"where": {"status": "succeeded"}}},
    )
    open_minor: dict[str, int] = {}
    for invoice in invoices:
        paid = sum(payment.amount_minor for payment in invoice.payments)
        open_minor[invoice.currency] = open_minor.get(invoice.currency, 0) + invoice.total_minor - paid
    return Credit(
        limit=Money(customer.credit_limit_minor, customer.currency),
        open=Money(open_minor.pop(customer.currency, 0), customer.currency),
        others=tuple(Money(minor, currency) for currency, minor in sorted(open_minor.items())),
    )
