from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.money import Money
from tools.registry import tool
from tools.values import Product, Ref

MAX_LISTED = 20
MAX_SCANNED = 10_000


class ListProducts(BaseModel):
    """Arguments of `list_products`."""

    query: Annotated[
        str, Field(max_length=80, description="Words of the name, or a SKU like WID-1001. Empty lists all.")
    ] = ""


class ListedProduct(BaseModel):
    """A product that is sold; `price` is for one `unit`, before tax."""

    id: Ref[Product]
    name: str
    unit: str
    price: Money


class ListedProducts(BaseModel):
    """`more` is how many further products fit the query."""

    products: list[ListedProduct]
    more: int = 0


@tool(effect="read", timeout=5.0)
async def list_products(args: ListProducts, ctx: ToolContext) -> ListedProducts:
    """List the products we sell, with prices."""
    rows = await ctx.db.product.find_many(
        where={"tenant_id": ctx.tenant_id, "active": True}, order={"sku": "asc"}, take=MAX_SCANNED
    )
    words = [word.rstrip("s") for word in args.query.casefold().split()]
    fitting = [
        row for row in rows if all(word in f"{row.sku} {row.name} {row.gtin or ''}".casefold() for word in words)
    ]
    listed = [
        ListedProduct(id=Ref(row.sku), name=row.name, unit=row.unit, price=Money(row.unit_price_minor, row.currency))
        for row in fitting[:MAX_LISTED]
    ]
    return ListedProducts(products=listed, more=max(0, len(fitting) - MAX_LISTED))
