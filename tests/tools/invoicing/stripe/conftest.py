"""The demo company with its invoicing at a Stripe that runs on this machine."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio

from tests.support.stripe_rounds import NewContext, Rounds
from tests.support.stripe_server import KEY, StripeServer
from tools.context import ToolContext
from tools.invoicing.stripe import Stripe, StripeClient


@pytest_asyncio.fixture
async def server() -> AsyncGenerator[StripeServer]:
    async with StripeServer() as running:
        yield running


@pytest_asyncio.fixture
async def stripe(server: StripeServer) -> AsyncGenerator[Stripe]:
    http = httpx.AsyncClient(timeout=httpx.Timeout(0.5, connect=0.5), trust_env=False)
    adapter = Stripe(StripeClient(KEY, base=server.url, client=http, first_wait=0.001))
    yield adapter
    await adapter.close()


@pytest.fixture
def ctx(ctx: ToolContext, stripe: Stripe) -> ToolContext:
    """A call over the demo company whose invoices are at Stripe."""
    return replace(ctx, invoices=stripe)


@pytest.fixture
def new_context(ctx: ToolContext) -> NewContext:
    """A further call each time."""
    count = itertools.count()

    def make() -> ToolContext:
        number = next(count)
        return replace(ctx, call_id=f"c{number}", idempotency_key=f"run:c{number}")

    return make


@pytest.fixture
def rounds(server: StripeServer, new_context: NewContext) -> Rounds:
    return Rounds(server, new_context)
