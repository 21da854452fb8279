"""Orders that are worked on while servers are killed, again and again, and what must be true in the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from prisma import Prisma
from tests.support.chaos.client import Customer, check_transcript
from tests.support.chaos.company import check_books, open_company
from tests.support.chaos.nursery import Nursery
from tests.support.chaos.replica import Replica
from tests.support.clerk_model import ClerkModel
from tests.support.ollama_server import OllamaServer
from tests.support.stripe_server import KEY, StripeServer

STEPS = 6  # questions that an undisturbed run asks the model
ENDED_WITHIN = 120.0  # seconds, after the last kill
NAMED_WITHIN = 15.0  # seconds for a server to pass the point where it dies


@dataclass
class Trial:
    """Servers, customers, and the count of what was done to them.

    Attributes:
        killed: By customer's document, how often a server was killed while the order was open.
    """

    url: str
    replicas: Sequence[Replica]
    model: OllamaServer
    stripe: StripeServer | None
    documents: list[str]
    kills: int = 0
    missed: list[str] = field(default_factory=list[str])
    customers: dict[Customer, asyncio.Task[str]] = field(default_factory=dict[Customer, "asyncio.Task[str]"])
    killed: dict[str, int] = field(default_factory=dict[str, int])

    def address(self) -> str:
        """A server that answers, if there is one; not always the same."""
        there = [each for each in self.replicas if each.alive and not each.frozen]
        return random.choice(there or self.replicas).url

    @property
    def open(self) -> list[Customer]:
        """Whose order has not ended."""
        return [customer for customer, task in self.customers.items() if not task.done()]

    def send_orders(self, most: int) -> None:
        """Keep so many orders open."""
        for _ in range(most - len(self.open)):
            customer = Customer(self.address, self.documents.pop())
            self.killed[customer.document] = 0
            self.customers[customer] = asyncio.create_task(customer.until_ended())

    async def kill(self, replica: Replica) -> None:
        await replica.kill()
        self.disturb()

    def disturb(self) -> None:
        """Something was done to a server: each open order may have to ask the model once more."""
        self.kills += 1
        for customer in self.open:
            self.killed[customer.document] += 1

    async def die(self, replica: Replica, where: str, *, open_orders: int) -> None:
        """Give it orders until it dies where it was told to."""
        try:
            async with asyncio.timeout(NAMED_WITHIN):
                while replica.alive:
                    self.send_orders(open_orders)
                    open_now = [self.customers[customer] for customer in self.open]
                    await asyncio.wait([*open_now, replica.ended], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self.missed.append(where)
            await replica.kill()
        self.disturb()

    @property
    def points(self) -> int:
        """Kills, each counted for every order that it hit."""
        return sum(self.killed.values())

    async def conclude(self) -> None:
        """Let everything end, and look at all of it.

        Raises:
            AssertionError: Something was done twice, lost, or told in two ways.
        """
        async with asyncio.timeout(ENDED_WITHIN):
            statuses = await asyncio.gather(*self.customers.values())
        assert set(statuses) == {"succeeded"}, statuses
        async with Prisma(self.url) as db:
            await check_books(db, [(customer.document, customer.run_id) for customer in self.customers])
            assert await db.run.count(where={"status": {"not": "succeeded"}}) == 0
            assert await db.run.count() == len(self.customers)
        for customer in self.customers:
            told = {await customer.transcript(replica.url) for replica in self.replicas if replica.alive}
            assert len(told) == 1, "two servers tell two stories"
            check_transcript(told.pop(), customer.seen)
            asked = self.asked_about(customer.document)
            assert STEPS <= asked <= STEPS + self.killed[customer.document], (customer.run_id, asked)
        if self.stripe is not None:
            effects, orders = self.stripe.world.effects, len(self.customers)
            assert (effects["invoice.finalized"], effects["payment.taken"]) == (orders, orders), effects

    def asked_about(self, document: str) -> int:
        """How often the model was asked for the next step of an order."""
        return sum(document.encode() in orjson.dumps(body["messages"]) for body in self.model.asked)

    @property
    def asked_again(self) -> int:
        """Questions to the model that had been asked before."""
        return sum(self.asked_about(customer.document) - STEPS for customer in self.customers)


@asynccontextmanager
async def trial(
    url: str,
    folder: Path,
    nursery: Nursery,
    *,
    orders: int,
    replicas: int = 1,
    invoicing: str = "ledger",
    token_seconds: float = 0.01,
    settings: dict[str, str] | None = None,
) -> AsyncGenerator[Trial]:
    """A company with orders, a model, a Stripe where wanted, and servers that are not started yet."""
    documents = await open_company(url, orders=orders)
    chat = ClerkModel(token_seconds=token_seconds)
    async with OllamaServer(chat=chat) as model, StripeServer() as stripe:
        environment: dict[str, str] = {
            "DESKCLERK_LLM": "ollama:qwen3:8b",
            "OLLAMA_HOST": model.url,
            "DATABASE_URL": url,
            "DESKCLERK_INVOICING": invoicing,
            "DESKCLERK_HEARTBEAT_SECONDS": "1",
            **({"STRIPE_API_KEY": KEY, "STRIPE_API_BASE": stripe.url} if invoicing == "stripe" else {}),
            **(settings or {}),
        }
        servers = [Replica(nursery, f"replica-{number}", environment, folder) for number in range(replicas)]
        made = Trial(url, servers, model, stripe if invoicing == "stripe" else None, documents)
        try:
            yield made
        finally:
            for task in made.customers.values():
                task.cancel()
            await asyncio.gather(*made.customers.values(), return_exceptions=True)
            for server in servers:
                await server.kill()


async def kill_at_random(made: Trial, *, kills: int, open_orders: int, seconds: float, chance: random.Random) -> None:
    """Start the server, kill it within `seconds`, again and again; orders are open all the time."""
    replica = made.replicas[0]
    for _ in range(kills):
        await replica.start()
        made.send_orders(open_orders)
        await asyncio.sleep(chance.uniform(0, seconds))
        await made.kill(replica)
    await replica.start()
    await made.conclude()


async def kill_at_points(made: Trial, points: Sequence[str], *, open_orders: int = 1, conclude: bool = True) -> None:
    """Let the server die at each of these points."""
    replica = made.replicas[0]
    for point in points:
        await replica.start(ready=False, DIE_AT=point)
        await made.die(replica, point, open_orders=open_orders)
    if conclude:
        await replica.start()
        await made.conclude()


async def kill_one_of_two(made: Trial, *, kills: int, open_orders: int, seconds: float, chance: random.Random) -> None:
    """Two servers work; one is killed and started again, so the other takes over."""
    await asyncio.gather(*(replica.start() for replica in made.replicas))
    for _ in range(kills):
        made.send_orders(open_orders)
        await asyncio.sleep(chance.uniform(0, seconds))
        victim: Any = made.replicas[chance.randrange(len(made.replicas))]
        await made.kill(victim)
        await victim.start()
    await made.conclude()
