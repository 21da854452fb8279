"""What is still to be paid on an invoice, and what may be taken of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import Conflict
from tools.money import Money

if TYPE_CHECKING:
    from prisma.client import models


def outstanding(invoice: models.InvoiceWithRelations) -> Money:
    """What is still to be paid on it; its succeeded payments are loaded. Nothing on a void one or a paid one."""
    if invoice.status in ("void", "paid"):
        return Money(0, invoice.currency)
    paid = sum(payment.amount_minor for payment in invoice.payments)
    return Money(invoice.total_minor - paid, invoice.currency)


def payable(invoice: models.InvoiceWithRelations, amount: Money | None) -> Money:
    """What is taken when `amount` is asked for: all that is outstanding where it is None.

    Raises:
        Conflict: It is not issued, is paid already, or less than `amount` is outstanding.
    """
    called, left = invoice.number or invoice.id, outstanding(invoice)
    if invoice.status == "draft":
        raise Conflict(f"Invoice {called} is a draft: issue it before taking a payment.")
    if invoice.status != "issued" or left.minor <= 0:
        raise Conflict(f"Invoice {called} is {invoice.status} already; nothing is outstanding.")
    if amount is None:
        return left
    if amount.currency != invoice.currency:
        raise Conflict(f"Invoice {called} is in {invoice.currency}, not in {amount.currency}.")
    if not 0 < amount.minor <= left.minor:
        raise Conflict(f"Invoice {called} has {left} outstanding; {amount} cannot be taken.")
    return amount
