from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.orders.summary import OrderSummary, summarize
from tools.registry import tool
from tools.stored import read_stored
from tools.values import Document, Ref

MAX_SHOWN = 3_000  # characters of text that is no order; a small model reads about 90 tokens a second


class ReadDocumentArguments(BaseModel):
    """Arguments of `read_document`."""

    document: Annotated[Ref[Document], Field(description="Document id, like doc_k3f9xw2m.")]


class DocumentContent(BaseModel):
    """`order` where the document holds one, else its `text`. `notes` say what could not be read."""

    document: Ref[Document]
    name: str
    order: OrderSummary | None = None
    text: str | None = None
    notes: list[str] = []


@tool(effect="read", timeout=30.0, results="document")
async def read_document(args: ReadDocumentArguments, ctx: ToolContext) -> DocumentContent:
    """Read an attached document: a purchase order (PDF, e-mail, XML) or other text."""
    read = await read_stored(ctx.db, ctx.tenant_id, args.document.id)
    order = summarize(read.order) if read.order is not None else None
    notes = list(read.notes)
    if read.order is not None:
        notes += [*read.order.unread, *(f"Not understood: {line!r}." for line in read.order.unread_lines)]
    text = None
    if order is None or not order.lines:
        text = read.text[:MAX_SHOWN] or None
        if len(read.text) > MAX_SHOWN:
            notes.append(f"Only the first {MAX_SHOWN} of {len(read.text)} characters are shown.")
    return DocumentContent(document=args.document, name=read.name, order=order, text=text, notes=notes)
