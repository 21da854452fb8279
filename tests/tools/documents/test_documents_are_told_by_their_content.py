from __future__ import annotations

import pytest

from tests.support.ubl_orders import PLAIN
from tools.documents import read_order
from tools.documents.detect import decode, detect
from tools.documents.errors import (
    DocumentTooLarge,
    EmptyDocument,
    MislabelledDocument,
    UnreadableDocument,
    UnsupportedDocument,
)
from tools.documents.limits import MAX_BYTES, MAX_CHARACTERS
from tools.errors import ToolFailed

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
MAIL = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: Order\r\n\r\nHello\r\n"
TEXT = b"Purchase order PO-1\n"
FOREIGN = {
    "a PNG picture": b"\x89PNG\r\n\x1a\n\x00",
    "a JPEG picture": b"\xff\xd8\xff\xe0",
    "a zip archive or an office document": b"PK\x03\x04\x14\x00",
    "a gzip archive": b"\x1f\x8b\x08\x00",
    "an old office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "a web page": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "a program": b"\x7fELF\x02\x01",
    "binary data": bytes(range(256)),
}


@pytest.mark.parametrize(
    ("name", "media_type", "data", "kind"),
    [
        ("po.pdf", "application/pdf", PDF, "pdf"),
        ("po.PDF", "", b"junk before\n" + PDF, "pdf"),
        ("po.xml", "text/xml", PLAIN.order(), "xml"),
        ("po.eml", "message/rfc822", MAIL, "email"),
        ("po.txt", "text/plain", TEXT, "text"),
        ("po.txt", "text/plain", MAIL, "email"),
        ("po.txt", "text/plain", PLAIN.order(), "xml"),
        ("po", "application/octet-stream", PDF, "pdf"),
        ("po.dat", "", PLAIN.order(), "xml"),
        ("attachment", "", TEXT, "text"),
        ("po.eml", "message/rfc822", b"Just a note without headers.\n", "text"),
        ("po.txt", "", "Größe: 3 Stück".encode("utf-16"), "text"),
        ("po.txt", "", "Größe: 3 Stück".encode("cp1252"), "text"),
    ],
)  # fmt: skip
def test_the_content_decides(name: str, media_type: str, data: bytes, kind: str):
    assert detect(name, media_type, data) == kind


@pytest.mark.parametrize("content", FOREIGN)
@pytest.mark.parametrize("name", ["order.pdf", "order.xml", "order.eml", "order.txt"])
def test_a_file_that_is_not_what_its_name_says_is_refused(name: str, content: str):
    with pytest.raises(MislabelledDocument, match=content) as caught:
        detect(name, "", FOREIGN[content])
    assert caught.value.code == "document_mislabelled"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", TEXT),
        ("a.pdf", MAIL),
        ("a.pdf", PLAIN.order()),
        ("a.xml", PDF),
        ("a.eml", PDF),
        ("a.xml", TEXT),
        ("a.png", PDF),
        ("a.docx", TEXT),
    ],
)
def test_so_is_a_readable_kind_under_the_name_of_another(name: str, data: bytes):
    with pytest.raises(MislabelledDocument):
        detect(name, "", data)


def test_the_media_type_speaks_where_the_name_does_not():
    with pytest.raises(MislabelledDocument):
        detect("order", "application/pdf; charset=binary", TEXT)


@pytest.mark.parametrize("content", FOREIGN)
def test_a_kind_that_is_not_read_is_refused_under_any_name(content: str):
    with pytest.raises(UnsupportedDocument, match=content):
        detect("order", "", FOREIGN[content])


@pytest.mark.parametrize("data", [b"", b"\n \r\n\t", b"\x00" * 4096, b"\xef\xbb\xbf\n"])
async def test_a_file_with_nothing_in_it_is_empty(data: bytes):
    with pytest.raises(EmptyDocument):
        await read_order("order.pdf", "application/pdf", data)


async def test_too_many_bytes_and_too_many_characters_are_refused_whole():
    with pytest.raises(DocumentTooLarge, match="bytes"):
        await read_order("order.txt", "", b"a" * (MAX_BYTES + 1))
    with pytest.raises(DocumentTooLarge, match="characters"):
        await read_order("order.txt", "", b"a" * (MAX_CHARACTERS + 1))


def test_text_is_decoded_even_when_it_is_cut_in_the_middle_of_a_character():
    assert decode("für".encode()[:2]) == "f"
    assert decode("\ufefffür".encode()) == "für"
    assert decode(b"\x01\x02\x03\x04abc") is None


def error_classes() -> list[type[UnreadableDocument]]:
    return UnreadableDocument.__subclasses__()


def test_each_reason_has_a_code_of_its_own_and_a_hint():
    codes = [error.code for error in error_classes()]
    assert len(codes) == 10
    assert len(set(codes)) == len(codes)
    for error in error_classes():
        assert issubclass(error, ToolFailed)
        assert error.code.startswith("document_")
        raised = error("order.pdf", "it is so")
        assert str(raised) == f"'order.pdf' cannot be read: it is so. {error.hint}"
        assert error.hint.endswith(".")
