"""A purchase order as it was read, whatever it was written in.

Complete and exact: amounts are `Decimal` in major units of `Order.currency`, quantities are `Decimal` in `unit`, a part
the document does not state is `None` or empty. Nothing here is checked against our records; `tools.orders.check` does.
Source of the parts and their meaning: UBL 2.1, Peppol BIS Ordering 3 (transaction T01).
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

OrderSource = Literal["ubl", "text", "request"]


class Part(BaseModel):
    """Base of all parts; they do not change once read."""

    model_config = ConfigDict(frozen=True)


class Identifier(Part):
    """`scheme` is the ISO 6523 code list entry ("0088" is a GLN), empty where none is stated."""

    value: str
    scheme: str = ""
    version: str = ""
    uri: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}" if self.scheme else self.value


class Address(Part):
    """A postal address. `lines` are those without a name; `country` as stated, as a rule ISO 3166-1."""

    street: str = ""
    additional_street: str = ""
    lines: tuple[str, ...] = ()
    city: str = ""
    postal_code: str = ""
    region: str = ""
    country: str = ""


class Contact(Part):
    """Whom to ask."""

    name: str = ""
    telephone: str = ""
    email: str = ""


class Party(Part):
    """A company or a part of one. `tax_numbers` are all that it states; `tax_id` is the one for VAT, else the first."""

    name: str = ""
    legal_name: str = ""
    endpoint: Identifier | None = None
    identifications: tuple[Identifier, ...] = ()
    tax_id: str = ""
    tax_scheme: str = ""
    tax_numbers: tuple[Identifier, ...] = ()
    registration: Identifier | None = None
    address: Address | None = None
    registered_address: Address | None = None
    contact: Contact | None = None

    @property
    def email(self) -> str:
        return self.contact.email if self.contact else ""

    @property
    def called(self) -> str:
        """The name to speak of it by; empty where the document names none."""
        return self.name or self.legal_name


class Period(Part):
    """From when to when; each end may be open."""

    start: date | None = None
    start_time: time | None = None
    end: date | None = None
    end_time: time | None = None


class Delivery(Part):
    """Where, when and to whom."""

    id: Identifier | None = None
    location: Identifier | None = None
    location_name: str = ""
    address: Address | None = None
    period: Period | None = None
    party: Party | None = None
    despatch_on: date | None = None
    despatch_time: time | None = None
    shipment: str = ""
    priority: str = ""
    shipping_marks: tuple[str, ...] = ()


class DeliveryTerms(Part):
    """An Incoterm or other words on delivery."""

    id: str = ""
    special_terms: str = ""
    location: str = ""


class Tax(Part):
    """A tax category; `percent` 25 is 25 %."""

    category: str = ""
    percent: Decimal | None = None
    scheme: str = ""


class TaxSubtotal(Part):
    """The tax of one category."""

    taxable: Decimal | None = None
    amount: Decimal | None = None
    tax: Tax | None = None


class AllowanceCharge(Part):
    """A discount (`charge` false) or a surcharge. `amount` is positive either way; `percent` 10 is 10 % of `base`."""

    charge: bool
    amount: Decimal
    base: Decimal | None = None
    percent: Decimal | None = None
    reason: str = ""
    reason_code: str = ""
    tax: Tax | None = None

    @property
    def signed(self) -> Decimal:
        return self.amount if self.charge else -self.amount


class Other(Part):
    """A value that the document states and this model has no place for. `path` is by element, `Party/WebsiteURI`."""

    path: str
    value: str


class Reference(Part):
    """Another document that the order names. `kind` is quotation, order, originator, catalogue, contract, project..."""

    kind: str
    id: str
    type: str = ""
    description: str = ""
    uri: str = ""
    file_name: str = ""
    media_type: str = ""
    issued_on: date | None = None


class Classification(Part):
    """A commodity code, like UNSPSC, from the list `list_id`."""

    code: str
    list_id: str = ""
    list_version: str = ""
    name: str = ""


class Property(Part):
    """A further property of an item: colour red, weight 100 g."""

    name: str
    value: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    qualifier: str = ""
    id: Identifier | None = None
    name_code: str = ""


class ItemInstance(Part):
    """One exemplar, by serial number or lot."""

    serial: str = ""
    lot: str = ""


class Item(Part):
    """What is ordered, by the numbers that buyer, seller and others give it."""

    name: str = ""
    description: str = ""
    buyer_id: str = ""
    seller_id: str = ""
    manufacturer_id: str = ""
    standard_id: Identifier | None = None
    specifications: tuple[str, ...] = ()
    classifications: tuple[Classification, ...] = ()
    tax: Tax | None = None
    properties: tuple[Property, ...] = ()
    instances: tuple[ItemInstance, ...] = ()

    @property
    def called(self) -> str:
        return self.seller_id or self.name or self.description or (str(self.standard_id) if self.standard_id else "")


class OrderLine(Part):
    """`price` is the net price of `base_quantity` units; `amount` the line's net amount after its allowances."""

    id: str
    item: Item
    quantity: Decimal | None = None
    unit: str = ""
    amount: Decimal | None = None
    price: Decimal | None = None
    base_quantity: Decimal = Decimal(1)
    base_unit: str = ""
    gross_price: Decimal | None = None
    price_allowance: AllowanceCharge | None = None
    allowances: tuple[AllowanceCharge, ...] = ()
    partial_delivery: bool | None = None
    accounting_cost: str = ""
    delivery: Delivery | None = None
    originator: Party | None = None
    notes: tuple[str, ...] = ()

    @property
    def unit_price(self) -> Decimal | None:
        """Net price of one unit, exact."""
        return None if self.price is None or self.base_quantity <= 0 else self.price / self.base_quantity

    @property
    def expected_amount(self) -> Decimal | None:
        """quantity x price / base quantity + charges - allowances, exact. Source: PEPPOL-T01-R024."""
        if self.quantity is None or self.price is None or self.base_quantity <= 0:
            return None
        return self.quantity * self.price / self.base_quantity + sum(
            (entry.signed for entry in self.allowances), Decimal(0)
        )


