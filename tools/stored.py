"""Documents that were uploaded: their bytes by reference, read."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from tools.documents import ReadDocument, read_order
from tools.documents.errors import WrongDocumentType
from tools.errors import NotFound
from tools.ids import unused_id

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models
    from tools.context import ToolContext
    from tools.orders import Order

MAX_KEPT = 32  # documents, each of at most limits.MAX_CHARACTERS
_kept: OrderedDict[tuple[str, str, bytes], ReadDocument] = OrderedDict()


async def read_stored(ctx: ToolContext, document_id: str) -> ReadDocument:
    """The document, read.

    Raises:
        NotFound: There is none with this identifier that this call may read.
        UnreadableDocument: It cannot be read.
    """
    row = await ctx.db.document.find_first(where={**ctx.readable_documents(), "id": document_id})
    if row is None:
        raise NotFound("document", document_id, hint="Ask the user to attach it.")
    return await _read(row.name, row.media_type, bytes(row.content))


async def _read(name: str, media_type: str, content: bytes) -> ReadDocument:
    """`read_order`, with the last few answers kept: one order is read, checked and drafted from within a minute.

    The key holds all that reading depends on, so what is kept is never stale. Errors are not kept.
    """
    key = (name, media_type, hashlib.sha256(content).digest())
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    read = await read_order(name, media_type, content)
    _kept[key] = read
    while len(_kept) > MAX_KEPT:
        _kept.popitem(last=False)
    return read


async def read_stored_order(ctx: ToolContext, document_id: str) -> Order:
    """The order in the document.

    Raises:
        NotFound, UnreadableDocument: As `read_stored`; `WrongDocumentType` also where no order is found in it.
    """
    read = await read_stored(ctx, document_id)
    if read.order is None or not (read.order.lines or read.order.number):
        raise WrongDocumentType(read.name, "no purchase order is found in it")
    return read.order


async def store_document(
    db: Prisma,
    tenant_id: str,
    *,
    name: str,
    media_type: str,
    content: bytes,
    user_id: str | None = None,
    shared: bool = False,
) -> models.Document:
    """A new document row. The same content twice is two documents."""

    async def taken(document_id: str) -> bool:
        return await db.document.find_unique(where={"id": document_id}) is not None

    return await db.document.create(
        data={
            "id": await unused_id("doc", taken),
            "tenant_id": tenant_id,
            "user_id": user_id,
            "shared": shared,
            "name": name,
            "media_type": media_type,
            "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": content,
        }
    )
