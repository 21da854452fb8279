"""While there is no user, everybody on this machine may do everything, and nobody else is listened to."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.requests import HTTPConnection
from typer.testing import CliRunner, Result

from agent.principal import LOCAL, Role, Scope, narrow
from api.auth.settings import AuthSettings, Provider
from api.auth.users import disable_user
from api.cli.commands import app
from api.settings import ApiSettings
from tests.support.server_process import COMMAND, environment, run_server
from tests.support.signing_in import PASSWORD, Desk, bearer, code_of, open_desk

if TYPE_CHECKING:
    from prisma import Prisma


async def test_without_users_everybody_here_is_an_admin(desk: Desk):
    me = (await desk.me({})).json()
    assert (me["user_id"], me["roles"]) == (None, sorted(LOCAL.roles))


async def test_the_first_user_ends_that_with_the_next_request(desk: Desk):
    assert (await desk.me({})).status_code == 200
    await desk.add("ann")
    answer = await desk.me({})
    assert code_of(answer) == (401, "not_authenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_when_the_last_user_is_disabled_the_server_does_not_open_again(desk: Desk):
    await desk.add("ann")
    await disable_user(desk.db, "ann")
    assert code_of(await desk.me({})) == (401, "not_authenticated")


async def test_a_provider_is_enough_to_ask_for_sign_in(database: Prisma):
    auth = AuthSettings(oidc_providers={"acme": Provider(issuer="https://acme.example", client_id="desk")})
    async with open_desk(database, auth=auth) as desk:
        assert code_of(await desk.me({})) == (401, "not_authenticated")


@pytest.mark.parametrize(("setting", "status"), [("on", 401), ("off", 200)])
async def test_sign_in_can_be_forced_or_switched_off(database: Prisma, setting: str, status: int):
    async with open_desk(database, ApiSettings(auth=setting)) as desk:  # pyright: ignore[reportArgumentType]
        assert (await desk.me({})).status_code == status
        if setting == "off":
            await desk.add("ann")
            assert (await desk.me({})).status_code == status


async def test_another_machine_is_refused_even_so(desk: Desk):
    transport = httpx.ASGITransport(app=desk.http._transport.app, client=("10.1.2.3", 1))  # pyright: ignore
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as away:
        assert code_of(await away.get("/v1/me")) == (401, "not_authenticated")


async def test_a_page_of_another_site_is_refused_even_so(desk: Desk):
    assert code_of(await desk.me({"Origin": "https://evil.example"})) == (403, "origin_not_allowed")
    assert code_of(await desk.me({"Host": "evil.example"})) == (421, "host_not_allowed")


async def test_a_ticket_is_good_once_for_whoever_asked(desk: Desk):
    from api.principal import redeem_ticket, still
    from api.problems import Problem

    user_id = await desk.add("ann")
    ticket = (await desk.http.post("/v1/auth/tickets", headers=await desk.bearer("ann"))).json()["ticket"]
    connection = await _socket(desk)
    principal = await redeem_ticket(connection, ticket)
    assert principal.user_id == user_id
    with pytest.raises(Problem, match="does not sign anybody in"):
        await redeem_ticket(connection, ticket)
    assert (await still(connection, principal)).user_id == user_id
    await disable_user(desk.db, "ann")
    connection.state.authenticator.forget()
    with pytest.raises(Problem, match="does not sign anybody in"):
        await still(connection, principal)


async def test_who_was_local_is_nobody_when_there_is_a_user(desk: Desk):
    from api.principal import authenticate, still
    from api.problems import Problem

    connection = await _socket(desk)
    principal = await authenticate(connection)
    assert (await still(connection, principal)) == LOCAL
    await desk.add("ann")
    with pytest.raises(Problem, match="does not sign anybody in"):
        await still(connection, principal)


@pytest.mark.parametrize(
    ("roles", "scopes", "left"),
    [
        ({"admin"}, None, {"admin"}),
        ({"admin"}, {"read"}, {"viewer"}),
        ({"admin"}, {"read", "runs"}, {"clerk"}),
        ({"admin"}, {"read", "approve"}, {"approver"}),
        ({"admin"}, {"read", "runs", "approve", "admin"}, {"admin", "clerk", "approver"}),
        ({"clerk"}, {"read"}, {"viewer"}),
        ({"clerk"}, {"read", "runs", "approve", "admin"}, {"clerk"}),
        ({"clerk", "approver"}, {"read", "approve"}, {"approver"}),
        ({"viewer"}, {"read", "runs"}, {"viewer"}),
        (set[Role](), {"read"}, set[Role]()),
    ],
)
def test_scopes_leave_of_roles_what_they_reach(roles: set[Role], scopes: set[Scope] | None, left: set[Role]):
    assert narrow(frozenset(roles), None if scopes is None else frozenset(scopes)) == frozenset(left)


async def _socket(desk: Desk) -> HTTPConnection:
    """A WebSocket's connection as a route sees it, with the state of the running application."""
    seen: list[HTTPConnection] = []

    async def keep(connection: HTTPConnection) -> None:
        seen.append(connection)

    from api.principal import get_principal

    desk.app.dependency_overrides[get_principal] = keep
    keep.__annotations__["connection"] = HTTPConnection
    await desk.http.get("/v1/models")
    desk.app.dependency_overrides.clear()
    scope = {**seen[0].scope, "type": "websocket", "path": "/v1/threads/t/ws"}
    scope.pop("method")
    return HTTPConnection(scope)


