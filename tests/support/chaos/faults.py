"""A provider that fails at each of its requests, one order after the other."""

from __future__ import annotations

import asyncio

from tests.support.chaos.rounds import Trial
from tests.support.stripe_server import How


async def fail_each_request(made: Trial, *, how: How, when: str) -> int:
    """An order for each request to Stripe that can fail, until none does. How many failed."""
    assert made.stripe is not None
    for nth in range(1, len(made.documents)):
        made.stripe.faults.clear()
        fault = made.stripe.fail(how, when=when, nth=nth)
        made.send_orders(1)
        async with asyncio.timeout(60):
            await asyncio.gather(*made.customers.values())
        if fault.seen < nth:
            await made.conclude()
            return nth - 1
    raise AssertionError("an order has more requests than there are orders")
