"""Webhooks: a run that rests is told, signed, as often as it takes, and never lost with the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError

from agent.run_view import view_run
from agent.settings import AgentSettings
from agent.webhooks import deliveries
from agent.webhooks.deliveries import wait_after
from agent.webhooks.sender import Answer, judge
from tests.agent.conftest import Office, OpenOffice, principal
from tests.support.http_server import Answer as HttpAnswer
from tests.support.scripted_model import asks, says
from tests.support.webhook_receiver import OTHER_SECRET, SECRET, Receiver, answers

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same number of attempts, without the hours between them."""
    monkeypatch.setattr(deliveries, "DELAYS", (0.01,) * len(deliveries.DELAYS))


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


def told(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"webhook_url": f"{receiver.url}/hook", "webhook_secret": SECRET, **more}


async def settled(office: Office, *, count: int = 1) -> list[tuple[str, str, int]]:
    """Type, status and attempts of the deliveries, once there are so many and none is pending."""
    async with asyncio.timeout(30):
        while True:
            rows = await office.db.delivery.find_many(order={"created_at": "asc"})
            if len(rows) >= count and all(row.status != "pending" for row in rows):
                return [(row.type, row.status.value, row.attempts) for row in rows]
            await asyncio.sleep(0.01)


async def test_by_default_nobody_is_told(open_office: OpenOffice):
    office = await open_office([says("Done.")])
    await office.agent.wait(await office.ask())
    assert await office.db.delivery.count() == 0


async def test_a_run_that_ends_is_told_as_the_api_shows_it(open_office: OpenOffice, receiver: Receiver):
    office = await open_office([says("Done.")], **told(receiver))
    run_id = await office.ask()
    await office.agent.wait(run_id)
    assert await settled(office) == [("run.succeeded", "delivered", 1)]
    [(message_id, body)] = receiver.attempts
    run = await view_run(office.db, {"id": run_id})
    assert run is not None
    assert body == {
        "type": "run.succeeded",
        "timestamp": run.model_dump(mode="json")["finished_at"],
        "data": run.model_dump(mode="json"),
    }
    assert (body["data"]["answer"], "." in message_id) == ("Done.", False)


async def test_a_run_that_waits_is_told_with_what_it_waits_for_and_again_when_it_ends(
    open_office: OpenOffice, receiver: Receiver
):
    office = await open_office([asks(("pay", {"customer": "cus_acme"})), says("Paid.")], **told(receiver))
    run_id = await office.ask()
    await office.agent.wait(run_id)
    await receiver.until(lambda: len(receiver.attempts) == 1)
    [approval] = receiver.attempts[0][1]["data"]["approvals"]
    await office.agent.decide(
        approval["id"], decision="approve", digest=approval["digest"], reason=None, principal=principal("approver")
    )
    await office.agent.wait(run_id)
    assert await settled(office, count=2) == [("run.waiting", "delivered", 1), ("run.succeeded", "delivered", 1)]
    assert receiver.kinds == ["run.waiting", "run.succeeded"]
    assert receiver.attempts[1][1]["data"]["approvals"] == []


async def test_a_waiting_run_that_is_cancelled_is_told(open_office: OpenOffice, receiver: Receiver):
    office = await open_office([asks(("pay", {"customer": "cus_acme"}))], **told(receiver))
    run_id = await office.ask()
    await office.agent.wait(run_id)
    await office.agent.cancel(run_id, principal=principal("admin"))
    assert [kind for kind, _, _ in await settled(office, count=2)] == ["run.waiting", "run.cancelled"]


@pytest.mark.usefixtures("quick")
async def test_after_failures_it_is_tried_again_with_the_same_id_and_a_new_timestamp(open_office: OpenOffice):
    async with Receiver(*answers(500, 302)) as receiver:
        office = await open_office([says("Done.")], **told(receiver))
        await office.ask()
        assert await settled(office) == [("run.succeeded", "delivered", 3)]
        assert len({message_id for message_id, _ in receiver.attempts}) == 1
        assert len({request.body for request in receiver.requests}) == 1
        [row] = await office.db.delivery.find_many()
        assert (row.id, row.last_error) == (receiver.attempts[0][0], None)


async def test_who_wants_no_more_is_not_asked_again(open_office: OpenOffice):
    async with Receiver(*answers(410)) as receiver:
        office = await open_office([says("Done.")], **told(receiver))
        await office.ask()
        assert await settled(office) == [("run.succeeded", "failed", 1)]
        [row] = await office.db.delivery.find_many()
        assert row.last_error == "The receiver answered 410 Gone."


@pytest.mark.usefixtures("quick")
async def test_after_ten_failures_it_is_given_up(open_office: OpenOffice):
    async with Receiver(*answers(*[503] * 20)) as receiver:
        office = await open_office([says("Done.")], **told(receiver))
        await office.ask()
        assert await settled(office) == [("run.succeeded", "failed", 10)]
        assert len(receiver.attempts) == 10


