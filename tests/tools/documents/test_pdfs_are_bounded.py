"""Each of these starts the worker process, as in production."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.support.pdf_files import decompression_bomb, encrypted_pdf, pdf, pdf_with_stream, scanned_pdf
from tools.documents import pdf as module
from tools.documents.errors import (
    DamagedDocument,
    DocumentTooLarge,
    EncryptedDocument,
    NoTextInDocument,
    UnreadableDocument,
)
from tools.documents.pdf import read_pdf


async def test_pages_are_read_in_order():
    assert (await read_pdf("a.pdf", pdf("First page here", "Second page here"))).split("\f") == [
        "First page here",
        "Second page here",
    ]


async def test_a_pdf_that_anyone_may_open_is_read_and_one_with_a_password_is_not():
    assert await read_pdf("a.pdf", encrypted_pdf("Order PO-1 of ACME", user_password="")) == "Order PO-1 of ACME"
    with pytest.raises(EncryptedDocument, match="password"):
        await read_pdf("a.pdf", encrypted_pdf("Order PO-1 of ACME", user_password="secret"))


async def test_a_scan_says_that_it_has_no_text():
    with pytest.raises(NoTextInDocument, match="only pictures"):
        await read_pdf("a.pdf", scanned_pdf())


async def test_pages_past_the_limit_are_refused_whole():
    with pytest.raises(DocumentTooLarge, match="it has 4 pages; at most 3 are read"):
        await read_pdf("a.pdf", pdf(*"abcd"), max_pages=3)


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7\n", pdf("Order PO-1")[:300], b"%PDF-1.7\n" + os.urandom(2000), pdf_with_stream(b"not packed")]
)
async def test_a_broken_pdf_ends_in_a_typed_error(data: bytes):
    with pytest.raises((DamagedDocument, NoTextInDocument)):
        await read_pdf("a.pdf", data)


async def test_a_decompression_bomb_ends_in_a_typed_error_and_in_bounded_time():
    bomb = decompression_bomb(160)
    assert len(bomb) < 64 * 1024
    started = time.monotonic()
    with pytest.raises(UnreadableDocument):
        await read_pdf("a.pdf", bomb)
    assert time.monotonic() - started < module.PDF_SECONDS + 5


async def test_a_reader_that_never_ends_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    worker = tmp_path / "worker.py"
    worker.write_text(
        f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\nwhile True: time.sleep(1)\n"
    )
    monkeypatch.setattr(module, "_WORKER", worker)
    with pytest.raises(DocumentTooLarge, match="more than 1 seconds"):
        await read_pdf("a.pdf", b"%PDF-", seconds=1.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_cancelled_read_leaves_no_process_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    worker, pid = tmp_path / "worker.py", tmp_path / "pid"
    worker.write_text(f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    monkeypatch.setattr(module, "_WORKER", worker)
    reading = asyncio.create_task(read_pdf("a.pdf", b"%PDF-"))
    while not (pid.exists() and pid.read_text()):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.02)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize("ending", ["raise SystemExit(1)", "import os; os.abort()", "bytearray(1 << 40)"])
async def test_a_reader_that_dies_is_an_error_of_the_document(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    worker = tmp_path / "worker.py"
    worker.write_text(ending)
    monkeypatch.setattr(module, "_WORKER", worker)
    with pytest.raises(DocumentTooLarge, match="more memory or time"):
        await read_pdf("a.pdf", b"%PDF-")