def deskclerk(
    *arguments: str, folder: Path, settings: dict[str, str], typed: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(settings),
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that commands in this process run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_this_process(*arguments: str, settings: dict[str, str], typed: str = "") -> Result:
    """The same, without the seconds that another process takes to start."""
    return CliRunner(env=settings).invoke(app, list(arguments), input=typed)


@pytest.mark.service
def test_a_running_server_goes_by_what_the_command_line_does_to_users(here: Path, database_url: str):
    """One server from open to closed, without a restart, on a machine that asked for every interface."""
    script = here / "script.json"
    script.write_text('{"native_tools": true, "answers": [{"text": "Done.", "always": true}]}')
    settings = {"DESKCLERK_LLM": f"scripted:{script}", "DATABASE_URL": database_url, "DESKCLERK_HOST": "0.0.0.0"}

    def users(*arguments: str, typed: str = "") -> str:
        done = in_this_process("users", *arguments, settings=settings, typed=typed)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    with run_server(settings, folder=here) as server, httpx.Client(base_url=server.url, timeout=60) as http:
        assert server.url.startswith("http://127.0.0.1:")
        assert "listens on this machine only and not on 0.0.0.0" in server.log
        port = int(server.url.rsplit(":", 1)[1])
        for address in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1", "::1"}:
            with pytest.raises(OSError, match=""):
                socket.create_connection((str(address), port), timeout=1).close()
        assert http.get("/v1/me").status_code == 200
        assert users("add", "Ann", "--role", "admin", typed=f"{PASSWORD}\n") == "added ann (admin)\n"
        assert code_of(http.get("/v1/me")) == (401, "not_authenticated")
        assert http.get("/v1/me", auth=("ann", PASSWORD)).json()["roles"] == ["admin"]
        body = {"name": "cli", "scopes": ["runs"]}
        key = http.post("/v1/auth/keys", json=body, auth=("ann", PASSWORD)).json()["key"]
        with_key = {**settings, "DESKCLERK_API_KEY": key}
        asked = deskclerk("chat", "hello", "--url", server.url, folder=here, settings=with_key)
        assert (asked.returncode, "Done." in asked.stdout) == (0, True), asked.stderr
        without = in_this_process("chat", "hello", "--url", server.url, settings=settings)
        assert (without.exit_code, "not_authenticated" in without.stderr) == (3, True)
        assert '"name":"ann"' in users("list")
        users("disable", "ann")
        time.sleep(1.1)
        assert code_of(http.get("/v1/me", headers=bearer(key))) == (401, "credentials_invalid")
        assert code_of(http.get("/v1/me", auth=("ann", PASSWORD))) == (401, "credentials_invalid")
        log = server.log
    for secret in (PASSWORD, key):
        assert secret not in log
    with run_server(settings, folder=here, ready=False) as server:
        assert re.match(r"http://0\.0\.0\.0:", server.url)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("short\n", "12 to 256 characters"),
        ("", "12 to 256"),
        ("aaaaaaaaaaaaaa\n", "too easily"),
        ("annannannann1\n", "too easily"),
    ],
)
def test_a_password_that_is_none_is_refused(database_url: str, typed: str, said: str):
    done = in_this_process("users", "add", "ann", settings={"DATABASE_URL": database_url}, typed=typed)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


@pytest.mark.usefixtures("here")
def test_a_key_is_not_sent_in_the_clear_to_another_machine():
    settings = {"DESKCLERK_API_KEY": "dck_secret"}
    done = in_this_process("chat", "hello", "--url", "http://desk.example", settings=settings)
    assert (done.exit_code, "is not sent over http://" in done.stderr) == (2, True)
    assert "dck_secret" not in done.stderr
