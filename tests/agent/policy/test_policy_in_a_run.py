"""The policy where it matters: a model that does whatever it likes, a person who approves everything, real effects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from agent.messages import ChatMessage
from agent.principal import Principal
from tests.agent.conftest import Office, OpenOffice, data_of, principal
from tests.support.policies import policy, rules
from tests.support.scripted_model import Step, asks, says
from tools.context import utc_now

PAY = ("pay", {"customer": "cus_acme"})
MAIL = ("mail", {"customer": "cus_acme"})
LOOK = ("look_up", {"name": "acme"})
EVERYTHING = [asks(PAY, MAIL), says("Done.")]
OFTEN = "- {name: not_too_often, tools: [pay], limit: {within: 1h, calls: 2}, verdict: refuse, reason: Too often.}"
AT_ONCE = 8


async def rubber_stamp(office: Office, run_id: str) -> list[dict[str, Any]]:
    """Approve whatever is asked until nothing is asked any more; returns what the calls came to."""
    while True:
        events = await office.events(run_id)
        if data_of(events, "run.finished")[-1]["status"] != "waiting":
            return data_of(events, "tool.result")
        for row in await office.db.approval.find_many(where={"run_id": run_id, "status": "pending"}):
            await office.agent.decide(
                row.id, decision="approve", digest=row.digest, reason=None, principal=principal("approver")
            )


REFUSALS = {
    "a capability": (
        policy("version: 1\ncapabilities: [{roles: [admin], effects: [read], verdict: allow}]"),
        EVERYTHING,
    ),
    "another company's capability": (
        policy("version: 1\ncapabilities: [{roles: [admin], tenants: [globex], verdict: allow}]"),
        EVERYTHING,
    ),
    "an origin": (
        rules("""
            - {name: ask_first, effects: [money, send], verdict: ask, reason: Ask.}
            - name: from_a_record
              tools: [pay, mail]
              require_origin: {customer: [record]}
              verdict: refuse
              reason: The payee must come from a record.
        """),
        EVERYTHING,
    ),
    "a flow": (
        rules("""
            - {name: ask_first, effects: [money, send], verdict: ask, reason: Ask.}
            - {name: nothing_leaves, effects: [money, send], after_reading: [look_up], verdict: refuse, reason: No.}
        """),
        [asks(LOOK), *EVERYTHING],
    ),
    "a predicate": (
        rules("""
            - {name: ask_first, effects: [money, send], verdict: ask, reason: Ask.}
            - {name: not_acme, effects: [money, send], when: {customer: {eq: cus_acme}}, verdict: refuse, reason: No.}
        """),
        EVERYTHING,
    ),
    "a limit": (
        rules("""
            - {name: ask_first, effects: [money, send], verdict: ask, reason: Ask.}
            - {name: none_at_all, effects: [money, send], limit: {within: 1h, calls: 0}, verdict: refuse, reason: No.}
        """),
        EVERYTHING,
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_person_who_approves_everything_cannot_let_through_what_policy_refuses(
    open_office: OpenOffice, what: str
):
    in_force, script = REFUSALS[what]
    office = await open_office(script, policy=in_force, native_tools=True)
    outcomes = await rubber_stamp(office, await office.ask())
    assert await office.effects() == 0
    assert [outcome["status"] for outcome in outcomes if outcome["status"] != "succeeded"] != []
    assert await office.db.approval.count() == 0


async def test_the_same_person_gets_the_harmless_work_done(open_office: OpenOffice):
    in_force = rules("""
        - {name: ask_first, effects: [money, send], verdict: ask, reason: Ask.}
        - name: known_payee
          tools: [pay, mail]
          require_origin: {customer: [user, record]}
          verdict: refuse
          reason: No.
        - {name: nothing_leaves, effects: [money, send], after_reading: [document, web], verdict: refuse, reason: No.}
        - {name: not_too_often, effects: [money, send], limit: {within: 1h, calls: 2}, verdict: refuse, reason: No.}
    """)
    office = await open_office([asks(LOOK), *EVERYTHING], policy=in_force, native_tools=True)
    outcomes = await rubber_stamp(office, await office.ask())
    assert [outcome["status"] for outcome in outcomes] == ["succeeded"] * 3
    assert await office.effects() == 2


async def test_policy_is_asked_again_when_the_tool_runs(open_office: OpenOffice):
    """Two calls wait for a person; meanwhile the limit is used up, and the yes of before does not help."""
    in_force = rules(f"- {{name: ask_first, tools: [pay], verdict: ask, reason: Ask.}}\n{OFTEN}")
    office = await open_office([asks(PAY), says("Done.")], policy=in_force)
    run_id = await office.ask()
    await office.events(run_id)
    other = await office.db.run.find_unique_or_raise(where={"id": run_id})
    for number in range(2):
        await office.db.effect.create(
            data={
                "run_id": other.id,
                "call_id": f"before_{number}",
                "tool": "pay",
                "effect": "money",
                "arguments": {},
                "arguments_digest": "",
                "idempotency_key": f"before_{number}",
                "status": "executed",
            }
        )
    [outcome] = await rubber_stamp(office, run_id)
    assert (outcome["status"], outcome["error"]["code"]) == ("refused", "not_too_often")
    assert await office.effects() == 0


# ------------------------------------------------------------ limits


async def paid(office: Office, times: int, who: Principal) -> list[str]:
    """How each of several runs ends, one after the other."""
    ends: list[str] = []
    for _ in range(times):
        thread = await office.db.thread.create(data={"tenant_id": who.tenant_id, "user_id": who.user_id})
        events = await office.events(await office.ask(principal=who, thread_id=thread.id))
        ends += [outcome["status"] for outcome in data_of(events, "tool.result")]
    return ends


async def test_a_limit_counts_over_runs_and_forgets_what_is_long_ago(open_office: OpenOffice):
    now = utc_now()
    office = await open_office([asks(PAY), says("Done.")] * 4, policy=rules(OFTEN), clock=lambda: now)
    assert await paid(office, 3, principal("clerk")) == ["succeeded", "succeeded", "refused"]
    now += timedelta(hours=2)
    assert await paid(office, 1, principal("clerk")) == ["succeeded"]


async def test_a_limit_for_each_user_counts_each_user_for_himself(open_office: OpenOffice):
    each = "- {name: not_often, tools: [pay], limit: {within: 1h, calls: 1, per: [user]}, verdict: refuse, reason: No.}"
    office = await open_office([asks(PAY), says("Done.")] * 4, policy=rules(each))
    people = [await office.db.user.create(data={"tenant_id": "default", "name": name}) for name in ("ann", "bob")]
    for person in people:
        who = Principal("default", person.id, frozenset({"clerk"}))
        assert await paid(office, 2, who) == ["succeeded", "refused"]


async def test_calls_of_one_step_cannot_pass_a_limit_together(open_office: OpenOffice):
    calls = [("pay", {"customer": "cus_acme", "note": str(number)}) for number in range(AT_ONCE)]
    office = await open_office([asks(*calls), says("Done.")], policy=rules(OFTEN), native_tools=True)
    events = await office.events(await office.ask())
    assert sorted(one["status"] for one in data_of(events, "tool.result")) == ["refused"] * 6 + ["succeeded"] * 2
    assert await office.effects() == 2


async def test_runs_at_once_cannot_pass_a_limit_together(open_office: OpenOffice):
    def pays_once(said: Sequence[ChatMessage]) -> Step:
        return says("Done.") if said[-1].role == "tool" else asks(PAY)

    office = await open_office([pays_once] * (2 * AT_ONCE), policy=rules(OFTEN), native_tools=True)
    threads = [await office.db.thread.create(data={"tenant_id": "default"}) for _ in range(AT_ONCE)]
    runs = await asyncio.gather(*(office.ask(thread_id=thread.id) for thread in threads))
    await asyncio.gather(*(office.events(run_id) for run_id in runs))
    assert await office.effects() == 2


# ------------------------------------------------------------ what the model is shown


async def test_a_forbidden_tool_is_neither_shown_nor_there(open_office: OpenOffice):
    in_force = policy("""
        version: 1
        capabilities:
          - {roles: [clerk], verdict: allow}
          - {roles: [clerk], tools: [mail], tenants: [default], verdict: refuse}
    """)
    office = await open_office([asks(MAIL), says("I cannot.")], policy=in_force, native_tools=True)
    events = await office.events(await office.ask(principal=principal("clerk")))
    [outcome] = data_of(events, "tool.result")
    assert outcome["error"]["code"] == "not_found"
    assert "mail" not in office.model.offered[0]
    assert "pay" in office.model.offered[0]
