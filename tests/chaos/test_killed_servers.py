"""kill -9 while orders are checked, invoiced and paid: each is done once, and told as one story. `make chaos`: more."""

from __future__ import annotations

import random

import pytest

from tests.chaos.conftest import OpenTrial
from tests.support.chaos.cuts import freeze_in_turn, kill_in_turn
from tests.support.chaos.rounds import kill_at_points, kill_at_random

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="session")]

RARE = ("reserved:2", "rested", "decided")
PROMISED = 10.0  # seconds until a dead server's runs are taken over
GENEROUS = 15.0  # seconds, on a machine that does other things too


async def test_killed_at_the_worst_moments_and_at_a_random_one(on_sqlite: OpenTrial):
    async with on_sqlite(orders=20) as made:
        await kill_at_points(made, RARE, conclude=False)
        await kill_at_random(made, kills=1, open_orders=2, seconds=1.5, chance=random.Random())
        assert (made.kills, made.missed) == (len(RARE) + 1, [])


async def test_killed_when_stripe_has_done_it_and_we_have_not_recorded_it(on_sqlite: OpenTrial):
    async with on_sqlite(orders=20, invoicing="stripe") as made:
        await kill_at_points(made, ("executed:3",))
        assert not made.missed


async def test_another_server_takes_over_from_one_that_is_killed_and_from_one_that_stands_still(
    on_postgres: OpenTrial,
):
    async with on_postgres(orders=20, token_seconds=0.05) as made:
        killed = await kill_in_turn(made, times=1, open_orders=4, chance=random.Random())
        for replica in made.replicas:
            await replica.kill()
        frozen = await freeze_in_turn(made, times=1, open_orders=4, chance=random.Random())
        assert all(seconds < GENEROUS for seconds in (*killed, *frozen)), (killed, frozen)
