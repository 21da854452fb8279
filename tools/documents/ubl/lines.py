"""Order lines with their items, prices, allowances and taxes."""

from __future__ import annotations

from decimal import Decimal

from tools.documents.ubl.node import Node
from tools.documents.ubl.parties import read_delivery, read_party
from tools.orders.order import AllowanceCharge, Classification, Item, ItemInstance, OrderLine, Property, Tax


def read_tax(node: Node | None) -> Tax | None:
    if node is None:
        return None
    return Tax(category=node.text("ID"), percent=node.decimal("Percent"), scheme=node.text("TaxScheme", "ID"))


def read_allowance(node: Node) -> AllowanceCharge:
    """One allowance or charge; without an indicator it is an allowance, without an amount it is nothing."""
    return AllowanceCharge(
        charge=node.indicator("ChargeIndicator") or False,
        amount=node.amount("Amount") or Decimal(0),
        base=node.amount("BaseAmount"),
        percent=node.decimal("MultiplierFactorNumeric"),
        reason=" ".join(node.texts("AllowanceChargeReason")),
        reason_code=node.text("AllowanceChargeReasonCode"),
        tax=read_tax(node.one("TaxCategory")),
    )


def read_line(outer: Node, position: int) -> OrderLine:
    """One `OrderLine`; `position` (from 1) stands in for a missing id."""
    node = outer.one("LineItem") or outer
    quantity, base = node.one("Quantity"), node.one("Price", "BaseQuantity")
    price_allowance = node.one("Price", "AllowanceCharge")
    delivery = node.one("Delivery")
    allowance = read_allowance(price_allowance) if price_allowance else None
    return OrderLine(
        id=node.text("ID") or str(position),
        item=read_item(node.one("Item")),
        quantity=node.decimal("Quantity"),
        unit=quantity.attribute("unitCode") if quantity else "",
        amount=node.amount("LineExtensionAmount"),
        price=node.amount("Price", "PriceAmount"),
        base_quantity=(base.decimal() if base else None) or Decimal(1),
        base_unit=base.attribute("unitCode") if base else "",
        gross_price=allowance.base if allowance else None,
        price_allowance=allowance,
        allowances=tuple(read_allowance(each) for each in node.all("AllowanceCharge")),
        partial_delivery=node.indicator("PartialDeliveryIndicator"),
        accounting_cost=node.text("AccountingCost"),
        delivery=read_delivery(delivery) if delivery else None,
        originator=read_party(node.one("OriginatorParty")),
        notes=(*outer.texts("Note"), *(node.texts("Note") if node is not outer else ())),
    )


def read_item(node: Node | None) -> Item:
    if node is None:
        return Item()
    return Item(
        name=node.text("Name"),
        description="\n".join(node.texts("Description")),
        buyer_id=node.text("BuyersItemIdentification", "ID"),
        seller_id=node.text("SellersItemIdentification", "ID"),
        manufacturer_id=node.text("ManufacturersItemIdentification", "ID"),
        standard_id=node.identifier("StandardItemIdentification", "ID"),
        specifications=node.texts("ItemSpecificationDocumentReference", "ID"),
        classifications=tuple(
            Classification(
                code=each.text(),
                list_id=each.attribute("listID"),
                list_version=each.attribute("listVersionID"),
                name=each.attribute("name"),
            )
            for each in node.all("CommodityClassification", "ItemClassificationCode")
        ),
        tax=read_tax(node.one("ClassifiedTaxCategory")),
        properties=tuple(_property(each) for each in node.all("AdditionalItemProperty")),
        instances=tuple(
            ItemInstance(serial=each.text("SerialID"), lot=each.text("LotIdentification", "LotNumberID"))
            for each in node.all("ItemInstance")
        ),
    )


def _property(node: Node) -> Property:
    quantity = node.one("ValueQuantity")
    return Property(
        name=node.text("Name"),
        value=node.text("Value"),
        quantity=node.decimal("ValueQuantity"),
        unit=quantity.attribute("unitCode") if quantity else "",
        qualifier=" ".join(node.texts("ValueQualifier")),
        id=node.identifier("ID"),
        name_code=node.text("NameCode"),
    )
