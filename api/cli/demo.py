"""`deskclerk demo`: a purchase order becomes a paid invoice, in a fresh database, and the database is asked whether."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.chatting import choose_printer
from api.cli.conversation import Approver, Conversation
from api.cli.desk import LocalDesk, open_local_desk
from api.cli.exits import FAILED, INTERRUPTED, UNAVAILABLE, Stop
from api.cli.printing import Printer

if TYPE_CHECKING:
    from rich.console import Console

    from prisma import Prisma

FOLDER = Path(".deskclerk")
ORDER = Path(__file__).parents[2] / "tools" / "samples" / "orders" / "acme-po-7001.pdf"
REQUEST = "Here is ACME's purchase order: check it against our records, invoice it and take the payment."


def demo(*, yes: bool, as_json: bool, svg: Path | None) -> int:
    """Run it. Returns 0 only when the database holds exactly one issued invoice and one payment for the order.

    Args:
        yes: Approve the payment without asking; also done, and said, when there is nobody to ask.
        as_json: Print the events and nothing else.
        svg: Where to draw the run as a picture.
    """
    from filelock import FileLock, Timeout

    FOLDER.mkdir(exist_ok=True)
    database = FOLDER / "demo.db"
    if yes:
        approver = Approver("always", "of --yes")
    elif sys.stdin.isatty():
        approver = Approver("person")
    else:
        approver = Approver("always", "nobody is at the terminal")
    console = _recorder() if svg is not None else None
    if console is None:
        printer = choose_printer(as_json)
    else:
        from api.cli.pretty import PrettyPrinter

        printer = PrettyPrinter(console)
    try:
        with FileLock(FOLDER / "demo.lock", blocking=False):
            for stale in FOLDER.glob(f"{database.name}*"):
                stale.unlink()
            code = asyncio.run(_demo(database, printer, approver))
    except Timeout:
        raise Stop(f"Another demo is running in {FOLDER}.", UNAVAILABLE) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    if console is not None and svg is not None:
        svg.parent.mkdir(parents=True, exist_ok=True)
        svg.write_text(_picture(console))
    return code


async def _demo(database: Path, printer: Printer, approver: Approver) -> int:
    from api.settings import ApiSettings

    settings = ApiSettings(database_url=f"file:{database}")
    async with open_local_desk(settings, prepare=_seed) as desk:
        document = await desk.upload(ORDER)
        printer.note(f"A fresh database of a small company: {database}. Attached: {ORDER.name} ({document}).")
        printer.request(REQUEST)
        outcome = await Conversation(desk, printer, approver).ask(REQUEST, [document])
        if outcome.status != "succeeded":
            return outcome.exit_code
        return await _verify(desk, document, printer)


async def _seed(db: Prisma) -> None:
    from tools.context import utc_now
    from tools.seed import seed

    await seed(db, now=utc_now())


async def _verify(desk: LocalDesk, document_id: str, printer: Printer) -> int:
    """Ask the database what became of the order: words do not count."""
    from tools.money import Money

    orders = await desk.db.purchaseorder.find_many(where={"document_id": document_id})
    invoices = await desk.db.invoice.find_many(
        where={"order_id": {"in": [order.id for order in orders]}}, include={"payments": True}
    )
    issued = [invoice for invoice in invoices if invoice.status in {"issued", "paid"}]
    payments = [payment for invoice in issued for payment in invoice.payments if payment.status == "succeeded"]
    if (len(issued), len(payments)) != (1, 1):
        printer.concluded(
            f"The database does not hold what it should: {len(issued)} issued invoices and {len(payments)} payments "
            "for this order, instead of one each.",
            well=False,
        )
        return FAILED
    amount = Money(payments[0].amount_minor, payments[0].currency)
    printer.concluded(
        f"In the database: invoice {issued[0].number} is issued and paid, payment {payments[0].id}, {amount}.",
        well=True,
    )
    return 0


def _recorder() -> Console:
    from rich.console import Console

    return Console(record=True, highlight=False, width=100, force_terminal=True, color_system="truecolor")


def _picture(console: Console) -> str:
    """What was printed, as an SVG that fetches nothing: the reader's own monospaced font will do."""
    drawn = console.export_svg(title="make demo")
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
