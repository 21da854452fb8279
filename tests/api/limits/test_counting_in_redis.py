"""Several servers count together in Redis, over a real connection; while it is away each counts for itself."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import limits
import pytest
import pytest_asyncio
from fakeredis import TcpFakeServer
from limits import parse
from redis import Redis

from agent.errors import QuotaExhausted
from agent.principal import Principal
from api.limits import store as store_module
from api.limits.settings import LimitSettings
from api.limits.store import Store
from api.limits.tokens import TokenQuota

pytestmark = pytest.mark.service

LIMIT = parse("3/minute")
ANN = Principal("default", "ann", frozenset({"clerk"}), key_id="key_1", address="203.0.113.7")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load_scripts(port: int) -> None:
    """As they would be after the first use: this server hangs up after an error, and `NOSCRIPT` is one."""
    client = Redis(host="127.0.0.1", port=port)
    scripts = sorted((Path(limits.__file__).parent / "resources" / "redis" / "lua_scripts").glob("*.lua"))
    assert scripts
    for script in scripts:
        client.script_load(script.read_text())
    client.close()


@contextmanager
def redis(port: int) -> Generator[str]:
    """A server that speaks Redis's protocol, in a thread. No wheel brings the real one, for every platform."""
    server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    load_scripts(port)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest_asyncio.fixture
async def opened() -> AsyncGenerator[Callable[[str], Store]]:
    """Makes stores, and closes them at the end."""
    stores: list[Store] = []

    def make(url: str) -> Store:
        stores.append(Store(url))
        return stores[-1]

    yield make
    for store in stores:
        await store.close()


async def counted(store: Store, whose: str, times: int) -> list[bool]:
    return [(await store.count("user", LIMIT, whose)).refused for _ in range(times)]


async def test_two_servers_count_together(opened: Callable[[str], Store]):
    with redis(free_port()) as url:
        one, other = opened(url), opened(url)
        assert await counted(one, "ann", 2) == [False, False]
        assert await counted(other, "ann", 2) == [False, True]
        standing = await one.count("user", LIMIT, "ann")
        assert (standing.refused, standing.remaining) == (True, 0)
        assert 0 < standing.resets_in <= 60
        assert await counted(one, "bob", 1) == [False]


async def test_while_redis_is_away_each_counts_for_itself_and_nobody_waits(
    opened: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(store_module, "AWAY", 0.2)
    port = free_port()
    store = opened(f"redis://127.0.0.1:{port}/0")
    began = time.monotonic()
    assert await counted(store, "ann", 4) == [False, False, False, True]
    assert time.monotonic() - began < 2
    with redis(port) as url:
        await asyncio.sleep(0.3)
        assert await counted(store, "ann", 4) == [False, False, False, True]  # there nothing was counted yet
        assert await counted(opened(url), "ann", 1) == [True]


async def test_a_redis_that_does_not_answer_costs_a_moment_once(opened: Callable[[str], Store]):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        store = opened(f"redis://127.0.0.1:{deaf.getsockname()[1]}/0")
        began = time.monotonic()
        assert await counted(store, "ann", 4) == [False, False, False, True]
        assert time.monotonic() - began < 8 * store_module.TIMEOUT


async def test_tokens_are_charged_for_all_servers():
    with redis(free_port()) as url:
        settings = LimitSettings(url=url, tokens_user="100/minute", tokens_key="", tokens_address="")
        one, other = TokenQuota(settings), TokenQuota(settings)
        await one.check(ANN)
        await one.charge(ANN, 99)
        await other.check(ANN)
        await one.charge(ANN, 50)  # the last run went beyond
        with pytest.raises(QuotaExhausted, match="of this user are used up: 100 per 1 minute"):
            await other.check(ANN)
        await one.close()
        await other.close()


@pytest.mark.parametrize("kind", ["user", "key", "address"])
async def test_tokens_are_limited_by_user_key_and_address(kind: str):
    none = {"tokens_user": "", "tokens_key": "", "tokens_address": ""}
    quota = TokenQuota(LimitSettings.model_validate({**none, f"tokens_{kind}": "10/minute; 20/day"}))
    await quota.charge(ANN, 10)
    with pytest.raises(QuotaExhausted, match=f"of this {kind} ") as refused:
        await quota.check(ANN)
    assert 1 <= refused.value.retry_after_seconds <= 60
    await quota.check(Principal("default", "bob", frozenset({"clerk"}), key_id="key_2", address="203.0.113.8"))
