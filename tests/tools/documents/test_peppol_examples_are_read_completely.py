"""The orders of OpenPEPPOL in shared/data: nothing in the file is missing from what is read of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from xml.etree import ElementTree

import pytest

from tests.support.peppol import EXAMPLES, beside_the_checkout
from tools.documents import read_order
from tools.documents.ubl import read_ubl_order
from tools.orders import Order

pytestmark = beside_the_checkout
FILES = ("Order_Example.xml", "UC1_Order.xml", "UC2_Order.xml", "UC3_Order.xml")
# Which list a code is from says nothing of the order; the bytes of an attachment stay in the file.
NOT_KEPT = {"ISO4217", "ISO3166-1:Alpha2", "UNECERec20", "UNCL5305"}


def example(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


def plain(value: object) -> str:
    text = " ".join(str(value).split())
    try:
        return str(Decimal(text).normalize())
    except InvalidOperation:
        return text


def values(node: Any) -> Iterator[str]:
    """Every scalar of a dumped order."""
    if isinstance(node, dict):
        for inner in cast("dict[str, Any]", node).values():
            yield from values(inner)
    elif isinstance(node, list | tuple):
        for inner in cast("list[Any]", node):
            yield from values(inner)
    elif isinstance(node, bool):
        yield str(node).lower()
    elif node is not None:
        yield plain(node)


@pytest.mark.parametrize("name", FILES)
def test_every_text_and_attribute_of_the_file_is_in_the_order(name: str):
    read = set(values(read_ubl_order(name, example(name)).model_dump()))
    missing: list[str] = []
    for element in ElementTree.fromstring(example(name)).iter():
        tag = element.tag.rpartition("}")[2]
        if tag == "EmbeddedDocumentBinaryObject":
            element.text = None
        said = [element.text or "", *element.attrib.values()]
        missing += [f"{tag}: {text}" for text in said if text.strip() and plain(text) not in read | NOT_KEPT]
    assert missing == []


def test_the_full_example_is_read_part_by_part():
    order = read_ubl_order("Order_Example.xml", example("Order_Example.xml"))
    assert (order.number, order.sales_number, order.type_code, order.currency) == ("34", "112233", "220", "NOK")
    assert str(order.issued_on) == "2018-09-01"
    assert str(order.issued_time) == "12:30:00"
    assert order.validity is not None
    assert str(order.validity.end) == "2013-01-31"
    assert {(each.kind, each.id) for each in order.references} == {
        ("quotation", "QuoteID123"), ("order", "RjectedOrderID123"), ("originator", "MAFO"),
        ("catalogue", "Cat2023-03-07"), ("additional", "Doc1"), ("additional", "Doc2"),
        ("contract", "34322"), ("project", "PID33"),
    }  # fmt: skip
    assert order.references[4].uri == "http://www.suppliersite.eu/sheet001.html"
    assert (order.references[5].file_name, order.references[5].media_type) == ("Hours-spend.csv", "application/pdf")
    assert order.payment_terms == ("Payment terms description",)
    assert order.tax_amount == Decimal("100.00")
    assert order.totals.model_dump() == {
        "lines": Decimal("6525.00"),
        "tax_exclusive": Decimal("6272.50"),
        "tax_inclusive": Decimal("6372.50"),
        "allowances": Decimal("652.50"),
        "charges": Decimal("400.00"),
        "prepaid": Decimal("10.00"),
        "rounding": Decimal("0.50"),
        "payable": Decimal("6363"),
    }


def test_the_parties_of_the_full_example_have_their_numbers_addresses_and_contacts():
    order = read_ubl_order("Order_Example.xml", example("Order_Example.xml"))
    buyer, seller, payer = order.buyer, order.seller, order.accounting_customer
    assert buyer is not None
    assert seller is not None
    assert payer is not None
    assert order.originator is not None
    assert (buyer.name, buyer.legal_name, str(buyer.endpoint), buyer.tax_id, buyer.tax_scheme) == (
        "Helseforetak", "Helseforetak AS", "0192:987654325", "NO9311867455MVA", "VAT",
    )  # fmt: skip
    assert str(buyer.registration) == "0082:931186755"
    assert [str(each) for each in buyer.identifications] == ["0088:7300010000001"]
    assert buyer.address is not None
    assert buyer.address.lines == ("Address Line 3",)
    assert (buyer.address.city, buyer.address.postal_code, buyer.address.country) == ("Oslo", "0501", "NO")
    assert (buyer.email, seller.email) == ("post@helseforetak.no", "post@medical.no")
    assert payer.called == "Accounting"
    assert order.originator.called == "Helseavdeling"
    delivery = order.deliveries[0]
    assert delivery.address is not None
    assert delivery.period is not None
    assert delivery.party is not None
    assert (str(delivery.location), delivery.address.city) == ("0088:7300010000001", "Lørenskog")
    assert (str(delivery.period.start), str(delivery.period.end_time)) == ("2012-10-10", "18:00:00")
    assert delivery.party.email == "ole@helseforetak.no"


def test_the_lines_of_the_full_example_have_allowances_prices_items_and_taxes():
    first, second = read_ubl_order("Order_Example.xml", example("Order_Example.xml")).lines
    assert (first.quantity, first.unit, first.amount, first.price) == (120, "EA", Decimal("6300.00"), Decimal("50.000"))
    assert [(each.charge, each.amount, each.percent, each.base, each.reason) for each in first.allowances] == [
        (True, Decimal("600.00"), None, None, "Miscellaneous services"),
        (False, Decimal("300.00"), Decimal(5), Decimal("6000.00"), "Discount"),
    ]
    assert first.gross_price == Decimal("60.00")
    assert first.expected_amount == first.amount
    item = first.item
    assert (item.buyer_id, item.seller_id, item.manufacturer_id, str(item.standard_id)) == (
        "123456", "121212", "manid659", "0160:7560000012345",
    )  # fmt: skip
    assert item.tax is not None
    assert (item.tax.category, item.tax.percent) == ("S", 25)
    assert (item.properties[0].name, item.properties[0].value, item.properties[0].quantity) == ("Length", "30 mm", 30)
    assert (item.instances[0].serial, item.instances[0].lot) == ("SE-123456", "LO-123456")
    assert (first.accounting_cost, first.notes) == ("12345678", ("Freetext note on line 1",))
    assert (second.item.name, second.partial_delivery, second.expected_amount) == ("Wet tissues", True, Decimal(225))


@pytest.mark.parametrize("name", FILES)
async def test_an_example_is_read_the_same_way_through_the_front_door(name: str):
    read = await read_order(name, "application/xml", example(name))
    assert read.kind == "xml"
    assert isinstance(read.order, Order)
    assert read.order == read_ubl_order(name, example(name))
