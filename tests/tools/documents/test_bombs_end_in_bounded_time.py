"""Documents that are made to take all the time or memory there is. Each is refused or read within seconds."""

from __future__ import annotations

import asyncio
import gzip
import io
import time
import zipfile

import pytest

from tools.documents.errors import UnreadableDocument
from tools.documents.html_text import html_to_text
from tools.documents.limits import MAX_HTML_CHARACTERS
from tools.documents.read import read_order

SECONDS = 20.0  # on a crowded machine; a fraction of it otherwise
ORDER = b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2">'
MAIL = b"From: a@b.example\nTo: c@d.example\nSubject: x\n"
HTML = MAIL + b"Content-Type: text/html\n\n"
PARTS = MAIL + b"Content-Type: multipart/mixed; boundary=b\n\n"


def archive(member: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(member, b"0" * 20_000_000)
    return buffer.getvalue()


def attached(name: str, data: bytes) -> bytes:
    from base64 import encodebytes

    head = f'--b\nContent-Disposition: attachment; filename="{name}"\nContent-Transfer-Encoding: base64\n\n'
    return PARTS + head.encode() + encodebytes(data) + b"\n--b--\n"


REFUSED = {
    "a zip": ("a.zip", archive("order.xml")),
    "a docx": ("a.docx", archive("word/document.xml")),
    "a gzip": ("a.xml", gzip.compress(b"0" * 20_000_000)),
    "billions of laughs": (
        "a.xml",
        b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + ORDER + b"&b;</Order>",
    ),
    "an external entity": ("a.xml", b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + ORDER + b"&a;</Order>"),
    "many attributes": ("a.xml", b"<a " + b" ".join(b'a%d="x"' % number for number in range(100_000)) + b"/>"),
    "parts in parts": (
        "a.eml",
        MAIL + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(1_000)),
    ),
    "many parts": ("a.eml", PARTS + b"--b\n\nx\n" * 300_000 + b"--b--"),
    "many addresses": ("a.eml", MAIL.replace(b"c@d.example", b"c@d.example, " * 20_000) + b"\nhi"),
    "comments in comments": ("a.eml", MAIL.replace(b"c@d.example", b"(" * 25_000) + b"\nhi"),
    "encoded words": ("a.eml", MAIL.replace(b"Subject: x", b"Subject: " + b"=?utf-8?q?a?= " * 50_000) + b"\nhi"),
    "a file name in pieces": (
        "a.eml",
        PARTS
        + b"--b\nContent-Disposition: attachment"
        + b"".join(b"; filename*%d=a" % i for i in range(20_000))
        + b"\n\n",
    ),
    "much HTML": ("a.eml", HTML + b"<p hidden>" * 150_000),
}
READ = {
    "elements in elements": ("a.xml", ORDER + b"<a>" * 20_000 + b"x" + b"</a>" * 20_000 + b"</Order>"),
    "a zip in a mail": ("a.eml", attached("a.zip", archive("order.xml"))),
    "a docx in a mail": ("a.eml", attached("a.docx", archive("word/document.xml"))),
    "blanks": ("a.txt", b"Order " + b" " * 190_000 + b"x"),
    "digits": ("a.txt", b"Order " + b"1" * 190_000),
    "commas": ("a.txt", b"1," * 90_000),
}


async def timed(name: str, data: bytes) -> float:
    started = time.monotonic()
    await asyncio.wait_for(read_order(name, "", data), SECONDS)
    return time.monotonic() - started


@pytest.mark.parametrize("case", REFUSED)
async def test_a_bomb_is_refused_with_a_reason(case: str):
    name, data = REFUSED[case]
    with pytest.raises(UnreadableDocument) as refused:
        await timed(name, data)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("case", READ)
async def test_what_only_looks_like_one_is_read(case: str):
    name, data = READ[case]
    assert await timed(name, data) < SECONDS


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "mark",
    ["<p hidden>", "<a ", "<!-", "<![CDATA[", "</q>", "&", "<p hidden></q>", "<![CDATA[>", "<?>", "<!-->", "<script>"],
)
def test_the_most_html_that_is_read_takes_seconds(mark: str):
    started = time.monotonic()
    html_to_text((mark * MAX_HTML_CHARACTERS)[:MAX_HTML_CHARACTERS])
    assert time.monotonic() - started < SECONDS
