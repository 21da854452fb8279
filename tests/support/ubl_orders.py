"""UBL orders in every dress, made from parts."""

from __future__ import annotations

from dataclasses import dataclass

ORDER = "urn:oasis:names:specification:ubl:schema:xsd:Order-2"
AGGREGATE = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
BASIC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"


@dataclass(frozen=True)
class Dress:
    """Prefixes: of the root, of aggregates, of basics. Empty is the default namespace, declared where it is needed."""

    root: str = ""
    aggregate: str = "cac"
    basic: str = "cbc"

    def a(self, name: str, inner: str) -> str:
        return self._element(self.aggregate, AGGREGATE, name, "", inner)

    def b(self, name: str, inner: str, **attributes: str) -> str:
        said = "".join(f' {key}="{value}"' for key, value in attributes.items())
        return self._element(self.basic, BASIC, name, said, inner)

    def _element(self, prefix: str, namespace: str, name: str, attributes: str, inner: str) -> str:
        if prefix:
            return f"<{prefix}:{name}{attributes}>{inner}</{prefix}:{name}>"
        return f'<{name} xmlns="{namespace}"{attributes}>{inner}</{name}>'

    def document(self, inner: str, *, root: str = "Order", namespace: str | None = None) -> bytes:
        """A whole file; `namespace` is the root's, else the one UBL gives to `root`."""
        own = namespace or f"urn:oasis:names:specification:ubl:schema:xsd:{root}-2"
        name = f"{self.root}:{root}" if self.root else root
        declared = [f'xmlns{":" + self.root if self.root else ""}="{own}"']
        declared += [
            f'xmlns:{prefix}="{uri}"' for prefix, uri in ((self.aggregate, AGGREGATE), (self.basic, BASIC)) if prefix
        ]
        return f"<?xml version='1.0' encoding='UTF-8'?>\n<{name} {' '.join(declared)}>{inner}</{name}>".encode()

    def line(self, number: str, quantity: str, price: str, amount: str, sku: str = "WID-1001", unit: str = "EA") -> str:
        item = self.b("Name", "Widget") + self.a("SellersItemIdentification", self.b("ID", sku))
        return self.a(
            "OrderLine",
            self.a(
                "LineItem",
                self.b("ID", number)
                + self.b("Quantity", quantity, unitCode=unit)
                + self.b("LineExtensionAmount", amount, currencyID="EUR")
                + self.a("Price", self.b("PriceAmount", price, currencyID="EUR"))
                + self.a("Item", item),
            ),
        )

    def buyer(self, name: str = "ACME GmbH") -> str:
        return self.a("BuyerCustomerParty", self.a("Party", self.a("PartyName", self.b("Name", name))))

    def order(self, number: str = "PO-1") -> bytes:
        """A small whole order: 10 widgets at 32.00 EUR for ACME."""
        return self.document(
            self.b("ID", number)
            + self.b("IssueDate", "2026-11-18")
            + self.b("DocumentCurrencyCode", "EUR")
            + self.buyer()
            + self.line("1", "10", "32.00", "320.00")
        )


PLAIN = Dress()
DRESSES = {
    "as Peppol writes it": PLAIN,
    "with a prefixed root": Dress(root="ord"),
    "with other prefixes": Dress(root="ns0", aggregate="ns1", basic="ns2"),
    "with every element's namespace declared on itself": Dress(aggregate="", basic=""),
    "with basics in a default namespace": Dress(root="u", aggregate="A", basic=""),
}
