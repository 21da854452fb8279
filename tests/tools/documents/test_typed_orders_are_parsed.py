"""Layouts that purchase orders come in as text, and what must not be taken for one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.documents.typed import parse_typed_order
from tools.documents.typed.dates import read_date
from tools.documents.typed.numbers import amounts, decimal_mark, to_decimal
from tools.orders import Order

TABLE = """
                      PURCHASE ORDER
Order no.: 4500-123                  Date: 20.11.2026
Buyer                                Supplier
ACME GmbH                            Demo company
Hafenstr. 12                         Speicherstrasse 1
VAT ID: DE811907980                  VAT ID: DE999999999
purchasing@acme.example              orders@demo-company.example

Pos  SKU        Description               Qty  Unit   Unit price     Amount
1    WID-1001   Widget, blue, with a      10   pcs       32,00 €      320,00 €
                very long name
2    DES-3001   Standing desk             12   pcs      489,00 €    5.868,00 €

                                      Subtotal       6.188,00 €
                                      Freight           50,00 €
                                      Discount 10%    -618,80 €
                                      VAT 19 %       1.067,65 €
                                      Total          6.686,85 €
"""


def parsed(text: str) -> Order:
    order = parse_typed_order(text)
    assert order is not None
    return order


def rows(order: Order) -> list[tuple[str, str, str, str, str | None]]:
    return [
        (line.item.seller_id, str(line.quantity), line.unit, str(line.price), str(line.amount) if line.amount else None)
        for line in order.lines
    ]


def test_a_printed_order_with_two_columns_a_table_and_decimal_commas_is_read_whole():
    order = parsed(TABLE)
    assert (order.number, order.issued_on, order.currency) == ("4500-123", date(2026, 11, 20), "EUR")
    assert order.buyer is not None
    assert order.seller is not None
    assert (order.buyer.name, order.buyer.tax_id, order.buyer.email) == (
        "ACME GmbH", "DE811907980", "purchasing@acme.example",
    )  # fmt: skip
    assert (order.seller.name, order.seller.tax_id) == ("Demo company", "DE999999999")
    assert rows(order) == [
        ("WID-1001", "10", "C62", "32.00", "320.00"),
        ("DES-3001", "12", "C62", "489.00", "5868.00"),
    ]
    assert order.lines[0].item.name == "Widget, blue, with a very long name"
    assert [(each.charge, each.amount, each.reason) for each in order.allowances] == [
        (True, Decimal("50.00"), "Freight"),
        (False, Decimal("618.80"), "Discount"),
    ]
    assert (order.totals.lines, order.tax_amount, order.totals.payable) == (
        Decimal("6188.00"), Decimal("1067.65"), Decimal("6686.85"),
    )  # fmt: skip
    assert {line.item.tax.percent for line in order.lines if line.item.tax} == {Decimal(19)}
    assert (order.unread, order.unread_lines) == ((), ())


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("10 x WID-1001 Widget, blue @ 32.00 EUR = 320.00 EUR", ("WID-1001", "10", "", "32.00", "320.00")),
        ("- 10 pcs WID-1001 Widget at EUR 32.00 each", ("WID-1001", "10", "C62", "32.00", None)),
        ("* 2.5 h of SRV-9001 Installation @ 85.00 EUR: 212.50 EUR", ("SRV-9001", "2.5", "HUR", "85.00", "212.50")),
        ("WID-1001 Widget, blue, 10 pcs at 32.00 EUR = 320.00 EUR", ("WID-1001", "10", "C62", "32.00", "320.00")),
        ("WID-1001: 10 x 32.00 EUR", ("WID-1001", "10", "", "32.00", None)),
        ("1 WID-1001 Widget, blue 10 pcs 32.00 320.00", ("WID-1001", "10", "C62", "32.00", "320.00")),
        ("1) 1,000 x WID-1001 Widget @ $1.10 = $1,100.00", ("WID-1001", "1000", "", "1.10", "1100.00")),
        ("10 x WID-1001 Widget", ("WID-1001", "10", "", "None", None)),
        ("20 m CAB-5001 Network cable @ 1.15 EUR = 23.00 EUR", ("CAB-5001", "20", "MTR", "1.15", "23.00")),
    ],
)  # fmt: skip
def test_a_line_may_be_written_in_many_ways(line: str, row: tuple[str, ...]):
    assert rows(parsed(f"Purchase order PO-1\n\n{line}\n")) == [row]


@pytest.mark.parametrize(
    "table",
    [
        "SKU\tDescription\tQty\tUnit price\tAmount\nWID-1001\tWidget\t10\t32.00\t320.00",
        "| SKU | Description | Qty | Unit price | Amount |\n|---|---|---|---|---|\n"
        "| WID-1001 | Widget | 10 | 32.00 | 320.00 |",
        "SKU;Description;Qty;Unit price;Amount\nWID-1001;Widget;10;32.00;320.00",
        "Item no.   Description   Quantity   Price per unit   Total\n"
        "WID-1001   Widget        10         32.00            320.00",
        "Qty   Article    Item      Price each   Line total (EUR)\n10    WID-1001   Widget    32.00        320.00",
        "Artikel-Nr.  Bezeichnung  Menge  Einzelpreis  Gesamtpreis\n"
        "WID-1001     Widget       10     32,00        320,00",
    ],
)  # fmt: skip
def test_a_table_may_be_set_in_many_ways(table: str):
    order = parsed(f"Purchase order: PO-1\n\n{table}\n\nTotal: 320.00 EUR".replace("320.00 EUR", "EUR 320.00"))
    assert rows(order) == [("WID-1001", "10", "", "32.00", "320.00")]


@pytest.mark.parametrize(
    ("head", "number"),
    [
        ("Purchase order PO-7001", "PO-7001"),
        ("PURCHASE ORDER\nNo. 4500012345", "4500012345"),
        ("Purchase Order Number: 2026/118", "2026/118"),
        ("PO#: 88-4410", "88-4410"),
        ("P.O. no 77A", "77A"),
        ("Your purchase order\nOrder ref: X-12.", "X-12"),
        ("Bestellnummer: B-2026-7", "B-2026-7"),
        ("Bon de commande n° BC-55", "BC-55"),
        ("PO number   Date         Currency\nPO-9        2026-11-20   EUR", "PO-9"),
        ("Purchase order (please confirm)", ""),
    ],
)
def test_the_number_is_found_by_its_many_labels(head: str, number: str):
    assert parsed(f"{head}\n\n10 x WID-1001 Widget @ 32.00 EUR").number == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Please invoice Hooli for 4 hours of remote support (SRV-9201) and two standing desks, DES-3201.",
        "Hello,\n\nin order to help you I need the number.\n\nBest regards",
        "Invoice INV-2026-0007\nTotal: 320.00 EUR",
        "Can I place a purchase order with you next week?",
    ],
)
def test_text_that_is_no_order_is_not_taken_for_one(text: str):
    assert parse_typed_order(text) is None


def test_what_could_not_be_read_is_said():
    order = parsed("Purchase order\nOrder date: 03/04/2026\n\n10 x WID-1001 Widget @ 32.00")
    assert order.unread == (
        "The order date '03/04/2026' is not clear.",
        "No order number was found.",
        "No currency was found.",
    )


def test_an_order_without_lines_that_can_be_read_says_so():
    order = parsed("Purchase order PO-1\nplease send us some of the blue things again, thank you")
    assert (order.lines, order.unread[0]) == ((), "No order lines were found.")


def test_a_row_of_the_table_that_makes_no_sense_is_kept_apart():
    order = parsed(
        "Purchase order PO-1\nSKU        Description   Qty     Price    Amount\n"
        "WID-1001   Widget        10      32.00    320.00\n"
        "WID-1002   Widget        a few   32.00    320.00\n"
    )
    assert len(order.lines) == 1
    assert order.unread_lines == ("WID-1002  Widget  a few  32.00  320.00",)


def test_two_currencies_are_both_noted_and_none_is_chosen():
    order = parsed("Purchase order PO-1\n10 x WID-1001 Widget @ 32.00 EUR\n1 x GAD-2001 Gadget @ 12.50 USD")
    assert (order.currency, order.currencies) == ("", ("EUR", "USD"))


def test_terms_dates_and_tax_numbers_are_not_taken_for_sums():
    order = parsed(
        "Purchase order PO-1\nDelivery: 2026-12-01\nPayment terms: Net 30 days\nVAT: DE811907980\n"
        "Total quantity: 10\n\n10 x WID-1001 Widget @ 32.00 EUR\n"
    )
    assert (order.totals.payable, order.totals.tax_exclusive, order.tax_amount, order.allowances) == (
        None,
        None,
        None,
        (),
    )
    assert order.payment_terms == ("Net 30 days",)


def test_a_mail_without_a_buyer_label_is_from_who_sent_it():
    order = parsed(
        "From: Jane Doe <jane@acme.example>\nTo: us@demo.example\n\nPurchase order PO-1\n1 x WID-1001 Widget"
    )
    assert order.buyer is not None
    assert (order.buyer.name, order.buyer.email) == ("", "jane@acme.example")


@pytest.mark.parametrize(
    ("written", "mark", "value"),
    [
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1 234,50", ",", "1234.50"),
        ("1'234.50", ".", "1234.50"),
        ("1,250", ".", "1250"),
        ("1.250", ",", "1250"),
        ("1.250", ".", "1.250"),
        ("1.234.567", ".", "1234567"),
        ("320", ".", "320"),
    ],
)
def test_a_number_is_read_by_the_mark_of_its_document(written: str, mark: str, value: str):
    assert to_decimal(written, "," if mark == "," else ".") == Decimal(value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("320.00 EUR", [("320.00", "EUR")]),
        ("EUR 320.00", [("320.00", "EUR")]),
        ("€320.00", [("320.00", "EUR")]),
        ("US$ 5.00 or £4.00", [("5.00", "USD"), ("4.00", "GBP")]),
        ("320.00 PCS", [("320.00", "")]),
        ("-38.00 EUR", [("-38.00", "EUR")]),
        ("WID-1001", []),
        ("DE811907980", []),
    ],
)
def test_an_amount_has_the_currency_beside_it(text: str, found: list[tuple[str, str]]):
    assert [(str(value), currency) for value, currency in amounts(text, ".")] == found


def test_the_decimal_mark_is_the_commoner_one():
    assert decimal_mark("a 1.234,50 b 32,00 c 1.10") == ","
    assert decimal_mark("no numbers") == "."
    assert decimal_mark("on 20.11.2026") == "."


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("20.11.2026", date(2026, 11, 20)),
        ("04.03.2026", date(2026, 3, 4)),
        ("20/11/2026", date(2026, 11, 20)),
        ("11/20/2026", date(2026, 11, 20)),
        ("20 November 2026", date(2026, 11, 20)),
        ("Nov 20th, 2026", date(2026, 11, 20)),
        ("Fri, 20 Nov 2026 10:00:00 +0000", date(2026, 11, 20)),
        ("03/04/2026", None),
        ("31.02.2026", None),
        ("soon", None),
    ],
)
def test_a_date_is_read_where_it_is_one_day_only(text: str, day: date | None):
    assert read_date(text) == day


@given(st.text(alphabet="PO purchase order-1001x@=,.€EURQtySKU\n\t |;:0123456789", max_size=400))
def test_no_text_makes_the_parser_fail(text: str):
    parse_typed_order("Purchase order PO-1\n" + text)


@given(
    st.lists(st.tuples(st.integers(1, 999), st.integers(1, 999_99)), min_size=1, max_size=8),
    st.sampled_from(["EUR", "USD", "GBP"]),
)
def test_what_is_printed_line_by_line_is_read_back_exactly(lines: list[tuple[int, int]], currency: str):
    printed = [
        f"{quantity} x WID-{1000 + number} Widget @ {Decimal(cents).scaleb(-2):,.2f} {currency} = "
        f"{Decimal(quantity * cents).scaleb(-2):,.2f} {currency}"
        for number, (quantity, cents) in enumerate(lines)
    ]
    order = parsed("Purchase order PO-1\n" + "\n".join(printed))
    assert [(line.quantity, line.price) for line in order.lines] == [
        (Decimal(quantity), Decimal(cents).scaleb(-2)) for quantity, cents in lines
    ]
    assert all(line.amount == line.expected_amount for line in order.lines)
    assert order.currency == currency
