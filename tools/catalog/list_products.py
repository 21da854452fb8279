from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.money import Money
from tools.registry import tool
from tools.values import Product, Ref

if TYPE_CHECKING:
    from prisma.client.models import Product as ProductRow

MAX_LISTED = 20
MAX_SCANNED = 10_000
_SEVERAL = re.compile(r"\s*[,;]\s*|\s+(?:and|or)\s+", re.IGNORECASE)  # "desk lamp, office chair"


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
    fitting = _fitting(rows, [args.query]) or _fitting(rows, [part for part in _SEVERAL.split(args.query) if part])
    listed = [
        ListedProduct(id=Ref(row.sku), name=row.name, unit=row.unit, price=Money(row.unit_price_minor, row.currency))
        for row in fitting[:MAX_LISTED]
    ]
    return ListedProducts(products=listed, more=max(0, len(fitting) - MAX_LISTED))


def _fitting(rows: Sequence[ProductRow], queries: Sequence[str]) -> list[ProductRow]:
    """Those that hold all words of one of `queries`."""
    wanted = [[word.rstrip("s") for word in query.casefold().split()] for query in queries]
    texts = ((row, f"{row.sku} {row.name} {row.gtin or ''}".casefold()) for row in rows)
    return [row for row, text in texts if any(all(word in text for word in words) for words in wanted)]
