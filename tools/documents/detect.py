"""What a document is, by its content. Its name only serves to notice that it says something else."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Literal

from tools.documents.errors import MislabelledDocument, UnsupportedDocument

Kind = Literal["pdf", "xml", "email", "text"]

KIND_NAMES: dict[Kind, str] = {"pdf": "a PDF", "xml": "XML", "email": "an e-mail", "text": "plain text"}

# Longest first where one begins another. Source: the formats' own specifications.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"{\\rtf", "a rich text document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
_BY_SUFFIX: dict[str, Kind] = {
    ".pdf": "pdf", ".xml": "xml", ".ubl": "xml", ".eml": "email", ".txt": "text", ".text": "text", ".md": "text",
}  # fmt: skip
_BY_MEDIA_TYPE: dict[str, Kind] = {
    "application/pdf": "pdf", "application/xml": "xml", "text/xml": "xml", "message/rfc822": "email",
}  # fmt: skip
_FOREIGN_SUFFIXES = frozenset(".zip .gz .docx .doc .xlsx .xls .png .jpg .jpeg .gif .tif .tiff .rtf .exe".split())
_HEADER = re.compile(
    r"(?:From|To|Subject|Date|Message-ID|MIME-Version|Received|Return-Path|Content-Type|X-[\w-]+): ?", re.I
)
_PDF_WITHIN = 1024  # bytes in which "%PDF-" may begin. Source: Adobe's implementation note 13 to PDF 1.7


def detect(name: str, media_type: str, data: bytes) -> Kind:
    """The kind of `data`, which is not empty.

    Raises:
        UnsupportedDocument: A picture, an archive, an office document, binary data.
        MislabelledDocument: The name (or, for a name without a known suffix, the media type) says another kind.
    """
    found = _foreign(data) or _kind(data)
    suffix = PurePath(name).suffix.lower()
    said = _BY_SUFFIX.get(suffix) or (
        None if suffix in _FOREIGN_SUFFIXES else _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())
    )
    if said is not None and not _agrees(said, found):
        raise MislabelledDocument(name, f"it says it is {KIND_NAMES[said]} but its content is {_described(found)}")
    if found not in KIND_NAMES:
        raise UnsupportedDocument(name, f"it is {found}")
    if said is None and suffix in _FOREIGN_SUFFIXES:
        raise MislabelledDocument(name, f"it says it is {suffix[1:]} but its content is {_described(found)}")
    return found


def _described(found: Kind | str) -> str:
    return next((text for kind, text in KIND_NAMES.items() if kind == found), found)


def _agrees(said: Kind, found: Kind | str) -> bool:
    """Plain text may turn out to be a saved e-mail or XML; a mail without its usual headers is plain text."""
    return said == found or (said == "text" and found in ("email", "xml")) or (said, found) == ("email", "text")


def _foreign(data: bytes) -> str | None:
    return next((what for magic, what in _FOREIGN if data.startswith(magic)), None)


def _kind(data: bytes) -> Kind | str:
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    text = decode(data[:4096])
    if text is None:
        return "binary data"
    start = text.lstrip("\ufeff \t\r\n")
    if re.match(r"<(?:!doctype\s+html|html)[\s>]", start, re.I):
        return "a web page"
    if re.match(r"<(?:\?xml|!--|!DOCTYPE|[A-Za-z_][\w.-]*(?::[\w.-]+)?[\s/>])", start):
        return "xml"
    return "email" if _looks_like_mail(start) else "text"


def _looks_like_mail(text: str) -> bool:
    """Two of the usual header fields in the block before the first empty line, which holds nothing but headers."""
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0].splitlines()
    fields = [line for line in head if not line.startswith((" ", "\t"))]
    if not all(re.match(r"[!-9;-~]+:", line) for line in fields):
        return False
    return sum(bool(_HEADER.match(line)) for line in fields) >= 2


def decode(data: bytes) -> str | None:
    """Text of `data`: by its byte order mark, as UTF-8, or else as Windows-1252; None for what is not text.

    A cut at the end (a character's first bytes only) is forgiven.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    for bare in ("utf-16-le", "utf-16-be"):  # XML needs no mark. Source: XML 1.0, appendix F
        if data.startswith("<?xml".encode(bare)):
            return data.decode(bare, "replace")
    if b"\x00" in data:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end == len(data) and error.reason == "unexpected end of data":
            text = data[: error.start].decode("utf-8-sig")
        else:
            text = data.decode("cp1252", "replace")
    control = sum(character < " " and character not in "\t\r\n\f" for character in text)
    return None if control > len(text) // 50 else text
