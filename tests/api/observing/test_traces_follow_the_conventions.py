"""Traces of a real server, as a receiver of OTLP decodes them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent.events import UsageInfo
from agent.observer import RunBegan, RunRested
from agent.principal import LOCAL
from agent.state import Timing
from api.observing.tracing import Tracing
from tests.support.otlp_receiver import Receiver, otlp_receiver
from tests.support.server_process import run_server

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
REQUEST = "look up my dear customer ACME"


async def traced(settings: dict[str, str], folder: Path, *requests: str) -> None:
    """Requests to a server with these settings, which is then stopped."""
    with run_server(settings, folder=folder) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            await http.get("/readyz")
            headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
            for text in requests:
                thread = (await http.post("/v1/threads")).json()["id"]
                answer = await http.post(f"/v1/threads/{thread}/runs?secret=1", json={"input": text}, headers=headers)
                assert answer.json()["status"] in ("succeeded", "failed"), answer.text
                headers = {}
        await asyncio.to_thread(server.stop)


def settings_of(receiver: Receiver, script: Path, database_url: str) -> dict[str, str]:
    return {
        "DESKCLERK_LLM": f"scripted:{script}",
        "DATABASE_URL": database_url,
        "DESKCLERK_TRACES": "on",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
    }


@pytest.mark.service
async def test_a_request_its_run_its_answers_and_its_calls_are_one_trace(
    database_url: str, tmp_path: Path, two_steps: Path
):
    async with otlp_receiver() as receiver:
        await traced(settings_of(receiver, two_steps, database_url), tmp_path, REQUEST, "break")
    assert receiver.services == {"deskclerk"}
    assert receiver.schemas == {"https://opentelemetry.io/schemas/1.44.0"}
    request, other = receiver.named("POST /v1/threads/{thread_id}/runs")
    agent, failed = receiver.named("invoke_agent deskclerk")
    *chats, broken = receiver.named(f"chat {two_steps}")
    (tool,) = receiver.named("execute_tool find_customer")
    assert (request.trace_id, request.parent_id, request.kind) == (TRACE, CALLER, 2)
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["http.route"] == "/v1/threads/{thread_id}/runs"
    assert (agent.trace_id, agent.parent_id) == (TRACE, request.span_id)
    assert agent.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert agent.attributes["deskclerk.run.status"] == "succeeded"
    assert {(span.trace_id, span.parent_id) for span in [*chats, tool]} == {(TRACE, agent.span_id)}
    assert [chat.attributes["gen_ai.operation.name"] for chat in chats] == ["chat", "chat"]
    assert agent.attributes["gen_ai.usage.output_tokens"] == sum(
        chat.attributes["gen_ai.usage.output_tokens"] for chat in chats
    )
    assert 0 <= chats[0].attributes["gen_ai.response.time_to_first_chunk"] < 60
    assert tool.attributes["gen_ai.tool.call.id"]
    assert tool.attributes["deskclerk.tool.effect"] == "read"
    assert (failed.trace_id, failed.parent_id) == (other.trace_id, other.span_id)
    assert other.trace_id != TRACE
    assert (failed.failed, broken.failed, agent.failed) == (True, True, False)
    assert failed.attributes["error.type"] == broken.attributes["error.type"] == "stream_broken"
    assert not receiver.named("GET /readyz")
    assert REQUEST.encode() not in receiver.raw
    assert b"secret=1" not in receiver.raw


async def test_what_was_said_stands_in_a_trace_only_where_it_is_asked_for():
    for content in (False, True):
        exporter = InMemorySpanExporter()
        tracing = Tracing(content=content, exporter=exporter)
        tracing.run_began(RunBegan("run", "thread", LOCAL, "ollama:qwen3:8b", REQUEST, resumed=False))
        tracing.run_rested(RunRested("run", "ollama:qwen3:8b", "succeeded", None, UsageInfo(), Timing(), 1.0, "Found."))
        tracing.close()
        (span,) = exporter.get_finished_spans()
        attributes = dict(span.attributes or {})
        assert (attributes["gen_ai.provider.name"], attributes["gen_ai.request.model"]) == ("ollama", "qwen3:8b")
        said = str(attributes.get("gen_ai.input.messages")) + str(attributes.get("gen_ai.output.messages"))
        assert (REQUEST in said, "Found." in said) == (content, content)


def test_without_it_switched_on_nothing_of_it_is_imported():
    code = (
        "import sys; from api.app import create_app; from api.settings import ApiSettings;"
        "create_app(ApiSettings()); print([n for n in sys.modules if n.startswith('opentelemetry.sdk')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
