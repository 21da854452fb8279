"""One server on SQLite, started again and again: what was read, queued and promised before holds afterwards."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.conftest import OpenTrial
from tests.support.chaos.desk import Desk
from tests.support.chaos.readers import approve_all, read_one_by_one, send, whole

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="session")]


async def test_a_reader_who_leaves_after_every_event_reads_the_same_bytes_after_restarts(on_sqlite: OpenTrial):
    async with on_sqlite(orders=1) as made:
        [server] = made.replicas
        await server.start()
        run_id = await send(server, made.documents.pop())
        await approve_all(server, run_id)
        await Desk(server).ended(run_id)
        before = await whole(server, run_id)
        assert await read_one_by_one(made, run_id, restart=True, every=20) == before


async def test_what_was_queued_and_what_was_to_be_interrupted_outlives_the_process(on_sqlite: OpenTrial):
    async with on_sqlite(orders=1, settings={"DESKCLERK_MAX_RUNNING": "2", "DESKCLERK_MAX_QUEUED": "3"}) as made:
        [server] = made.replicas
        await server.start()
        desk = Desk(server)
        thread = await desk.thread()
        waiting = await desk.run(thread, "Pay this order.", documents=[made.documents.pop()])
        await desk.until(waiting, "waiting")
        threads = [await desk.thread() for _ in range(6)]
        answers = await asyncio.gather(*(desk.ask(each, "Tell me slowly.") for each in threads))
        assert sorted(answer.status_code for answer in answers) == [202] * 5 + [429]
        [refused] = [answer for answer in answers if answer.status_code == 429]
        assert refused.json()["code"] == "too_busy"
        assert int(refused.headers["retry-after"]) >= 1
        await server.kill()
        await server.start(DIE_AT="submitted", DESKCLERK_MAX_QUEUED="9")  # what was queued fills the queue again
        with pytest.raises(Exception, match=r"disconnected|closed|reset|Connection"):
            await Desk(server).ask(thread, "Never mind.", multitask="interrupt")
        await server.died()
        await server.start()
        desk = Desk(server)
        for answer in answers:
            if answer.status_code == 202:
                assert (await desk.ended(answer.json()["id"]))["status"] == "succeeded"
        assert (await desk.ended(waiting))["status"] == "cancelled"
