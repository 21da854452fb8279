"""Text of a PDF, read in a process that is ended when it takes too long or too much."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from pathlib import Path
from typing import Any

from tools.documents.errors import (
    DamagedDocument,
    DocumentTooLarge,
    EncryptedDocument,
    NoTextInDocument,
    UnreadableDocument,
)
from tools.documents.limits import MAX_CHARACTERS, MAX_PAGES, PDF_MEMORY_BYTES, PDF_SECONDS

_WORKER = Path(__file__).with_name("pdf_worker.py")
_MIN_CHARACTERS = 8  # fewer on all pages together is a page number on a scan


async def read_pdf(name: str, data: bytes, *, seconds: float = PDF_SECONDS, max_pages: int = MAX_PAGES) -> str:
    """The text, a form feed between pages.

    Raises:
        UnreadableDocument: One of its subclasses says why.
    """
    answer = await _ask_worker(name, data, seconds, max_pages)
    if (error := answer.get("error")) is not None:
        raise _error(name, error, answer.get("detail"), max_pages)
    text = "\f".join(_trim(page) for page in answer["pages"])
    if len(text.split()) == 0 or sum(map(len, text.split())) < _MIN_CHARACTERS:
        raise NoTextInDocument(name, "its pages hold no text, only pictures of it")
    return text


async def _ask_worker(name: str, data: bytes, seconds: float, max_pages: int) -> dict[str, Any]:
    limits = (max_pages, MAX_CHARACTERS, math.ceil(seconds), PDF_MEMORY_BYTES)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", str(_WORKER), *map(str, limits),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(data), timeout=seconds)
    except TimeoutError:
        raise DocumentTooLarge(name, f"reading it takes more than {seconds:g} seconds") from None
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode != 0 or not out:
        raise DocumentTooLarge(name, "reading it takes more memory or time than it may")
    return json.loads(out)


def _error(name: str, error: str, detail: Any, max_pages: int) -> UnreadableDocument:
    match error:
        case "encrypted":
            return EncryptedDocument(name, "it is protected by a password")
        case "too_many_pages":
            return DocumentTooLarge(name, f"it has {detail} pages; at most {max_pages} are read")
        case "too_much_text":
            return DocumentTooLarge(name, f"it has more than {detail:,} characters of text")
        case "too_complex":
            return DocumentTooLarge(name, "it unpacks to more than may be read")
        case _:
            return DamagedDocument(name, f"it is not a valid PDF ({detail})")


def _trim(page: str) -> str:
    """A page without the white space at the ends of its lines and without runs of empty lines."""
    lines = [line.rstrip() for line in page.splitlines()]
    return "\n".join(line for number, line in enumerate(lines) if line or (number and lines[number - 1])).strip("\n")
