"""The connection is lost when a transaction was committed, or just before: nothing is done twice, nothing is lost."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Literal

import pytest
import pytest_asyncio

from agent.errors import ApprovalNotPending
from prisma.engine.transaction import Transaction
from prisma.errors import ConnectionClosedError
from tests.agent.conftest import Office, OpenOffice, data_of, principal, types
from tests.support.scripted_model import asks, says

When = Literal["before", "after"]
CALL = {"customer": "cus_acme"}


class Connection:
    """Loses the answer to the `at`th commit."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.when: When = "after"
        self.commits = 0
        self.lost = False

    def lose(self, at: int, when: When) -> None:
        self.at, self.when, self.commits, self.lost = at, when, 0, False

    async def commit(self, transaction: Transaction, commit: Callable[[Transaction], Awaitable[None]]) -> None:
        self.commits += 1
        if self.commits != self.at:
            return await commit(transaction)
        self.lost = True
        await (commit(transaction) if self.when == "after" else transaction.rollback())
        raise ConnectionClosedError("The connection was lost.")


@pytest_asyncio.fixture
async def connection(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Connection]:
    made, commit = Connection(), Transaction.commit

    async def lossy(self: Transaction) -> None:
        await made.commit(self, commit)

    monkeypatch.setattr(Transaction, "commit", lossy)
    yield made


async def approve(office: Office, asked: dict[str, str]) -> None:
    await office.agent.decide(
        asked["approval_id"], decision="approve", digest=asked["digest"], reason=None, principal=principal("approver")
    )


@pytest.mark.parametrize("when", ["before", "after"])
async def test_whichever_commits_answer_is_lost_a_run_is_one_run(
    open_office: OpenOffice, connection: Connection, when: When
):
    office = await open_office([])
    for at in itertools.count(1):
        office.model.script += [asks(("change", CALL)), asks(("pay", CALL)), says("Done.")]
        thread = await office.db.thread.create(data={"tenant_id": "default"})
        before = await office.effects()
        connection.lose(at, when)
        run_id = await office.ask(thread_id=thread.id)
        [asked] = data_of(await office.events(run_id), "approval.required")
        await approve(office, asked)
        assert (await office.agent.wait(run_id)).status == "succeeded", at
        assert await office.effects() - before == 2, at
        assert await office.db.run.count(where={"thread_id": thread.id}) == 1, at
        messages = await office.db.message.find_many(where={"thread_id": thread.id}, order={"position": "asc"})
        assert [message.role.value for message in messages] == "user assistant tool assistant tool assistant".split(), (
            at
        )
        assert [effect.status.value for effect in await office.db.effect.find_many(where={"run_id": run_id})] == [
            "executed"
        ] * 2, at
        events = await office.events(run_id)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1)), at
        assert types(events).count("run.finished") == 2, at
        with pytest.raises(ApprovalNotPending):
            await approve(office, asked)
        if not connection.lost:
            assert at > 6
            return
