"""LangChain's and MCP servers' tools, real ones, through the agent's graph: effects counted, kills in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
import yaml

from agent.outside.config import OutsideToolsInvalid
from agent.outside.open import open_outside_tools
from agent.policy import Policy
from agent.policy.load import parse_policy
from agent.principal import DEFAULT_TENANT, Principal
from agent.service import Agent
from agent.settings import AgentSettings
from tests.agent.conftest import data_of
from tests.support.scripted_model import Script, ScriptedModel, asks, says
from tools.errors import OutcomeUnknown
from tools.system import NEVER

if TYPE_CHECKING:
    from prisma import Prisma
    from tools.registry import AnyTool

ROOT = Path(__file__).parents[3]
ADMIN = Principal(DEFAULT_TENANT, None, frozenset({"admin"}))


def policy_that_names(tools: Mapping[str, AnyTool], *names: str) -> Policy:
    """Lets an admin use these tools, which are among `tools`, without asking."""
    capability = {"roles": ["admin"], "tools": list(names), "verdict": "allow"}
    return parse_policy(yaml.safe_dump({"version": 1, "capabilities": [capability]}).encode(), "policy", tools)


def write(path: Path, config: dict[str, Any]) -> Path:
    file = path / "tools.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


def stdio(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.support.mcp_server", "stdio", str(folder)]
    return {"command": command, "env": {"PYTHONPATH": str(ROOT)}}


async def pinned(folder: Path, server: dict[str, Any], **tools: str) -> Path:
    """A file with the digests that a first start tells, as an operator would write them down."""
    wanted: dict[str, dict[str, Any]] = {name: {"effect": effect, "timeout": 5} for name, effect in tools.items()}
    config = {"mcp": {"people": {**server, "tools": wanted}}}
    with pytest.raises(OutsideToolsInvalid, match="names no `digest`") as told:
        async with open_outside_tools(write(folder, config)):
            pass
    for line in str(told.value).splitlines():
        wanted[line.split(":")[0].split(".")[-1]]["digest"] = line.split("pin it with ")[1].rstrip(".")
    return write(folder, config)


@asynccontextmanager
async def agent_with(db: Prisma, file: Path, script: Script) -> AsyncGenerator[Agent]:
    async with open_outside_tools(file) as outside:
        policy = policy_that_names(outside.tools, *outside.tools)
        agent = Agent.create(
            AgentSettings(),
            db=db,
            backend=ScriptedModel(script, native_tools=True),
            invoices=cast("Any", None),
            policy=policy,
            tools=outside.allowed(policy),
            outside=outside.systems,
        )
        await agent.start()
        try:
            yield agent
        finally:
            await agent.stop(grace=0.0)


async def run(agent: Agent, db: Prisma, text: str = "Do it with Ann.") -> tuple[str, list[dict[str, Any]]]:
    """The run's id and the results of its calls."""
    thread = await db.thread.create(data={"tenant_id": DEFAULT_TENANT})
    run_id = await agent.submit(thread_id=thread.id, input=text, principal=ADMIN)
    return run_id, data_of([event async for event in agent.events(run_id)], "tool.result")


async def status_of_effect(db: Prisma, run_id: str) -> tuple[str, str | None]:
    row = await db.effect.find_first(where={"run_id": run_id})
    assert row is not None
    return row.status.value, row.provider


# ---------------------------------------------------------------- LangChain


def langchain(folder: Path, **trace: Any) -> Path:
    tools = "tests.support.outside_langchain"
    return write(
        folder,
        {
            "langchain": [
                {"name": "count_words", "use": f"{tools}:CountWords", "effect": "read"},
                {
                    "name": "leave_trace",
                    "use": f"{tools}:LeaveTrace",
                    "effect": "write",
                    "options": {"path": str(folder / "effects"), **trace},
                },
            ]
        },
    )


async def test_a_plain_tool_reads_and_its_result_is_not_trusted(database: Prisma, tmp_path: Path):
    script = [asks(("count_words", {"text": "one two three"})), says("Three.")]
    async with agent_with(database, langchain(tmp_path), script) as agent:
        _, results = await run(agent, database)
        assert [result["result"]["text"] for result in results] == ["3 words"]
        assert agent._services.tools["count_words"].results == "web"  # pyright: ignore[reportPrivateUsage]


async def test_an_effect_is_in_the_ledger_and_takes_place_once(database: Prisma, tmp_path: Path):
    script = [asks(("leave_trace", {"text": "Ann"})), says("Done.")]
    async with agent_with(database, langchain(tmp_path), script) as agent:
        run_id, _ = await run(agent, database)
    assert (tmp_path / "effects").read_text() == "Ann\n"
    assert await status_of_effect(database, run_id) == ("executed", "langchain_leave_trace")


