"""Everybody sees what is theirs; who decides sees what is to be decided; an admin sees the company, nobody another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from agent import access
from agent.errors import (
    DocumentNotFound,
    EffectNotFound,
    Forbidden,
    NotYours,
    RunEnded,
    RunNotFound,
    SelfApproval,
    ThreadNotFound,
)
from agent.principal import Principal
from prisma import Prisma
from tests.agent.conftest import Office, OpenOffice, data_of
from tests.support.people import person
from tests.support.scripted_model import asks, says
from tools import stored

PAY = ("pay", {"customer": "cus_acme"})


@dataclass
class People:
    """Of one company, but for `stranger`, who is admin of another."""

    viewer: Principal
    clerk: Principal
    other: Principal
    approver: Principal
    admin: Principal
    stranger: Principal
    local: Principal  # who nobody signed in as, without a role that sees more


@pytest_asyncio.fixture
async def people(database: Prisma) -> People:
    return People(
        viewer=await person(database, "vera", "viewer"),
        clerk=await person(database, "carl", "clerk"),
        other=await person(database, "olga", "clerk"),
        approver=await person(database, "anna", "approver"),
        admin=await person(database, "adam", "admin"),
        stranger=await person(database, "sam", "admin", tenant="globex"),
        local=Principal("default", None, frozenset({"clerk"})),
    )


async def ask(office: Office, who: Principal, **options: Any) -> str:
    """A request of `who` on a thread of theirs; returns the run's id, at rest."""
    thread = await office.db.thread.create(data={"tenant_id": who.tenant_id, "user_id": who.user_id})
    run_id = await office.ask(thread_id=thread.id, principal=who, **options)
    await office.agent.wait(run_id)
    return run_id


async def sees(db: Prisma, who: Principal) -> dict[str, int]:
    """How many of each kind of thing."""
    return {
        "threads": await db.thread.count(where=access.threads(who)),
        "runs": await db.run.count(where=access.runs(who)),
        "approvals": await db.approval.count(where=access.approvals(who)),
        "effects": await db.effect.count(where=access.effects(who)),
        "documents": await db.document.count(where=access.documents(who)),
    }


async def test_who_sees_what_of_a_payment_that_waits_and_one_that_is_done(open_office: OpenOffice, people: People):
    office = await open_office([asks(PAY), asks(PAY), says("Paid.")])
    await ask(office, people.clerk)
    done = await ask(office, people.clerk)
    [asked] = data_of(await office.events(done), "approval.required")
    await office.agent.decide(
        asked["approval_id"], decision="approve", digest=asked["digest"], reason=None, principal=people.admin
    )
    await office.agent.wait(done)
    await stored.store_document(
        office.db, "default", name="a", media_type="text/plain", content=b"a", user_id=people.clerk.user_id
    )
    nothing = dict.fromkeys(("threads", "runs", "approvals", "effects", "documents"), 0)
    everything = {"threads": 2, "runs": 2, "approvals": 2, "effects": 1, "documents": 1}
    assert await sees(office.db, people.clerk) == everything
    assert await sees(office.db, people.admin) == {
        **everything,
        "threads": 3,
    }  # and the office's own, which is nobody's
    assert await sees(office.db, people.approver) == {**nothing, "runs": 1, "approvals": 2}  # the run that waits
    assert await sees(office.db, people.local) == {**nothing, "threads": 1}
    for stranger in (people.other, people.viewer, people.stranger):
        assert await sees(office.db, stranger) == nothing


async def test_an_approver_goes_on_seeing_the_run_they_decided_about(open_office: OpenOffice, people: People):
    office = await open_office([asks(PAY), says("Paid.")])
    run_id = await ask(office, people.clerk)
    [asked] = data_of(await office.events(run_id), "approval.required")
    await office.agent.decide(
        asked["approval_id"], decision="approve", digest=asked["digest"], reason=None, principal=people.approver
    )
    assert (await office.agent.wait(run_id, principal=people.approver)).status == "succeeded"
    with pytest.raises(Forbidden, match="somebody else's"):
        await office.agent.cancel(run_id, principal=people.approver)
    second = await person(office.db, "second", "approver")
    with pytest.raises(RunNotFound):
        await office.agent.wait(run_id, principal=second)


async def test_nobody_speaks_in_anothers_conversation(open_office: OpenOffice, people: People):
    office = await open_office([says("Done.")])
    thread = await office.db.thread.create(data={"tenant_id": "default", "user_id": people.clerk.user_id})
    for who, error in [
        (people.other, ThreadNotFound),
        (people.approver, ThreadNotFound),
        (people.stranger, ThreadNotFound),
        (people.local, ThreadNotFound),
        (people.admin, NotYours),
    ]:
        with pytest.raises(error):
            await office.ask(thread_id=thread.id, principal=who)
    assert await office.db.run.count() == 0
    await office.agent.wait(await office.ask(thread_id=thread.id, principal=people.clerk))


