"""Writes the sample orders that are PDFs: `python -m tools.samples.make_pdfs`. Needs reportlab (development only).

The same script writes the same bytes with the same reportlab, so a change shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from tools.samples import ORDERS

_RIGHT = 190 * mm
_SELLER = ("Demo company", "Speicherstrasse 1", "20457 Hamburg", "orders@demo-company.example")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an order; `unit_price` in major units."""

    sku: str
    name: str
    quantity: int
    unit: str
    unit_price: str

    @property
    def amount(self) -> Decimal:
        return self.quantity * Decimal(self.unit_price)


@dataclass(frozen=True, slots=True)
class PdfOrder:
    """A purchase order as its page shows it. `total` is printed as it stands, right or wrong."""

    file: str
    number: str
    date: str
    buyer: Sequence[str]
    currency: str
    rows: Sequence[Row]
    tax_percent: int
    total: str | None = None


ACME = ("ACME GmbH", "Hafenstr. 12", "20457 Hamburg", "VAT ID: DE811907980", "purchasing@acme.example")

PDF_ORDERS = (
    PdfOrder(
        "acme-po-7001.pdf", "PO-7001", "2026-11-18", ACME, "EUR",
        (
            Row("WID-1001", "Widget, blue", 10, "pcs", "32.00"),
            Row("GAD-2002", "Gadget Pro", 2, "pcs", "149.00"),
            Row("SRV-9001", "Installation", 3, "hours", "85.00"),
        ),
        19,
    ),
    PdfOrder(
        "unknown-customer.pdf", "VI-0031", "2026-11-17",
        ("Vandelay Imports Ltd", "129 West 81st Street", "New York", "VAT ID: GB771234569", "art@vandelay.example"),
        "EUR",
        (Row("WID-1001", "Widget, blue", 25, "pcs", "32.00"),),
        19,
    ),
    PdfOrder(
        "wrong-total.pdf", "PO-7003", "2026-11-19", ACME, "EUR",
        (
            Row("DES-3001", "Standing desk", 2, "pcs", "489.00"),
            Row("DES-3003", "Desk lamp", 4, "pcs", "38.90"),
        ),
        19,
        total="1,249.08",
    ),
)  # fmt: skip
LONG = "long-200-pages.pdf"


def draw(order: PdfOrder, file: Path) -> None:
    """Write `order` as one A4 page."""
    canvas = Canvas(str(file), pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(f"Purchase order {order.number}")
    canvas.setFont("Helvetica-Bold", 18)
    canvas.drawString(20 * mm, 270 * mm, "PURCHASE ORDER")
    canvas.setFont("Helvetica", 10)
    canvas.drawString(20 * mm, 258 * mm, f"Order no.: {order.number}")
    canvas.drawString(110 * mm, 258 * mm, f"Order date: {order.date}")
    canvas.drawString(20 * mm, 252 * mm, f"Currency: {order.currency}")
    for x, head, lines in ((20 * mm, "Buyer", order.buyer), (110 * mm, "Supplier", _SELLER)):
        canvas.setFont("Helvetica-Bold", 10)
        canvas.drawString(x, 240 * mm, head)
        canvas.setFont("Helvetica", 10)
        for number, line in enumerate(lines, 1):
            canvas.drawString(x, 240 * mm - number * 5 * mm, line)
    y = _table(canvas, order)
    _sums(canvas, order, y)
    canvas.save()


def _table(canvas: Canvas, order: PdfOrder) -> float:
    """The lines; returns where they end."""
    y = 200 * mm
    canvas.setFont("Helvetica-Bold", 10)
    for x, head in ((20, "Pos"), (32, "SKU"), (58, "Description")):
        canvas.drawString(x * mm, y, head)
    for x, head in ((128, "Qty"), (145, "Unit"), (168, "Unit price"), (190, "Amount")):
        canvas.drawRightString(x * mm, y, head)
    canvas.line(20 * mm, y - 2 * mm, _RIGHT, y - 2 * mm)
    canvas.setFont("Helvetica", 10)
    for position, row in enumerate(order.rows, 1):
        y -= 7 * mm
        for x, text in ((20, str(position)), (32, row.sku), (58, row.name)):
            canvas.drawString(x * mm, y, text)
        cells = ((128, str(row.quantity)), (145, row.unit), (168, row.unit_price), (190, _shown(row.amount)))
        for x, text in cells:
            canvas.drawRightString(x * mm, y, text)
    return y


def _sums(canvas: Canvas, order: PdfOrder, y: float) -> None:
    net = sum((row.amount for row in order.rows), Decimal(0))
    tax = (net * order.tax_percent / 100).quantize(Decimal("0.01"))
    y -= 6 * mm
    canvas.line(120 * mm, y, _RIGHT, y)
    for label, text in (
        ("Subtotal", _shown(net)),
        (f"VAT {order.tax_percent}%", _shown(tax)),
        (f"Total {order.currency}", order.total or _shown(net + tax)),
    ):
        y -= 6 * mm
        canvas.drawString(130 * mm, y, label)
        canvas.drawRightString(_RIGHT, y, text)
    canvas.drawString(20 * mm, 30 * mm, "Payment: 30 days net. Please quote our order number on your invoice.")


def _shown(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def draw_long(file: Path, pages: int = 200) -> None:
    """An order buried in 200 pages of terms."""
    canvas = Canvas(str(file), pagesize=A4, invariant=1, pageCompression=1)
    for page in range(1, pages + 1):
        canvas.drawString(20 * mm, 270 * mm, f"General terms of purchase, page {page} of {pages}")
        if page == pages:
            canvas.drawString(20 * mm, 250 * mm, "Purchase order PO-7004: 10 x WID-1001 @ 32.00 EUR")
        canvas.showPage()
    canvas.save()


def main() -> None:
    for order in PDF_ORDERS:
        draw(order, ORDERS / order.file)
    draw_long(ORDERS / LONG)


if __name__ == "__main__":
    main()
