"""Taking a file in: what it is by its content, a name that is safe anywhere, its row."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from agent.principal import Principal
from tools import stored
from tools.documents.detect import Kind, detect
from tools.documents.errors import EmptyDocument, UnreadableDocument

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models

_MEDIA_TYPES: dict[Kind, str] = {
    "pdf": "application/pdf",
    "xml": "application/xml",
    "email": "message/rfc822",
    "text": "text/plain",
}
_LONGEST_NAME = 120  # characters
_LONGEST_SUFFIX = 10  # characters, its dot included
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}  # Unicode categories: controls, direction marks, private use


class DocumentRefused(Exception):
    """This file is not taken in. `message` may be shown.

    Attributes:
        code: Stable: `document_empty`, `document_unsupported`, `document_too_large`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def store_document(
    db: Prisma, principal: Principal, *, name: str | None, content: bytes, max_bytes: int, shared: bool = False
) -> models.Document:
    """The row of a new document.

    A file whose name says another kind than its content is taken in as what it is; reading it tells of the difference.

    Raises:
        DocumentRefused: It is empty, larger than `max_bytes`, or of a kind that is not read.
    """
    shown = safe_name(name)
    if len(content) > max_bytes:
        raise DocumentRefused("document_too_large", f"{shown!r} is larger than {max_bytes} bytes.")
    try:
        if not content:
            raise EmptyDocument(shown, "it is empty")
        kind = detect("", "", content)
    except UnreadableDocument as error:
        raise DocumentRefused(error.code, type(error)(shown, error.problem).message) from None
    return await stored.store_document(
        db,
        principal.tenant_id,
        name=shown,
        media_type=_MEDIA_TYPES[kind],
        content=content,
        user_id=principal.user_id,
        shared=shared,
    )


def safe_name(proposed: str | None) -> str:
    """The last part of a path of any system, without what a file system, a terminal or a page might obey."""
    name = PurePosixPath((proposed or "").replace("\\", "/")).name
    name = unicodedata.normalize("NFC", name)
    name = "".join(char for char in name if unicodedata.category(char) not in _INVISIBLE and char not in '<>:"|?*')
    name = name.strip(". ")
    if len(name) > _LONGEST_NAME:
        suffix = PurePosixPath(name).suffix
        suffix = suffix if len(suffix) <= _LONGEST_SUFFIX else ""
        name = name[: _LONGEST_NAME - len(suffix)] + suffix
    return name or "document"
