"""Draft, issue and pay at Stripe in a process of its own, so that it can be killed; started again, it goes on.

`python -m tests.support.stripe_clerk DATABASE_URL STRIPE_URL first|again` prints the invoice's number and its status.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

from prisma import Prisma
from tests.support.stripe_rounds import CUSTOMER, LINES
from tests.support.stripe_server import KEY
from tests.support.tool_calls import call
from tools.context import ToolContext
from tools.invoicing.stripe import Stripe, StripeClient
from tools.seed import TENANT
from tools.system import Attempt


async def work(database: str, url: str, attempt: Attempt) -> str:
    """Every call has the key and the arguments that it had in the process before."""
    stripe = Stripe(StripeClient(KEY, base=url, first_wait=0.05))
    async with Prisma(database) as db:

        def context(key: str) -> ToolContext:
            return ToolContext(
                db=db,
                tenant_id=TENANT,
                run_id="run",
                call_id=key,
                idempotency_key=f"run:{key}",
                invoices=stripe,
                attempt=attempt,
                now=lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
            )

        draft: Any = await call("draft_invoice", context("draft"), customer=CUSTOMER, lines=LINES)
        issued: Any = await call("issue_invoice", context("issue"), invoice=draft.id.id)
        paid: Any = await call("take_payment", context("pay"), invoice=issued.number.id)
    await stripe.close()
    return f"{issued.number.id} {paid.invoice_status}"


if __name__ == "__main__":
    _, database_url, stripe_url, how = sys.argv
    print(asyncio.run(work(database_url, stripe_url, "first" if how == "first" else "again")), flush=True)
