"""The PostgreSQL that other tests lean on."""

import asyncpg
import pytest

from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.service


async def test_each_test_gets_an_empty_database(postgres_url: str):
    connection = await asyncpg.connect(postgres_url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert tables == 0


async def test_a_killed_server_comes_back_on_the_same_url(postgres: PostgresServer, postgres_url: str):
    postgres.restart()
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
