"""Parties, addresses, contacts, deliveries."""

from __future__ import annotations

from tools.documents.ubl.node import Node
from tools.orders.order import Address, Contact, Delivery, DeliveryTerms, Identifier, Party, Period


def read_party(role: Node | None, *contacts: str) -> Party | None:
    """The party in `role`, which is a Party or holds one.

    Args:
        contacts: Names of the contacts that UBL puts beside the party (`BuyerContact`), used when it has none itself.
    """
    if role is None:
        return None
    node = role.one("Party") or role
    schemes = node.all("PartyTaxScheme")
    numbers = tuple(
        Identifier(value=number, scheme=scheme.text("TaxScheme", "ID"))
        for scheme in schemes
        if (number := scheme.text("CompanyID"))
    )
    tax = next((number for number in numbers if number.scheme.upper() == "VAT"), next(iter(numbers), None))
    contact = node.one("Contact") or next((found for name in contacts if (found := role.one(name))), None)
    return Party(
        name=node.text("PartyName", "Name"),
        legal_name=node.text("PartyLegalEntity", "RegistrationName"),
        endpoint=node.identifier("EndpointID"),
        identifications=tuple(found for each in node.all("PartyIdentification") if (found := each.identifier("ID"))),
        tax_id=tax.value if tax else "",
        tax_scheme=tax.scheme if tax else "",
        tax_numbers=numbers,
        registration=node.identifier("PartyLegalEntity", "CompanyID"),
        address=read_address(node.one("PostalAddress")),
        registered_address=read_address(node.one("PartyLegalEntity", "RegistrationAddress")),
        contact=read_contact(contact),
    )


def read_contact(node: Node | None) -> Contact | None:
    if node is None:
        return None
    return Contact(name=node.text("Name"), telephone=node.text("Telephone"), email=node.text("ElectronicMail"))


def read_address(node: Node | None) -> Address | None:
    if node is None:
        return None
    number = node.text("BuildingNumber")
    return Address(
        street=" ".join(part for part in (node.text("StreetName"), number) if part),
        additional_street=node.text("AdditionalStreetName"),
        lines=node.texts("AddressLine", "Line"),
        city=node.text("CityName"),
        postal_code=node.text("PostalZone"),
        region=node.text("CountrySubentity"),
        country=node.text("Country", "IdentificationCode") or node.text("Country", "Name"),
    )


def read_period(node: Node | None) -> Period | None:
    if node is None:
        return None
    return Period(
        start=node.date("StartDate"),
        start_time=node.time("StartTime"),
        end=node.date("EndDate"),
        end_time=node.time("EndTime"),
    )


def read_delivery(node: Node) -> Delivery:
    return Delivery(
        id=node.identifier("ID"),
        location=node.identifier("DeliveryLocation", "ID"),
        location_name=node.text("DeliveryLocation", "Name"),
        address=read_address(node.one("DeliveryLocation", "Address") or node.one("DeliveryAddress")),
        period=read_period(node.one("RequestedDeliveryPeriod")),
        party=read_party(node.one("DeliveryParty")),
        despatch_on=node.date("Despatch", "RequestedDespatchDate"),
        despatch_time=node.time("Despatch", "RequestedDespatchTime"),
        shipment=node.text("Shipment", "ID"),
        priority=node.text("Shipment", "ShippingPriorityLevelCode"),
        shipping_marks=node.texts("Shipment", "TransportHandlingUnit", "ShippingMarks"),
    )


def read_delivery_terms(node: Node) -> DeliveryTerms:
    return DeliveryTerms(
        id=node.text("ID"),
        special_terms=" ".join(node.texts("SpecialTerms")),
        location=node.text("DeliveryLocation", "ID"),
    )
