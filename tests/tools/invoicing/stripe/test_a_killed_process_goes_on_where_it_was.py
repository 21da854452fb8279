"""`kill -9` of us, and of Stripe: started again with the same keys, there is one invoice and one payment in the end."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.support.outside_effects import until_known
from tests.support.server_process import ROOT, environment
from tests.support.stripe_rounds import CUSTOMER, LINES, NewContext, in_the_end
from tests.support.stripe_server import KEY, StripeServer
from tools.context import ToolContext
from tools.invoicing.stripe import Stripe, StripeClient

pytestmark = pytest.mark.service

REQUESTS = 10  # that draft, issue and pay take for a customer whom Stripe does not know
WAIT = 60.0  # seconds for a process


async def start(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, cwd=ROOT, env=environment({}), stdout=PIPE
    )


@pytest.mark.parametrize("nth", range(1, REQUESTS + 1))
async def test_we_are_killed_when_stripe_has_done_what_was_asked(nth: int, company_url: str, server: StripeServer):
    clerk = await start("tests.support.stripe_clerk", company_url, server.url, "first")
    server.on_answer = lambda: clerk.kill() if len(server.asked) == nth else None
    await asyncio.wait_for(clerk.communicate(), WAIT)
    assert (clerk.returncode, len(server.asked)) == (-9, nth)
    server.on_answer = None
    again = await start("tests.support.stripe_clerk", company_url, server.url, "again")
    out, _ = await asyncio.wait_for(again.communicate(), WAIT)
    assert out.decode().strip() == f"{server.world.all('invoice')[0]['number']} paid"
    effects = server.world.effects
    assert (effects["invoice.created"], effects["invoice.finalized"], effects["payment.taken"]) == (1, 1, 1)
    assert effects["invoiceitem.created"] == 2
    assert effects["customer.created"] == 1


@asynccontextmanager
async def restarted(state: Path) -> AsyncGenerator[str]:
    """The address of a Stripe that is started again, with what it knew, whenever it dies."""
    process = await start("tests.support.stripe_server", "0", "--state", str(state))
    assert process.stdout is not None
    port = (await process.stdout.readline()).decode().strip()
    running = process

    async def keep_alive() -> None:
        nonlocal running
        while True:
            await running.wait()
            running = await start("tests.support.stripe_server", port, "--state", str(state))

    keeper = asyncio.create_task(keep_alive())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        running.kill()
        await running.wait()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_stripe_is_killed_at_each_of_our_writes(when: str, tmp_path: Path, new_context: NewContext):
    async with restarted(tmp_path / "stripe.json") as url, httpx.AsyncClient(base_url=url, timeout=WAIT) as steer:
        stripe = Stripe(StripeClient(KEY, base=url, first_wait=0.3))

        def context() -> ToolContext:
            return replace(new_context(), invoices=stripe)

        for nth in range(1, REQUESTS):
            fault = {"how": "kill", "when": when, "nth": nth}
            await steer.post("/_test/faults", content=orjson.dumps([fault]))
            draft: Any = await in_the_end("draft_invoice", context, customer=CUSTOMER, lines=LINES)
            await in_the_end("issue_invoice", context, invoice=draft.id.id)
            paid: Any = await until_known("take_payment", context(), invoice=draft.id.id)
            assert paid.invoice_status == "paid"
            effects = (await steer.get("/_test/state")).json()["effects"]
            assert (effects["invoice.created"], effects["invoice.finalized"], effects["payment.taken"]) == (nth,) * 3
        await stripe.close()
