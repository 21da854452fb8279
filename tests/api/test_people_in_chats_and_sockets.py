"""With sign-in: whose socket it is, tickets once, disabled people out within seconds; OpenAI's client with a key."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.auth.users import disable_user
from prisma import Prisma
from tests.api.chat.test_approvals_in_chat import FORM_KEY, LINK
from tests.api.conftest import SCRIPT, fill
from tests.api.test_sockets import talk
from tests.support.arena import PASSWORD, people
from tests.support.server_process import Server, run_server

pytestmark = pytest.mark.service

FRIEND = "https://chat.example"


@dataclass
class Place:
    server: Server
    url: str

    def sign_in(self, name: str) -> dict[str, str]:
        form = {"grant_type": "password", "username": name, "password": PASSWORD}
        answer = httpx.post(f"{self.server.url}/v1/auth/token", data=form, timeout=60).raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def post(self, path: str, who: dict[str, str], **options: Any) -> Any:
        return httpx.post(f"{self.server.url}{path}", headers=who, timeout=60, **options).raise_for_status().json()


@pytest.fixture(scope="module")
def place(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    folder = tmp_path_factory.mktemp("people")
    url = f"file:{folder / 'desk.db'}"
    shutil.copyfile(database_template, folder / "desk.db")
    (folder / "script.json").write_text(json.dumps(SCRIPT))

    async def make() -> None:
        async with Prisma(url) as db:
            await fill(db)
        await people(url)

    asyncio.run(make())
    settings = {
        "DESKCLERK_LLM": f"scripted:{folder / 'script.json'}",
        "DATABASE_URL": url,
        "DESKCLERK_ALLOWED_ORIGINS": json.dumps([FRIEND]),
    }
    with run_server(settings, folder=folder) as server:
        yield Place(server, url)


async def refusal(place: Place, thread: str, **options: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refused:
        async with talk(place.server, thread, **options):
            pass
    response = refused.value.response
    return response.status_code, str(json.loads(response.body)["code"])


async def test_a_socket_is_its_owners_by_header_or_by_a_ticket_that_is_good_once(place: Place):
    ann, vera = place.sign_in("ann"), place.sign_in("vera")
    thread = str(place.post("/v1/threads", ann)["id"])
    assert await refusal(place, thread) == (401, "not_authenticated")
    assert await refusal(place, thread, additional_headers=vera) == (404, "thread_not_found")
    assert await refusal(place, thread, additional_headers={"Authorization": "Bearer nonsense"}) == (
        401,
        "credentials_invalid",
    )
    async with talk(place.server, thread, additional_headers=ann) as clerk:
        await clerk.say(type="send", input="hello")
        assert (await clerk.until("run.finished"))[-1]["data"]["status"] == "succeeded"
    ticket = str(place.post("/v1/auth/tickets", ann)["ticket"])
    offered = ["deskclerk.v1", f"ticket.{ticket}"]
    async with talk(place.server, thread, subprotocols=offered) as clerk:
        assert clerk.socket.subprotocol == "deskclerk.v1"  # and never the ticket
    assert await refusal(place, thread, subprotocols=offered) == (401, "credentials_invalid")


async def test_pages_of_other_sites_open_no_socket_unless_they_are_named(place: Place):
    boss = place.sign_in("boss")
    thread = str(place.post("/v1/threads", boss)["id"])
    for origin in ("https://evil.example", "null", "https://chat.example.evil.example", "http://chat.example"):
        assert await refusal(place, thread, additional_headers={**boss, "Origin": origin}) == (
            403,
            "origin_not_allowed",
        )
    for origin in (FRIEND, place.server.url):
        async with talk(place.server, thread, additional_headers={**boss, "Origin": origin}):
            pass


async def test_openais_client_signs_in_by_a_key_and_hears_refusals_in_its_own_form(place: Place):
    key = place.post("/v1/auth/keys", place.sign_in("ann"), json={"name": "chat", "scopes": ["read", "runs"]})["key"]
    hello: Any = [{"role": "user", "content": "hello"}]
    with OpenAI(base_url=f"{place.server.url}/v1", api_key=key, max_retries=0) as client:
        assert client.models.list().data
        assert client.chat.completions.create(model="deskclerk", messages=hello).choices[0].message.content
    with (
        OpenAI(base_url=f"{place.server.url}/v1", api_key="dk_wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as refused,
    ):
        stranger.chat.completions.create(model="deskclerk", messages=hello)
    assert (refused.value.type, refused.value.status_code) == ("authentication_error", 401)


async def test_a_link_is_worth_what_its_person_is_worth_when_it_is_used_and_a_socket_too(place: Place):
    """The last test: it disables the boss."""
    boss = place.sign_in("boss")
    thread = str(place.post("/v1/threads", boss)["id"])
    ask = {"model": "deskclerk", "messages": [{"role": "user", "content": "Please pay INV-2026-0003 now."}]}
    found = LINK.search(place.post("/v1/chat/completions", boss, json=ask)["choices"][0]["message"]["content"])
    assert found is not None
    async with talk(place.server, thread, additional_headers=boss) as clerk, Prisma(place.url) as db:
        page = await asyncio.to_thread(httpx.get, found.group())
        form_key = FORM_KEY.search(page.text)
        assert form_key is not None
        await disable_user(db, "boss")
        started = time.monotonic()
        with pytest.raises(ConnectionClosed):
            await clerk.hear()
        assert clerk.socket.close_code == 4401
        assert time.monotonic() - started < 15
        form = {"form_key": form_key.group(1), "decision": "approve"}
        decided = await asyncio.to_thread(httpx.post, found.group(), data=form)
        assert decided.status_code == 403
        assert await db.payment.count() == 0
        assert (await db.approval.find_first_or_raise()).status == "pending"
