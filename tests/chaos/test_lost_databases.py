"""The database's connections are cut, and the database is away for a while, while orders are worked on."""

from __future__ import annotations

import pytest

from tests.chaos.conftest import OpenTrial
from tests.support.chaos.cuts import cut_again_and_again, cut_connections, stop_for_a_while
from tests.support.postgres import PostgresServer

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="session")]


async def test_connections_that_are_cut_and_a_database_that_comes_back(
    on_postgres: OpenTrial, keeping_postgres: PostgresServer
):
    async with on_postgres(orders=20) as made:

        async def cut() -> None:
            await cut_connections(keeping_postgres, made.url)

        await cut_again_and_again(made, cut, cuts=3, open_orders=2, seconds=0.7)
        await cut_again_and_again(
            made, lambda: stop_for_a_while(keeping_postgres, 1.0), cuts=1, open_orders=2, seconds=0.7, start=False
        )