@pytest.mark.usefixtures("quick")
async def test_a_redirect_is_not_followed(open_office: OpenOffice, receiver: Receiver):
    moved = HttpAnswer(status=307, headers={"Location": f"{receiver.url}/elsewhere"})
    async with Receiver(moved) as first:
        office = await open_office([says("Done.")], **told(first))
        await office.ask()
        assert await settled(office) == [("run.succeeded", "delivered", 2)]
        assert receiver.attempts == []


@pytest.mark.usefixtures("quick")
async def test_a_receiver_that_is_away_is_asked_until_it_is_back(open_office: OpenOffice, receiver: Receiver):
    port, settings = receiver.port, told(receiver)
    await receiver.stop()
    office = await open_office([says("Done.")], **settings)
    await office.ask()
    async with asyncio.timeout(30):
        while (row := await office.db.delivery.find_first(where={"attempts": {"gt": 1}})) is None:  # noqa: ASYNC110  a row
            await asyncio.sleep(0.01)
    assert row.last_error is not None
    await receiver.start(port)
    await settled(office)


async def test_while_secrets_change_both_sign(open_office: OpenOffice):
    async with Receiver(secret=SECRET) as receiver:
        office = await open_office([says("Done.")], **told(receiver, webhook_secret=f"{OTHER_SECRET} {SECRET}"))
        await office.ask()
        assert await settled(office) == [("run.succeeded", "delivered", 1)]


async def test_what_a_dead_process_left_is_delivered_by_the_next(open_office: OpenOffice, receiver: Receiver):
    office = await open_office([says("Done.")])
    run_id = await office.ask()
    await office.agent.wait(run_id)
    for owner in ("a process nobody knows", None):
        await office.db.delivery.create(
            data={"tenant_id": "default", "run_id": run_id, "type": "run.succeeded", "body": "{}", "owner_id": owner}
        )
    successor = await open_office([], **told(receiver))
    assert [status for _, status, _ in await settled(successor, count=2)] == ["delivered"] * 2
    assert len(receiver.attempts) == 2


async def test_a_stopping_process_does_not_wait_for_hours(open_office: OpenOffice):
    async with Receiver(*answers(500)) as receiver:
        office = await open_office([says("Done.")], **told(receiver))
        await office.ask()
        await receiver.until(lambda: len(receiver.attempts) == 1)
        async with asyncio.timeout(5):
            await office.agent.stop(grace=1.0)
        [row] = await office.db.delivery.find_many()
        assert (row.status, row.attempts) == ("pending", 1)


def test_the_schedule_is_that_of_standard_webhooks_spread_a_little():
    waits = [wait_after(number) for number in range(1, 11)]
    assert waits[-1] is None
    for wait, delay in zip(waits, deliveries.DELAYS, strict=False):
        assert wait is not None
        assert 0.9 * delay <= wait <= 1.1 * delay
    assert len({wait_after(9) for _ in range(10)}) > 1
    assert sum(deliveries.DELAYS) == timedelta(hours=75, minutes=35, seconds=5).total_seconds()


@pytest.mark.parametrize(
    ("status", "retry_after", "answer"),
    [
        (200, "", Answer()),
        (299, "", Answer()),
        (301, "", Answer("The receiver answered 301 Moved Permanently.")),
        (410, "", Answer("The receiver answered 410 Gone.", gone=True)),
        (429, "120", Answer("The receiver answered 429 Too Many Requests.", retry_after=120.0)),
        (
            503,
            "Wed, 25 Nov 2026 12:01:00 GMT",
            Answer("The receiver answered 503 Service Unavailable.", retry_after=60.0),
        ),
        (503, "soon", Answer("The receiver answered 503 Service Unavailable.")),
        (799, "-5", Answer("The receiver answered 799.")),
    ],
)
def test_what_an_answer_means(status: int, retry_after: str, answer: Answer):
    assert judge(status, retry_after, now=NOW) == answer


def test_a_receiver_may_ask_for_more_time_but_not_for_ever():
    assert wait_after(1, retry_after=600.0) == 600.0
    assert wait_after(1, retry_after=1e9) == 86_400.0
    assert (wait_after(2, retry_after=1.0) or 0.0) > 200.0


@pytest.mark.parametrize(
    ("url", "secret", "complaint"),
    [
        ("ftp://example.com", SECRET, "https://"),
        ("https://example.com", "", "signed"),
        ("https://example.com", "sk_live_1", "whsec_"),
        ("https://example.com", "whsec_###", "base64"),
        ("https://example.com", "whsec_c2hvcnQ=", "24 to 64 bytes"),
    ],
)
def test_a_wrong_setting_is_told_without_the_secret(url: str, secret: str, complaint: str):
    with pytest.raises(ValidationError) as caught:
        AgentSettings.model_validate({"webhook_url": url, "webhook_secret": secret})
    [error] = caught.value.errors()
    assert complaint in error["msg"]
    assert not secret or secret not in error["msg"]


def test_settings_do_not_show_the_secret_when_printed():
    settings = AgentSettings.model_validate({"webhook_url": "https://u:p@example.com", "webhook_secret": SECRET})
    assert SECRET not in repr(settings)
    assert "u:p" not in repr(settings)