async def test_an_effect_that_breaks_in_the_middle_is_for_a_person_and_not_tried_again(
    database: Prisma, tmp_path: Path
):
    script = [asks(("leave_trace", {"text": "Ann"})), says("I do not know.")]
    async with agent_with(database, langchain(tmp_path, breaks=True), script) as agent:
        run_id, results = await run(agent, database)
    assert results[0]["error"]["code"] == "outcome_unknown"
    assert (tmp_path / "effects").read_text() == "Ann\n"
    assert await status_of_effect(database, run_id) == ("needs_reconcile", "langchain_leave_trace")


async def test_a_tool_that_says_no_tells_the_model_why(database: Prisma, tmp_path: Path):
    script = [asks(("count_words", {"text": " "})), says("No.")]
    async with agent_with(database, langchain(tmp_path), script) as agent:
        _, results = await run(agent, database)
    assert results[0]["error"] == {"code": "tool_failed", "message": "There is no text."}


@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")
async def test_a_tool_of_langchain_community_works(database: Prisma, tmp_path: Path):
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "note.txt").write_text("room 7")
    file = write(
        tmp_path,
        {
            "langchain": [
                {
                    "name": "count_words",
                    "use": "langchain_community.tools.file_management:ReadFileTool",
                    "effect": "read",
                    "options": {"root_dir": str(tmp_path / "desk")},
                }
            ]
        },
    )
    script = [asks(("count_words", {"file_path": "note.txt"})), says("Room 7.")]
    async with agent_with(database, file, script) as agent:
        _, results = await run(agent, database)
    assert results[0]["result"]["text"] == "room 7"


async def test_a_tool_that_no_capability_names_is_refused_and_the_log_says_so(
    database: Prisma, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with open_outside_tools(langchain(tmp_path)) as outside:
        policy = policy_that_names(outside.tools, "leave_*")
        assert set(outside.allowed(policy)) == {"leave_trace"}
    assert [getattr(record, "tool", "") for record in caplog.records] == ["count_words"]


@pytest.mark.parametrize("attempt", ["again", "look_up"])
async def test_an_effect_that_a_dead_process_had_begun_is_never_asked_for_again(tmp_path: Path, attempt: Any):
    async with open_outside_tools(langchain(tmp_path)) as outside:
        tool = outside.tools["leave_trace"]
        context = cast("Any", SimpleNamespace(attempt=attempt))
        with pytest.raises(OutcomeUnknown):
            await tool.run(tool.arguments(text="Ann"), context)
        assert not (tmp_path / "effects").exists()
        assert outside.systems[str(tool.through)].repeatable_for == NEVER


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"use": "tests.support.outside_langchain:CountWords"}, "langchain.0.effect: Field required"),
        ({"use": "tests.support.outside_langchain:NO_TOOL", "effect": "read"}, "is no LangChain BaseTool"),
        ({"use": "tests.support.outside_langchain:Nobody", "effect": "read"}, "cannot be imported"),
        (
            {"use": "tests.support.outside_langchain:CountWords", "effect": "read", "arguments": {"to": "email"}},
            "has no argument to",
        ),
        (
            {"use": "tests.support.outside_langchain:CountWords", "effect": "read", "egress": "text"},
            "`egress` names an argument that is marked `url`",
        ),
    ],
)
async def test_what_is_wrong_is_told_before_anything_starts(tmp_path: Path, entry: dict[str, Any], complaint: str):
    file = write(tmp_path, {"langchain": [{"name": "one", **entry}]})
    with pytest.raises(OutsideToolsInvalid, match=complaint):
        async with open_outside_tools(file):
            pass


# ---------------------------------------------------------------- MCP


@pytest.mark.service
async def test_a_server_over_standard_output_reads_writes_and_ends_with_us(database: Prisma, tmp_path: Path):
    file = await pinned(tmp_path, stdio(tmp_path), find_person="read", note_person="write", big="read", fails="read")
    script = [
        asks(("people__find_person", {"name": "Ann"})),
        asks(("people__note_person", {"name": "Ann"})),
        asks(("people__big", {"size": 50_000})),
        asks(("people__fails", {"name": "Ann"})),
        says("Done."),
    ]
    async with agent_with(database, file, script) as agent:
        run_id, results = await run(agent, database)
        pid = int((tmp_path / "pid").read_text())
        os.kill(pid, 0)  # it lives
    assert results[0]["result"]["text"].startswith("Ann works in room 7")
    assert (tmp_path / "effects").read_text() == "Ann\n"
    assert await status_of_effect(database, run_id) == ("executed", "mcp_people")  # though it says that it only reads
    assert (len(results[2]["result"]["text"]), results[2]["result"]["more_characters"]) == (4_000, 46_000)
    assert results[3]["error"]["code"] == "tool_failed"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.service