async def test_what_cannot_be_seen_cannot_be_watched_cancelled_or_deleted(open_office: OpenOffice, people: People):
    office = await open_office([says("Done.")])
    run_id = await ask(office, people.clerk)
    thread_id = (await office.db.run.find_unique_or_raise(where={"id": run_id})).thread_id
    for who in (people.other, people.viewer, people.approver, people.stranger, people.local):
        with pytest.raises(RunNotFound, match=f"^No run '{run_id}'.$"):
            _ = [event async for event in office.agent.events(run_id, principal=who)]
        with pytest.raises(RunNotFound):
            await office.agent.wait(run_id, principal=who)
        with pytest.raises(RunNotFound):
            await office.agent.cancel(run_id, principal=who)
        with pytest.raises(ThreadNotFound):
            await office.agent.delete_thread(thread_id, principal=who)
    with pytest.raises(RunEnded):
        await office.agent.cancel(run_id, principal=people.admin)
    await office.agent.delete_thread(thread_id, principal=people.admin)
    assert await office.db.run.count(where={"input": {"not": ""}}) == 0  # its figures stay
    assert await office.db.event.count(where={"run_id": run_id}) == 0


async def test_an_idempotency_key_is_its_users_own(open_office: OpenOffice, people: People):
    office = await open_office([says("One."), says("Two.")])
    ours = await ask(office, people.clerk, idempotency_key="same")
    theirs = await ask(office, people.other, idempotency_key="same")
    assert ours != theirs
    thread_id = (await office.db.run.find_unique_or_raise(where={"id": ours})).thread_id
    with pytest.raises(ThreadNotFound):  # the very same request by somebody else gets no run's id
        await office.ask(thread_id=thread_id, principal=people.other, idempotency_key="same again")
    assert await office.ask(thread_id=thread_id, principal=people.clerk, idempotency_key="same") == ours


async def test_only_documents_that_are_theirs_or_shared_can_be_attached(open_office: OpenOffice, people: People):
    office = await open_office([says("Read.")] * 4)

    async def document(owner: Principal, *, shared: bool = False) -> str:
        row = await stored.store_document(
            office.db,
            owner.tenant_id,
            name="a.txt",
            media_type="text/plain",
            content=b"a",
            user_id=owner.user_id,
            shared=shared,
        )
        return row.id

    own, private, shared = (
        await document(people.clerk),
        await document(people.other),
        await document(people.admin, shared=True),
    )
    foreign = await document(people.stranger, shared=True)
    await ask(office, people.clerk, documents=[own, shared])
    for hidden in (private, foreign, await document(people.local)):
        with pytest.raises(DocumentNotFound, match=f"^No document '{hidden}'.$"):
            await ask(office, people.clerk, documents=[own, hidden])
    await ask(office, people.admin, documents=[own, private, shared])


@pytest.mark.parametrize("setting", ["allow", "refuse"])
async def test_whether_whoever_asked_may_approve_is_a_setting(open_office: OpenOffice, people: People, setting: str):
    office = await open_office([asks(PAY), says("Paid.")] * 2, self_approval=setting)
    run_id = await ask(office, people.admin)
    [asked] = data_of(await office.events(run_id), "approval.required")
    approve: dict[str, Any] = {"decision": "approve", "digest": asked["digest"], "reason": None}
    if setting == "refuse":
        with pytest.raises(SelfApproval):
            await office.agent.decide(asked["approval_id"], principal=people.admin, **approve)
        assert await office.effects() == 0
        await office.agent.decide(asked["approval_id"], principal=people.approver, **approve)
    else:
        await office.agent.decide(asked["approval_id"], principal=people.admin, **approve)
    await office.agent.wait(run_id)
    assert await office.effects() == 1


async def test_whoever_asked_may_always_reject(open_office: OpenOffice, people: People):
    office = await open_office([asks(PAY), says("Not paid.")], self_approval="refuse")
    run_id = await ask(office, people.admin)
    [asked] = data_of(await office.events(run_id), "approval.required")
    await office.agent.decide(
        asked["approval_id"], decision="reject", digest=asked["digest"], reason=None, principal=people.admin
    )
    assert (await office.agent.wait(run_id)).status == "succeeded"
    assert await office.effects() == 0


async def test_an_unknown_effect_is_settled_by_who_decides_and_not_by_who_asked(
    open_office: OpenOffice, people: People
):
    office = await open_office([says("Done.")])
    run_id = await ask(office, people.clerk)
    effect = await office.db.effect.create(
        data={
            "run_id": run_id,
            "call_id": "call_1",
            "tool": "pay",
            "effect": "money",
            "arguments": {},
            "arguments_digest": "0",
            "idempotency_key": "k",
            "status": "needs_reconcile",
        }
    )
    for who, error in [(people.other, EffectNotFound), (people.stranger, EffectNotFound), (people.clerk, Forbidden)]:
        with pytest.raises(error):
            await office.agent.effects.settle(effect.id, outcome="executed", note="", principal=who)
    await office.agent.effects.settle(effect.id, outcome="executed", note="", principal=people.approver)
    assert (await sees(office.db, people.approver))["effects"] == 1  # what they settled
