"""Whoever has the fewest places gets the next one, of runs as of calls of the model; nobody's flood fills the line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.errors import ThreadNotFound, TooBusy, TooManyRuns
from agent.fair import FairPlaces
from agent.principal import Principal
from tests.agent.conftest import Office, OpenOffice
from tests.support.people import person
from tests.support.scripted_model import Step, says


async def given(places: FairPlaces, *wanted: str) -> list[str]:
    """In which order those who wait, one after the other, are given places, each given back at once."""
    order: list[str] = []

    async def one(user: str) -> None:
        async with places.of(user):
            order.append(user)
            await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    for user in wanted:
        tasks.append(asyncio.create_task(one(user)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return order


async def test_of_two_users_each_gets_every_second_place():
    places = FairPlaces(1)
    await places.enter("nobody")
    waiting = asyncio.create_task(given(places, *"aaaaaabbb"))
    for _ in range(20):
        await asyncio.sleep(0)
    places.leave("nobody")
    assert "".join(await waiting) == "abababaaa"


async def test_whoever_has_the_fewest_is_next_however_late_they_came():
    places = FairPlaces(4)
    for _ in range(4):
        await places.enter("flood")
    flood = [asyncio.create_task(places.enter("flood")) for _ in range(50)]
    await asyncio.sleep(0)
    late = [asyncio.create_task(places.enter("late")) for _ in range(2)]
    await asyncio.sleep(0)
    for held in (1, 2):
        places.leave("flood")
        await asyncio.sleep(0)
        assert (places.held("late"), places.held("flood")) == (held, 4 - held)
    assert [task.done() for task in late] == [True, True]
    assert not any(task.done() for task in flood)
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)


async def shares_of(places: FairPlaces, wanted: Sequence[str], *, turns: int) -> Counter[str]:
    """How many turns each user had when all had so many, if each name in `wanted` takes one after the other."""
    had, stop = Counter[str](), asyncio.Event()

    async def worker(user: str) -> None:
        while not stop.is_set():
            async with places.of(user):
                had[user] += 1
                await asyncio.sleep(0)

    tasks = [asyncio.create_task(worker(user)) for user in wanted]
    while had.total() < turns:  # noqa: ASYNC110  the workers are what passes the time
        await asyncio.sleep(0)
    stop.set()
    shares = had.copy()  # what comes now is what still stood in line
    await asyncio.gather(*tasks)
    return shares


async def test_shares_of_the_same_work_differ_by_less_than_a_fifth():
    """Seven users who want between 50 and 500 turns of the same length, all at once, while all of them want more."""
    wanted = [f"u{user}" for user in range(7) for _ in range(50 if user else 500)]
    shares = await shares_of(FairPlaces(5), wanted, turns=3_500)
    fair = shares.total() / 7
    assert all(abs(share - fair) < 0.2 * fair for share in shares.values()), shares


async def test_who_comes_back_at_once_is_not_before_those_who_never_left():
    """Thirty users who want one turn at a time, over and over, beside three who always want twenty."""
    wanted = [f"one{user}" for user in range(30)] + [f"many{user}" for user in range(3) for _ in range(20)]
    shares = await shares_of(FairPlaces(4), wanted, turns=3_300)
    assert all(80 <= shares[user] <= 120 for user in set(wanted)), shares


async def test_one_user_has_no_more_than_their_share_though_places_are_free():
    places = FairPlaces(10, each=2)
    assert [places.try_take("a") for _ in range(3)] == [True, True, False]
    assert places.try_take("b")
    assert all(places.try_take(None) for _ in range(5))  # where nobody signs in there are no users


async def test_who_stops_waiting_leaves_nothing_behind():
    places = FairPlaces(1)
    await places.enter("a")
    for _ in range(3):
        task = asyncio.create_task(places.enter("b"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    last = asyncio.create_task(places.enter("b"))
    await asyncio.sleep(0)
    places.leave("a")  # it is given, and cancelled in the same moment
    last.cancel()
    await asyncio.gather(last, return_exceptions=True)
    assert places.try_take("c")
    places.leave("c")
    assert (places._lines, dict(places._held), places._since) == ({}, {}, {})  # pyright: ignore[reportPrivateUsage]


# ---------------------------------------------------------------- in an agent


async def ask(office: Office, who: Principal) -> str:
    thread = await office.db.thread.create(data={"tenant_id": who.tenant_id, "user_id": who.user_id})
    return await office.ask(f"I am {who.user_id}.", thread_id=thread.id, principal=who)


@pytest.mark.parametrize("bound", [{"max_running": 2}, {"model_slots": 2}])
async def test_a_user_with_fifty_runs_does_not_starve_another(open_office: OpenOffice, bound: dict[str, int]):
    """Whether runs wait for a place or their calls for the model."""
    asked: list[str] = []

    def answer(said: list[object]) -> Step:
        asked.append(str(said[-1]))
        return says("Done.", pause=0.005)

    office = await open_office([answer] * 53, **bound)
    flood, late = await person(office.db, "flood", "viewer"), await person(office.db, "late", "viewer")
    runs = [await ask(office, flood) for _ in range(50)]
    before = len(asked)
    of_late = [await ask(office, late) for _ in range(3)]
    done = [await office.agent.wait(run_id) for run_id in of_late]
    assert [run.status for run in done] == ["succeeded"] * 3
    assert len(asked) - before < 3 * 2 + 2 * 2 + 2  # about every second turn was theirs
    assert {run.status for run in [await office.agent.wait(run_id) for run_id in runs]} == {"succeeded"}


async def test_one_users_flood_fills_neither_the_line_nor_the_places(open_office: OpenOffice):
    office = await open_office(
        [says("Done.", pause=0.02)] * 8, max_running=10, max_queued=20, max_running_each=2, max_queued_each=3
    )
    flood, other = await person(office.db, "flood", "viewer"), await person(office.db, "other", "viewer")
    taken = await asyncio.gather(*(ask(office, flood) for _ in range(12)), return_exceptions=True)
    refused = [each for each in taken if isinstance(each, TooManyRuns)]
    assert len(refused) == 12 - 2 - 3
    assert all(isinstance(each, TooBusy) and each.retry_after_seconds >= 1 for each in refused)
    theirs = await ask(office, other)
    assert (await office.db.run.find_unique_or_raise(where={"id": theirs})).status == "running"
    for run_id in [theirs, *(each for each in taken if isinstance(each, str))]:
        assert (await office.agent.wait(run_id)).status == "succeeded"


@pytest.mark.parametrize("source", ["key", "address"])
async def test_a_key_and_an_address_have_so_many_runs_at_a_time(open_office: OpenOffice, source: str):
    """At work or waiting; what has ended makes room, and what was refused takes none."""
    office = await open_office([says("Done.", pause=0.02)] * 9, max_running=1, **{f"max_runs_{source}": 2})
    one, two = await person(office.db, "one", "viewer"), await person(office.db, "two", "viewer")
    field = {"key": "key_id", "address": "address"}[source]
    ours, theirs = replace(one, **{field: "a"}), replace(two, **{field: "b"})
    for _ in range(2):
        runs = [await ask(office, ours) for _ in range(2)]
        for _ in range(2):
            with pytest.raises(TooManyRuns, match=source) as refused:
                await ask(office, ours)
            assert refused.value.retry_after_seconds >= 1
        runs += [await ask(office, theirs), await ask(office, one)]  # another one, and none at all
        assert {(await office.agent.wait(run_id)).status for run_id in runs} == {"succeeded"}
    admission = office.agent._admission  # pyright: ignore[reportPrivateUsage]
    while admission.at_work:  # noqa: ASYNC110  the last run's place comes back a moment after its end is told
        await asyncio.sleep(0)
    assert not admission._of_source  # pyright: ignore[reportPrivateUsage]


async def test_a_request_that_is_refused_or_came_before_takes_nothing_from_its_source(open_office: OpenOffice):
    office = await open_office([says("Done.")] * 3, max_runs_key=1)
    who = replace(await person(office.db, "one", "viewer"), key_id="k")
    thread = (await office.db.thread.create(data={"tenant_id": who.tenant_id, "user_id": who.user_id})).id
    with pytest.raises(ThreadNotFound):
        await office.ask("Hello.", thread_id="none", principal=who)
    first = await office.ask("Hello.", thread_id=thread, principal=who, idempotency_key="x")
    await office.agent.wait(first)
    assert await office.ask("Hello.", thread_id=thread, principal=who, idempotency_key="x") == first
    assert (await office.agent.wait(await ask(office, who))).status == "succeeded"


async def test_runs_in_other_processes_count_too(open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch):
    office = await open_office([], max_running_each=2, max_queued_each=1)
    busy = await person(office.db, "busy", "viewer")
    thread = await office.db.thread.create(data={"tenant_id": "default", "user_id": busy.user_id})
    await office.db.replica.create(data={"id": "elsewhere", "host": "elsewhere", "pid": 1})
    for number in range(3):
        await office.db.run.create(
            data={
                "tenant_id": "default",
                "thread_id": thread.id,
                "user_id": busy.user_id,
                "status": "running",
                "input": str(number),
                "model": "m",
                "owner_id": "elsewhere",
            }
        )
    await office.agent._replicas.watch()  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(TooManyRuns):
        await ask(office, busy)