async def test_a_server_killed_during_an_effect_leaves_it_to_a_person_and_is_started_again(
    database: Prisma, tmp_path: Path
):
    file = await pinned(tmp_path, stdio(tmp_path), find_person="read", note_person="write")
    (tmp_path / "slow").touch()
    script = [asks(("people__note_person", {"name": "Ann"})), says("I do not know."), *_found()]
    async with agent_with(database, file, script) as agent:
        working = asyncio.create_task(run(agent, database))
        while not (tmp_path / "effects").exists():  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(0.02)
        (tmp_path / "slow").unlink()
        (tmp_path / "slow").touch()
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        run_id, results = await working
        assert results[0]["error"]["code"] == "outcome_unknown"
        assert (tmp_path / "effects").read_text() == "Ann\n"
        assert await status_of_effect(database, run_id) == ("needs_reconcile", "mcp_people")
        for _ in range(100):  # started again
            if agent_session(agent) is not None:
                break
            await asyncio.sleep(0.1)
        _, results = await run(agent, database)
    assert results[0]["result"]["text"].startswith("Ann works")


def _found() -> Script:
    return [asks(("people__find_person", {"name": "Ann"})), says("Room 7.")]


def agent_session(agent: Agent) -> object:
    """Whether the server is there: the closure of the wrapped call knows its connection."""
    tool = agent._services.tools["people__find_person"]  # pyright: ignore[reportPrivateUsage]
    call = next(cell.cell_contents for cell in tool.run.__closure__ or () if callable(cell.cell_contents))
    connection = next(cell.cell_contents for cell in call.__closure__ or () if hasattr(cell.cell_contents, "_session"))
    return connection._session


@pytest.mark.service
async def test_a_tool_that_is_described_otherwise_than_when_it_was_allowed_is_refused(tmp_path: Path):
    file = await pinned(tmp_path, stdio(tmp_path), find_person="read")
    (tmp_path / "changed").touch()
    with pytest.raises(OutsideToolsInvalid, match="has changed since its digest was written down"):
        async with open_outside_tools(file):
            pass


@pytest.mark.service
async def test_a_server_that_changes_while_we_run_has_its_tool_refused(database: Prisma, tmp_path: Path):
    file = await pinned(tmp_path, stdio(tmp_path), find_person="read")
    (tmp_path / "changed").touch()
    (tmp_path / "changed").unlink()
    async with agent_with(database, file, [*_found(), *_found(), *_found()]) as agent:
        (tmp_path / "changed").touch()
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        await asyncio.sleep(0.2)
        _, first = await run(agent, database)  # it finds the server gone
        assert first[0]["error"]["code"] == "unavailable"
        for _ in range(200):
            if agent_session(agent) is not None:
                break
            await asyncio.sleep(0.1)
        _, second = await run(agent, database)
    assert second[0]["error"]["code"] == "tool_failed"
    assert "not what it was" in second[0]["error"]["message"]


@pytest.mark.service
async def test_a_server_over_http_does_the_same(database: Prisma, tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.support.mcp_server", "http", str(tmp_path), str(port)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}/mcp"
    try:
        async with httpx.AsyncClient() as http:
            for _ in range(300):
                try:
                    await http.get(url)
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.1)
        file = await pinned(tmp_path, {"url": url}, find_person="read", note_person="write")
        script = [
            asks(("people__find_person", {"name": "Ann"})),
            asks(("people__note_person", {"name": "Ann"})),
            says("Done."),
        ]
        async with agent_with(database, file, script) as agent:
            run_id, results = await run(agent, database)
        assert [result["status"] for result in results] == ["succeeded", "succeeded"]
        assert (tmp_path / "effects").read_text() == "Ann\n"
        assert await status_of_effect(database, run_id) == ("executed", "mcp_people")
    finally:
        process.terminate()
        await process.wait()


async def test_a_server_that_does_not_begin_is_told(tmp_path: Path):
    config = {"mcp": {"gone": {"command": ["/no/such/server"], "tools": {"x": {"effect": "read"}}}}}
    with pytest.raises(OutsideToolsInvalid, match=r"mcp\.gone: the server does not begin"):
        async with open_outside_tools(write(tmp_path, config)):
            pass