class Totals(Part):
    """What the document says its sums are. Source: UBL AnticipatedMonetaryTotal."""

    lines: Decimal | None = None
    tax_exclusive: Decimal | None = None
    tax_inclusive: Decimal | None = None
    allowances: Decimal | None = None
    charges: Decimal | None = None
    prepaid: Decimal | None = None
    rounding: Decimal | None = None
    payable: Decimal | None = None


class Order(Part):
    """A purchase order.

    Attributes:
        currencies: Every currency an amount in it is stated in; more than one is a fault.
        other: What else it states, in the order of the document.
        unread: What a reader of text could not make out, one sentence each.
        unread_lines: Rows that look like order lines and were not understood, as they stand.
    """

    source: OrderSource
    number: str = ""
    sales_number: str = ""
    issued_on: date | None = None
    issued_time: time | None = None
    type_code: str = ""
    customization: str = ""
    profile: str = ""
    notes: tuple[str, ...] = ()
    currency: str = ""
    tax_currency: str = ""
    currencies: tuple[str, ...] = ()
    customer_reference: str = ""
    accounting_cost: str = ""
    validity: Period | None = None
    references: tuple[Reference, ...] = ()
    buyer: Party | None = None
    seller: Party | None = None
    originator: Party | None = None
    accounting_customer: Party | None = None
    deliveries: tuple[Delivery, ...] = ()
    delivery_terms: tuple[DeliveryTerms, ...] = ()
    payment_terms: tuple[str, ...] = ()
    allowances: tuple[AllowanceCharge, ...] = ()
    tax_amount: Decimal | None = None
    tax_subtotals: tuple[TaxSubtotal, ...] = ()
    totals: Totals = Totals()
    lines: tuple[OrderLine, ...] = ()
    other: tuple[Other, ...] = ()
    unread: tuple[str, ...] = ()
    unread_lines: tuple[str, ...] = ()

    @property
    def lines_total(self) -> Decimal:
        """Sum of the lines' amounts; a line that states none counts with its expected amount, unrounded."""
        return sum(
            (line.amount if line.amount is not None else line.expected_amount or Decimal(0) for line in self.lines),
            Decimal(0),
        )

    @property
    def net_total(self) -> Decimal:
        """Lines plus charges less allowances of the whole document, before tax."""
        return self.lines_total + sum((entry.signed for entry in self.allowances), Decimal(0))

    @property
    def stated_total(self) -> Decimal | None:
        """What it says is to be paid, tax included where it says so."""
        return self.totals.payable if self.totals.payable is not None else self.totals.tax_inclusive
