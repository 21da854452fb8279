from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.customers import FoundCustomer, email_or_none, find_customers, number_of
from tools.registry import tool
from tools.values import Ref


class FindCustomer(BaseModel):
    """Arguments of `find_customer`."""

    query: Annotated[
        str, Field(min_length=1, max_length=120, description="Name, e-mail address, tax id or Peppol endpoint.")
    ]


class FoundCustomers(BaseModel):
    """Best first; `note` says so where none is sure."""

    customers: list[FoundCustomer]
    note: str | None = None


@tool(effect="read", timeout=5.0)
async def find_customer(args: FindCustomer, ctx: ToolContext) -> FoundCustomers:
    """Find customers by name, e-mail, tax id or endpoint. A similar name is not the same customer: ask the user."""
    found = await find_customers(ctx.db, ctx.tenant_id, args.query)
    customers = [
        FoundCustomer(
            id=Ref(row.id),
            name=row.name,
            email=email_or_none(row.email),
            country=row.country,
            active=row.active,
            match=match,
            number=number_of(row, args.query),
        )
        for row, match in found
    ]
    if not customers:
        return FoundCustomers(customers=[], note=f"No customer is called {args.query!r} or anything like it.")
    if customers[0].match == "similar":
        return FoundCustomers(customers=customers, note=f"None is called exactly {args.query!r}; these are similar.")
    if len(customers) > 1:
        return FoundCustomers(customers=customers, note=f"{args.query!r} may be any of these: ask the user which one.")
    return FoundCustomers(customers=customers)
