"""An invoice as tools show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from tools.invoicing.balance import outstanding
from tools.invoicing.base import Status
from tools.money import Money
from tools.values import Customer, Invoice, Ref

if TYPE_CHECKING:
    from prisma.client import models


class InvoiceCard(BaseModel):
    """`outstanding` is what is still to be paid; `due` is a date."""

    id: Ref[Invoice]
    number: Ref[Invoice] | None
    status: Status
    customer: Ref[Customer]
    customer_name: str
    order_number: str | None
    net: Money
    tax: Money
    total: Money
    outstanding: Money
    due: str


def card(invoice: models.InvoiceWithRelations) -> InvoiceCard:
    """The card of an invoice whose customer, order and succeeded payments are loaded."""
    return InvoiceCard(
        id=Ref(invoice.id),
        number=Ref(invoice.number) if invoice.number else None,
        status=invoice.status.value,
        customer=Ref(invoice.customer_id),
        customer_name=invoice.customer.name,
        order_number=invoice.order.number if invoice.order else None,
        net=Money(invoice.net_minor, invoice.currency),
        tax=Money(invoice.tax_minor, invoice.currency),
        total=Money(invoice.total_minor, invoice.currency),
        outstanding=outstanding(invoice),
        due=invoice.due_on.date().isoformat(),
    )
