from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.support.pdf_files import encrypted_pdf, pdf
from tests.support.ubl_orders import PLAIN
from tools.documents import read_order
from tools.documents.errors import AmbiguousDocument, DocumentTooLarge
from tools.documents.html_text import html_to_text
from tools.documents.limits import MAX_ATTACHMENTS

ORDER_TEXT = "Purchase order PO-5\nBuyer: ACME GmbH\n10 x WID-1001 Widget @ 32.00 EUR = 320.00 EUR\nTotal: 320.00 EUR\n"


def mail(body: str = "See attachment.", **attached: bytes) -> bytes:
    """A message with attachments named by keyword, `_` for `.`."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Jane <jane@acme.example>", "us@demo.example", "Our order"
    message.set_content(body)
    for name, data in attached.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name.replace("_", "."))
    return message.as_bytes()


async def test_the_text_starts_with_the_headers_a_reader_sees():
    read = await read_order("a.eml", "", mail("Hello, how much is a widget?"))
    assert read.text == (
        "From: Jane <jane@acme.example>\nTo: us@demo.example\nSubject: Our order\n\nHello, how much is a widget?"
    )
    assert (read.kind, read.order) == ("email", None)


async def test_an_order_in_the_body_is_read():
    read = await read_order("a.eml", "", mail(ORDER_TEXT))
    assert read.order is not None
    assert (read.order.number, len(read.order.lines)) == ("PO-5", 1)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
async def test_transfer_encodings_and_charsets_are_undone(encoding: str, charset: str):
    message = EmailMessage()
    message["From"], message["Subject"] = "jürgen@acme.example", "Größe"
    message.set_content("Bestellung: zwölf Stück", charset=charset, cte=encoding)
    read = await read_order("a.eml", "", message.as_bytes())
    assert "Subject: Größe" in read.text
    assert read.text.endswith("zwölf Stück")


async def test_an_order_that_is_attached_goes_before_the_body_that_announces_it():
    read = await read_order("a.eml", "", mail("Please find purchase order PO-1 attached.", po_xml=PLAIN.order()))
    assert read.order is not None
    assert (read.order.source, read.order.number) == ("ubl", "PO-1")
    assert read.notes == ("The order is read from its attachment 'po.xml'.",)


async def test_the_structured_form_goes_before_the_printed_one_of_the_same_order():
    printed = pdf("Purchase order PO-1   10 x WID-1001 @ 32.00 EUR")
    read = await read_order("a.eml", "", mail(po_pdf=printed, po_xml=PLAIN.order()))
    assert read.order is not None
    assert read.order.source == "ubl"


async def test_two_orders_in_one_mail_are_not_guessed_between():
    with pytest.raises(AmbiguousDocument, match="'PO-1', 'PO-2'"):
        await read_order("a.eml", "", mail(a_xml=PLAIN.order("PO-1"), b_xml=PLAIN.order("PO-2")))


async def test_an_attachment_that_cannot_be_read_is_named():
    read = await read_order(
        "a.eml", "", mail(po_pdf=encrypted_pdf("x" * 20, user_password="p"), logo_png=b"\x89PNG\r\n\x1a\n")
    )
    assert read.order is None
    assert read.notes == (
        "Its attachment 'po.pdf' is not read: it is protected by a password.",
        "Its attachment 'logo.png' is not read: it is a PNG picture.",
    )


async def test_text_that_is_attached_is_shown_with_its_name():
    read = await read_order("a.eml", "", mail(terms_txt=b"Deliver to gate 4."))
    assert read.text.endswith("[terms.txt]\nDeliver to gate 4.")


async def test_a_mail_in_a_mail_is_not_opened():
    read = await read_order("a.eml", "", mail(inner_eml=mail(ORDER_TEXT)))
    assert read.order is None
    assert read.notes == ("Its attachment 'inner.eml' is not read: it is an e-mail inside an e-mail.",)


async def test_more_attachments_than_are_read_is_too_many():
    with pytest.raises(DocumentTooLarge, match="attachments"):
        await read_order("a.eml", "", mail("", **{f"a{number}_txt": b"x" for number in range(MAX_ATTACHMENTS + 1)}))


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example\nTo: c@d.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nbroken",
        b"From: a@b.example\nTo: c@d.example\nContent-Type: text/plain; charset=klingon\n\nHello there",
        b"From: a@b.example\nTo: c@d.example\nContent-Transfer-Encoding: base64\n\n@@@@not base64",
        b"From: =?x?q?=\nTo: ,,,\nDate: never\n\nHello there",
        b"From: a@b.example\nTo: c@d.example\n\n",
    ],
)
async def test_a_sloppy_mail_is_read_as_far_as_it_goes(raw: bytes):
    assert (await read_order("a.eml", "", raw)).kind == "email"


def test_html_becomes_what_a_person_would_see():
    html = """<html><head><title>no</title><style>p {}</style></head><body><h1>Order</h1><script>evil()</script>
    <p>Two&nbsp;words<br>next line</p><p style="display: none">hidden</p><div hidden>too</div>
    <table><tr><th>SKU</th><th>Qty</th></tr><tr><td>WID-1001</td><td>10</td></tr></table>
    <span style="font-size:0">tiny</span><img alt="x"></body></html>"""
    assert html_to_text(html).split() == "Order Two words next line SKU Qty WID-1001 10".split()
    assert "WID-1001  10" in html_to_text(html)
