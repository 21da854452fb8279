from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.credit import credit_of
from tools.customers import customer_or_error, email_or_none
from tools.money import Money
from tools.registry import tool
from tools.values import Customer, Email, Ref


class GetCustomer(BaseModel):
    """Arguments of `get_customer`."""

    customer: Annotated[Ref[Customer], Field(description="Customer id, like cus_acme.")]


class CustomerRecord(BaseModel):
    """All we keep of a customer. `open` is what its unpaid invoices and drafts come to."""

    id: Ref[Customer]
    name: str
    email: Email | None
    tax_id: str | None
    endpoint: str | None
    address: Annotated[str, Field(json_schema_extra={"x-origin": "document"})]  # as the customer wrote it
    country: str
    currency: str
    credit_limit: Money
    open: Money
    credit_left: Money
    active: bool


@tool(effect="read", timeout=5.0)
async def get_customer(args: GetCustomer, ctx: ToolContext) -> CustomerRecord:
    """A customer's record: address, currency, credit limit, open amount."""
    row = await customer_or_error(ctx.db, ctx.tenant_id, args.customer.id)
    credit = await credit_of(ctx.db, row.id)
    return CustomerRecord(
        id=Ref(row.id),
        name=row.name,
        email=email_or_none(row.email),
        tax_id=row.tax_id,
        endpoint=row.endpoint,
        address=", ".join(part for part in (row.street, f"{row.postal_code} {row.city}".strip()) if part),
        country=row.country,
        currency=row.currency,
        credit_limit=credit.limit,
        open=credit.open,
        credit_left=credit.left,
        active=row.active,
    )
