"""What an invoicing system does for us. The ledger is one; a provider's API is another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, Protocol

from tools.money import Money
from tools.quantity import Quantity
from tools.system import System

if TYPE_CHECKING:
    from prisma.client import models
    from tools.context import ToolContext


Status = Literal["draft", "issued", "paid", "void"]


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line; `net` is what it comes to before tax, rounded once. `unit_price` below zero is a discount."""

    description: str
    quantity: Quantity
    unit: str
    unit_price: Money
    net: Money
    tax_rate_bp: int
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice to be drafted, in one currency. `order_id` is the `PurchaseOrder` it invoices, if any."""

    customer_id: str
    currency: str
    lines: tuple[DraftLine, ...]
    due_on: date
    order_id: str | None = None


class Invoices(System, Protocol):
    """Effects take `ctx.idempotency_key`: drafting or paying again with one key answers with what it did at first.

    A local system works in `ctx.db`, so its effect and the record of it commit together. One outside sends the key
    along, heeds `ctx.attempt`, and keeps what it was answered in `ctx.db`; effects raise `OutcomeUnknown` when nobody
    can tell whether they took place. Rows returned include customer, order and succeeded payments.
    """

    async def draft(self, ctx: ToolContext, draft: Draft) -> models.InvoiceWithRelations:
        """A new draft, as rows in `ctx.db`. Asks nothing of a system outside: `place` does, once they are committed."""
        ...

    async def drafted(self, ctx: ToolContext) -> models.InvoiceWithRelations | None:
        """The rows of what a call with this key drafted before, if one did."""
        ...

    async def place(self, ctx: ToolContext, invoice: models.InvoiceWithRelations) -> models.InvoiceWithRelations:
        """Bring a draft's rows to the system outside, if they are not there yet; `ctx.db` is no transaction then.

        Raises:
            ToolError: It is not there, and the rows are taken back.
            OutcomeUnknown: It may be there; the rows stay.
        """
        ...

    async def issue(self, ctx: ToolContext, invoice_id: str) -> models.InvoiceWithRelations:
        """Give a draft its number, for good.

        Raises:
            NotFound: There is no such invoice.
            Conflict: It is not a draft.
        """
        ...

    async def find(self, ctx: ToolContext, invoice: str) -> models.InvoiceWithRelations:
        """The invoice with this identifier or number.

        Raises:
            NotFound: There is none.
        """
        ...

    async def list(
        self, ctx: ToolContext, *, customer_id: str | None = None, status: Status | None = None, limit: int
    ) -> list[models.InvoiceWithRelations]:
        """Invoices, newest first."""
        ...

    async def take_payment(self, ctx: ToolContext, invoice_id: str, amount: Money | None) -> models.Payment:
        """Take what is outstanding, or `amount` of it; the whole paid makes the invoice paid.

        Raises:
            NotFound: There is no such invoice.
            Conflict: It is not issued, is paid already, or less than `amount` is outstanding.
            PaymentDeclined: The customer's bank or card refuses it.
        """
        ...

    async def close(self) -> None:
        """Give its connections back."""
        ...
