"""A UBL 2.1 `Order` document, with any prefixes, bare or in a Peppol envelope."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import islice
from xml.etree.ElementTree import Element, ParseError  # types only; parsing is defusedxml's

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tools.documents.errors import (
    AmbiguousDocument,
    DamagedDocument,
    DocumentTooLarge,
    UnsafeDocument,
    WrongDocumentType,
)
from tools.documents.limits import MAX_ORDER_LINES, MAX_OTHER, MAX_XML_BYTES
from tools.documents.ubl.lines import read_allowance, read_line, read_tax
from tools.documents.ubl.node import Node, Reading
from tools.documents.ubl.parties import read_delivery, read_delivery_terms, read_party, read_period
from tools.orders.order import Order, Other, Reference, TaxSubtotal, Totals

_UBL_ROOT = re.compile(r"\{urn:oasis:names:specification:ubl:schema:xsd:(\w+)-2\}(\w+)")
# Source: UN/CEFACT Standard Business Document Header, which Peppol puts around a document in transport.
_ENVELOPE = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"
_REFERENCES = {
    "QuotationDocumentReference": "quotation",
    "OrderDocumentReference": "order",
    "OriginatorDocumentReference": "originator",
    "CatalogueReference": "catalogue",
    "AdditionalDocumentReference": "additional",
    "Contract": "contract",
    "ProjectReference": "project",
}


def read_ubl_order(name: str, data: bytes) -> Order:
    """The order that the XML in `data` holds; `name` is for messages.

    Raises:
        DocumentTooLarge, DamagedDocument, UnsafeDocument, WrongDocumentType, AmbiguousDocument: see each.
    """
    if len(data) > MAX_XML_BYTES:
        raise DocumentTooLarge(name, f"it has {len(data):,} bytes of XML; at most {MAX_XML_BYTES:,} are read")
    try:
        root: Element = fromstring(data.lstrip(b" \t\r\n"), forbid_dtd=True)  # blanks there are common, and a fault
    except DefusedXmlException:
        raise UnsafeDocument(name, "its XML declares a document type or entities, which no order needs") from None
    except (ParseError, LookupError, ValueError) as error:  # LookupError: an encoding that Python does not know
        raise DamagedDocument(name, f"its XML is not well-formed ({error})") from None
    reading = Reading(name)
    return _order(Node(_order_element(name, root), reading), reading)


def _order_element(name: str, root: Element) -> Element:
    if root.tag == f"{_ENVELOPE}StandardBusinessDocument":
        held = [child for child in root if not child.tag.startswith(_ENVELOPE)]
        if len(held) != 1:
            raise AmbiguousDocument(name, f"its envelope holds {len(held)} documents")
        root = held[0]
    match = _UBL_ROOT.fullmatch(root.tag)
    if match is None:
        raise WrongDocumentType(name, f"it is XML with the root element {root.tag[:120]!r}, not a UBL 2 Order")
    if match.groups() != ("Order", "Order"):
        raise WrongDocumentType(name, f"it is a UBL {match[2]}, not an Order")
    return root


def _order(node: Node, reading: Reading) -> Order:
    lines = node.all("OrderLine")
    if len(lines) > MAX_ORDER_LINES:
        raise DocumentTooLarge(reading.name, f"it has {len(lines):,} lines; at most {MAX_ORDER_LINES:,} are read")
    currency = node.text("DocumentCurrencyCode")
    read_lines = tuple(read_line(line, position) for position, line in enumerate(lines, 1))
    allowances = tuple(read_allowance(each) for each in node.all("AllowanceCharge"))
    totals = _totals(node.one("AnticipatedMonetaryTotal"))
    stated = tuple(sorted(reading.currencies))  # before tax, which may be stated in a second currency too
    if not currency and len(stated) == 1:
        currency = stated[0]
    taxes = [total for total in node.all("TaxTotal") if _in_currency(total, currency)]
    amounts = [amount for total in taxes if (amount := total.amount("TaxAmount")) is not None]
    order = Order(
        source="ubl",
        number=node.text("ID"),
        sales_number=node.text("SalesOrderID"),
        issued_on=node.date("IssueDate"),
        issued_time=node.time("IssueTime"),
        type_code=node.text("OrderTypeCode"),
        customization=node.text("CustomizationID"),
        profile=node.text("ProfileID"),
        notes=node.texts("Note"),
        currency=currency,
        tax_currency=node.text("TaxCurrencyCode"),
        currencies=stated,
        customer_reference=node.text("CustomerReference"),
        accounting_cost=node.text("AccountingCost") or node.text("AccountingCostCode"),
        validity=read_period(node.one("ValidityPeriod")),
        references=tuple(_reference(each, kind) for tag, kind in _REFERENCES.items() for each in node.all(tag)),
        buyer=read_party(node.one("BuyerCustomerParty"), "BuyerContact", "DeliveryContact", "AccountingContact"),
        seller=read_party(node.one("SellerSupplierParty"), "SellerContact", "DespatchContact"),
        originator=read_party(node.one("OriginatorCustomerParty"), "BuyerContact"),
        accounting_customer=read_party(node.one("AccountingCustomerParty"), "AccountingContact"),
        deliveries=tuple(read_delivery(each) for each in node.all("Delivery")),
        delivery_terms=tuple(read_delivery_terms(each) for each in node.all("DeliveryTerms")),
        payment_terms=tuple(text for each in node.all("PaymentTerms") if (text := " ".join(each.texts("Note")))),
        allowances=allowances,
        tax_amount=sum(amounts, Decimal(0)) if amounts else None,
        tax_subtotals=tuple(_subtotal(each) for total in taxes for each in total.all("TaxSubtotal")),
        totals=totals,
        lines=read_lines,
    )
    left = islice(node.unread(), MAX_OTHER)  # last: by now all that has a place was asked for
    return order.model_copy(update={"other": tuple(Other(path=path, value=value) for path, value in left)})


def _in_currency(total: Node, currency: str) -> bool:
    amount = total.one("TaxAmount")
    return amount is None or not currency or amount.attribute("currencyID") in ("", currency)


def _subtotal(node: Node) -> TaxSubtotal:
    return TaxSubtotal(
        taxable=node.amount("TaxableAmount"), amount=node.amount("TaxAmount"), tax=read_tax(node.one("TaxCategory"))
    )


def _totals(node: Node | None) -> Totals:
    if node is None:
        return Totals()
    return Totals(
        lines=node.amount("LineExtensionAmount"),
        tax_exclusive=node.amount("TaxExclusiveAmount"),
        tax_inclusive=node.amount("TaxInclusiveAmount"),
        allowances=node.amount("AllowanceTotalAmount"),
        charges=node.amount("ChargeTotalAmount"),
        prepaid=node.amount("PrepaidAmount"),
        rounding=node.amount("PayableRoundingAmount"),
        payable=node.amount("PayableAmount"),
    )


def _reference(node: Node, kind: str) -> Reference:
    embedded = node.one("Attachment", "EmbeddedDocumentBinaryObject")
    if embedded is not None:
        embedded.skip()  # its bytes stay in the file
    return Reference(
        kind=kind,
        id=node.text("ID"),
        type=node.text("DocumentType") or node.text("DocumentTypeCode") or node.text("ContractType"),
        description=" ".join(node.texts("DocumentDescription")),
        uri=node.text("Attachment", "ExternalReference", "URI"),
        file_name=embedded.attribute("filename") if embedded else "",
        media_type=embedded.attribute("mimeCode") if embedded else "",
        issued_on=node.date("IssueDate"),
    )
