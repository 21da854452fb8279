"""kill -9 at the worst moments: no effect twice, none without its record, and the thread can be used again."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from pathlib import Path

import pytest

from tests.agent.conftest import OpenOffice
from tests.support.scripted_model import says

ROOT = Path(__file__).parents[2]
KILLS = 3  # each starts a process
pytestmark = pytest.mark.service


async def work_until_death(url: str, thread_id: str, where: str, *, after: float | None = None) -> int:
    """Run the crashing process; with `after`, kill it that many seconds after its first event. Returns its code."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.crashing_agent", url, thread_id, where),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    if after is not None:
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(after)
        if process.returncode is None:
            process.kill()
    await process.communicate()
    assert process.returncode is not None
    return process.returncode


@pytest.mark.parametrize(
    ("where", "effects", "ledger"),
    [("model", 0, []), ("tool", 0, ["reserved"]), ("recorded", 1, ["executed"]), ("answer", 1, ["executed"])],
)
async def test_an_effect_and_its_record_survive_together_or_not_at_all(
    open_office: OpenOffice, database_url: str, where: str, effects: int, ledger: list[str]
):
    office = await open_office([says("Back again.")])
    assert await work_until_death(database_url, office.thread_id, where) == -signal.SIGKILL
    assert await office.effects() == effects
    assert [row.status.value for row in await office.db.effect.find_many()] == ledger
    restarted = await open_office([says("Back again.")])
    [run] = await office.db.run.find_many()
    assert (run.status.value, run.error_code) == ("failed", "interrupted")
    events = await restarted.events(run.id)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].type == "run.finished"
    again = await restarted.ask("Hello?", thread_id=office.thread_id)
    assert (await restarted.agent.wait(again)).answer == "Back again."
    assert await office.effects() == effects


async def test_killed_at_random_moments_an_effect_is_never_without_its_record(
    open_office: OpenOffice, database_url: str
):
    office = await open_office([])
    chance = random.Random(13)
    for _ in range(KILLS):
        thread = await office.db.thread.create(data={"tenant_id": "default"})
        await work_until_death(database_url, thread.id, "never", after=chance.random() * 0.08)
    executed = await office.db.effect.count(where={"status": "executed"})
    assert await office.effects() == executed
    assert await office.db.effect.count() <= await office.db.run.count() == KILLS
