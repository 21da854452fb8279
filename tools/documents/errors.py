"""Why a document cannot be read. No other arguments help, so each is a `ToolFailed`; each says what to do instead.

* UnreadableDocument
  + EmptyDocument       nothing in it
  + MislabelledDocument its content is not what its name says
  + UnsupportedDocument a kind that is not read
  + DamagedDocument     its own kind's rules are broken
  + UnsafeDocument      XML with entities or a document type, which no order needs
  + EncryptedDocument   needs a password
  + NoTextInDocument    a scan: pictures of text
  + DocumentTooLarge    too many bytes, pages or characters, or it takes too long
  + WrongDocumentType   a well-formed business document that is not an order
  + AmbiguousDocument   holds more than one order
"""

from __future__ import annotations

from typing import ClassVar

from tools.errors import ToolFailed


class UnreadableDocument(ToolFailed):
    """{name!r} cannot be read: {problem}. {hint}"""

    code = "document_unreadable"
    hint: ClassVar[str] = "Ask the sender for a PDF with text, a UBL order, an e-mail or plain text."

    def __init__(self, name: str, problem: str, *, hint: str | None = None) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"{name!r} cannot be read: {problem}. {self.hint if hint is None else hint}".rstrip())


class EmptyDocument(UnreadableDocument):
    """Nothing in it."""

    code = "document_empty"
    hint = "Ask the sender to send the order again."


class MislabelledDocument(UnreadableDocument):
    """Its content is not what its name says."""

    code = "document_mislabelled"
    hint = "Do not act on it; ask the sender for the real order."


class UnsupportedDocument(UnreadableDocument):
    """A kind that is not read."""

    code = "document_unsupported"


class DamagedDocument(UnreadableDocument):
    """Its own kind's rules are broken."""

    code = "document_damaged"
    hint = "Ask the sender to send it again."


class UnsafeDocument(UnreadableDocument):
    """XML with entities or a document type, which no order needs."""

    code = "document_unsafe"
    hint = "Do not act on it; ask the sender for the real order."


class EncryptedDocument(UnreadableDocument):
    """Needs a password."""

    code = "document_encrypted"
    hint = "Ask the sender for a copy without a password."


class NoTextInDocument(UnreadableDocument):
    """A scan: pictures of text."""

    code = "document_without_text"
    hint = "Scans are not read; ask the sender for a PDF with text, or type the order."


class DocumentTooLarge(UnreadableDocument):
    """Too many bytes, pages or characters, or it takes too long."""

    code = "document_too_large"
    hint = "Ask the sender for the order alone."


class WrongDocumentType(UnreadableDocument):
    """A well-formed business document that is not an order."""

    code = "document_wrong_type"
    hint = "Only a purchase order can be checked and invoiced."


class AmbiguousDocument(UnreadableDocument):
    """Holds more than one order."""

    code = "document_ambiguous"
    hint = "Upload each order as a document of its own."
