"""Any document to its text and, where it is one, its purchase order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tools.documents.detect import Kind, decode, detect
from tools.documents.errors import (
    AmbiguousDocument,
    DocumentTooLarge,
    EmptyDocument,
    UnreadableDocument,
    UnsupportedDocument,
)
from tools.documents.limits import MAX_BYTES, MAX_CHARACTERS
from tools.documents.mail import Attachment, read_mail
from tools.documents.pdf import read_pdf
from tools.documents.typed import parse_typed_order
from tools.documents.ubl import read_ubl_order
from tools.orders import Order


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What a document holds.

    Attributes:
        text: Its text; empty for XML, whose order says it all.
        order: The purchase order in it; None when it reads like none.
        notes: What was left out, and why, one sentence each.
    """

    name: str
    kind: Kind
    text: str
    order: Order | None
    notes: tuple[str, ...] = ()


async def read_order(name: str, media_type: str, data: bytes) -> ReadDocument:
    """Read a document of any kind that is read: PDF, UBL XML, e-mail, plain text. Its content decides which it is.

    Raises:
        UnreadableDocument: One of its subclasses says why, and its message what to do.
    """
    return await _read(name, media_type, data, attached=False)


async def _read(name: str, media_type: str, data: bytes, *, attached: bool) -> ReadDocument:
    if len(data) > MAX_BYTES:
        raise DocumentTooLarge(name, f"it has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise EmptyDocument(name, "it is empty")
    kind = detect(name, media_type, data)
    match kind:
        case "xml":
            return ReadDocument(name, kind, "", await asyncio.to_thread(read_ubl_order, name, data))
        case "pdf":
            return await _of_text(name, kind, await read_pdf(name, data))
        case "email":
            if attached:
                raise UnsupportedDocument(name, "it is an e-mail inside an e-mail")
            return await _of_mail(name, data)
        case "text":
            return await _of_text(name, kind, decode(data) or "")


async def _of_text(name: str, kind: Kind, text: str) -> ReadDocument:
    if len(text) > MAX_CHARACTERS:
        raise DocumentTooLarge(name, f"it has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    return ReadDocument(name, kind, text, await asyncio.to_thread(parse_typed_order, text))


async def _of_mail(name: str, data: bytes) -> ReadDocument:
    """The order in an attachment goes before one in the body, which as a rule only announces it."""
    mail = await asyncio.to_thread(read_mail, name, data)
    body = await _of_text(name, "email", mail.text)
    notes: list[str] = []
    read = [document for each in mail.attachments if (document := await _attached(each, notes)) is not None]
    orders = [document for document in read if document.order is not None and document.order.lines]
    numbers = {document.order.number for document in orders if document.order is not None}
    if len(numbers) > 1:
        raise AmbiguousDocument(name, f"it holds {len(numbers)} orders: {', '.join(sorted(map(repr, numbers)))}")
    structured = next((document for document in orders if document.kind == "xml"), orders[0] if orders else None)
    if structured is None:
        text = "\n\n".join([mail.text, *(f"[{document.name}]\n{document.text}" for document in read if document.text)])
        return ReadDocument(name, "email", text[:MAX_CHARACTERS], body.order, tuple(notes))
    notes.append(f"The order is read from its attachment {structured.name!r}.")
    return ReadDocument(name, "email", mail.text, structured.order, tuple(notes))


async def _attached(attachment: Attachment, notes: list[str]) -> ReadDocument | None:
    """An attachment as a document of its own; what cannot be read is noted."""
    try:
        return await _read(attachment.name, attachment.media_type, attachment.data, attached=True)
    except UnreadableDocument as error:
        notes.append(f"Its attachment {error.name!r} is not read: {error.problem}.")
        return None
