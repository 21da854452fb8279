from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, field_serializer

from tools.context import ToolContext
from tools.orders import Order
from tools.orders.summary import OrderSummary, summarize
from tools.registry import tool
from tools.stored import read_stored
from tools.values import Document, Ref

MAX_SHOWN = 3_000  # characters of text that is no order; a small model reads about 90 tokens a second
MAX_LISTED = 500  # order lines; every one is checked and invoiced


class ReadDocumentArguments(BaseModel):
    """Arguments of `read_document`."""

    document: Annotated[Ref[Document], Field(description="Document id, like doc_k3f9xw2m.")]


class DocumentSummary(BaseModel):
    """`DocumentContent` in the few words that a small model needs of it."""

    document: Ref[Document]
    name: str
    order: OrderSummary | None = None
    text: str | None = None
    notes: list[str] = []


class DocumentContent(BaseModel):
    """`order` where the document holds one, with all that it says; else its `text`. `notes` say what could not be read.

    The lines of a very long order are cut: `more_lines` were left out here.
    """

    document: Ref[Document]
    name: str
    order: Order | None = None
    more_lines: int = 0
    text: str | None = None
    notes: list[str] = []

    @field_serializer("order")
    def _what_it_states(self, order: Order | None) -> dict[str, Any] | None:
        return order.model_dump(mode="json", exclude_defaults=True) if order is not None else None

    def for_model(self) -> DocumentSummary:
        order = summarize(self.order, more_lines=self.more_lines) if self.order is not None else None
        return DocumentSummary(document=self.document, name=self.name, order=order, text=self.text, notes=self.notes)


@tool(effect="read", timeout=30.0, results="document")
async def read_document(args: ReadDocumentArguments, ctx: ToolContext) -> DocumentContent:
    """Read an attached document: a purchase order (PDF, e-mail, XML) or other text."""
    read = await read_stored(ctx, args.document.id)
    order, more_lines, notes, text = read.order, 0, list(read.notes), None
    if order is not None:
        notes += [*order.unread, *(f"Not understood: {line!r}." for line in order.unread_lines)]
        more_lines = max(0, len(order.lines) - MAX_LISTED)
        order = order.model_copy(update={"lines": order.lines[:MAX_LISTED]})
    if order is None or not order.lines:
        text = read.text[:MAX_SHOWN] or None
        if len(read.text) > MAX_SHOWN:
            notes.append(f"Only the first {MAX_SHOWN} of {len(read.text)} characters are shown.")
    return DocumentContent(
        document=args.document, name=read.name, order=order, more_lines=more_lines, text=text, notes=notes
    )
