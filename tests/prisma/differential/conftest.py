"""The pair of clients for one provider, kept for a module, and the loop on which both live."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from prisma.engine.schema_tools import SchemaTools
from prisma.migrate.urls import PROVIDERS, Provider
from tests.prisma.differential.comparison import Pair
from tests.prisma.differential.official import schema_text
from tests.prisma.differential.operations import Json, Operations
from tests.prisma.differential.pairs import clients, two_databases
from tests.support.postgres import PostgresServer

COMPARED = pytest.StashKey[Counter[str]]()  # operations by provider, over all modules of the run


@dataclass
class Bench:
    """Runs comparisons from tests that hypothesis calls: they are no coroutines."""

    provider: Provider
    operations: Operations
    pair: Pair
    runner: asyncio.Runner

    def compare(self, operations: list[Json]) -> None:
        self.runner.run(self.pair.compare(operations))


@pytest.fixture(scope="module", params=PROVIDERS)
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Bench]:
    provider: Provider = request.param
    dmmf = SchemaTools().dmmf(schema_text(provider))
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def start() -> Pair:
            folder = tmp_path_factory.mktemp(provider)
            databases = await stack.enter_async_context(two_databases(provider, folder, postgres))
            return await stack.enter_async_context(clients(databases, dmmf))

        pair = runner.run(start())
        yield Bench(provider, Operations(dmmf, provider), pair, runner)
        request.config.stash.setdefault(COMPARED, Counter())[provider] += pair.ran.total()
        runner.run(stack.aclose())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    compared = config.stash.get(COMPARED, None)
    if compared:
        counts = ", ".join(f"{count} on {provider}" for provider, count in compared.items())
        terminalreporter.write_line(f"operations compared with the official Prisma client: {counts}")
