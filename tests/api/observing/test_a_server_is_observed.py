"""What an operator sees of a real server: its log, its metrics, whether it is ready."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.postgres import PostgresServer
from tests.support.server_process import Server, run_server

SECRETS = {
    "OPENAI_API_KEY": "opaque-key-0001",
    "STRIPE_API_KEY": "opaque-key-0002",
    "DESKCLERK_METRICS_TOKEN": "opaque-token-0003",
    "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=opaque-key-0004",
}
REQUEST = "look up ACME, the customer whose password is hunter2-hunter2"


def metrics_of(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def lines_of(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log.splitlines()]


async def ask(http: httpx.AsyncClient, text: str, **options: Any) -> dict[str, Any]:
    thread = (await http.post("/v1/threads")).json()["id"]
    return (await http.post(f"/v1/threads/{thread}/runs", json={"input": text}, **options)).json()


@pytest.mark.service
async def test_requests_runs_answers_and_calls_are_counted_and_logged_without_what_was_said(
    database_url: str, two_steps: Path, tmp_path: Path
):
    settings = {"DESKCLERK_LLM": f"scripted:{two_steps}", "DATABASE_URL": database_url, **SECRETS}
    token = {"Authorization": f"Bearer {SECRETS['DESKCLERK_METRICS_TOKEN']}"}
    with run_server(settings, folder=tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            run = await ask(http, REQUEST, headers={"X-Request-ID": "req-mine-0001", **token})
            await ask(http, "break")
            await http.get("/v1/threads/opaque-key-0001?key=opaque-key-0002", headers={"Cookie": "opaque-key-0001"})
            await http.get("/no/such/opaque-key-0001")
            await http.request("PROPFIND", "/v1/threads")
            usage = (await http.get("/v1/usage", params={"group_by": "model"})).json()["data"]
            for wrong in ({}, {"Authorization": "Bearer x"}, {"X-Forwarded-For": "1.2.3.4"}):
                assert (await http.get("/metrics", headers=wrong)).json()["code"] == "metrics_token_required"
            seen = metrics_of((await http.get("/metrics", headers=token)).text)
        await asyncio.to_thread(server.stop)
    model = ("model", f"scripted:{two_steps}")
    assert seen["deskclerk_runs_total", (("error", ""), ("status", "succeeded"))] == 1
    assert seen["deskclerk_runs_total", (("error", "stream_broken"), ("status", "failed"))] == 1
    assert seen["deskclerk_model_calls_total", (("error", ""), model)] == 2
    assert seen["deskclerk_model_calls_total", (("error", "stream_broken"), model)] == 1
    assert seen["deskclerk_model_first_token_seconds_count", (model,)] == 3
    for direction in ("input", "output"):
        counted = seen["deskclerk_model_tokens_total", (("direction", direction), model)]
        assert counted == usage[0][f"{direction}_tokens"] > 0
    assert (usage[0]["runs"], usage[0]["failed"], usage[0]["model_calls"]) == (2, 1, 2)
    assert run["usage"]["input_tokens"] <= usage[0]["input_tokens"]
    labels = (("error", ""), ("status", "succeeded"), ("tool", "find_customer"))
    assert seen["deskclerk_tool_calls_total", labels] == 1
    verdicts = {name: dict(pairs) for name, pairs in seen if name == "deskclerk_verdicts_total"}
    assert verdicts
    judged = sum(value for (name, pairs), value in seen.items() if name in verdicts and ("kind", "policy") in pairs)
    assert judged == 2  # when it was planned, and where it ran
    assert seen["deskclerk_runs_running", ()] == seen["deskclerk_runs_queued", ()] == 0
    assert seen["deskclerk_approvals_waiting", ()] == seen["deskclerk_event_writer_lag_seconds", ()] == 0
    assert seen["process_resident_memory_bytes", ()] > 0
    requests = {
        (labels["method"], labels["route"], labels["status"]): value
        for (name, pairs), value in seen.items()
        if name == "deskclerk_http_requests_total" and (labels := dict(pairs))
    }
    assert requests["POST", "/v1/threads/{thread_id}/runs", "2xx"] == 2
    assert requests["GET", "/v1/threads/{thread_id}", "4xx"] == 1
    assert requests["GET", "unmatched", "4xx"] == 1
    assert ("OTHER", "unmatched", "4xx") in requests or ("OTHER", "/v1/threads", "4xx") in requests

    lines = lines_of(server)  # every line is JSON, uvicorn's too
    access = [line for line in lines if line["event"] == "request"]
    first = next(line for line in access if line["route"] == "/v1/threads/{thread_id}/runs")
    assert (first["method"], first["status"], first["request_id"]) == ("POST", 200, "req-mine-0001")
    assert first["bytes"] > 100
    assert first["duration_ms"] > 0
    rested = next(line for line in lines if line["event"] == "run_rested")
    assert (rested["run_id"], rested["status"]) == (run["id"], "succeeded")
    assert rested["first_token_ms"] >= 0
    assert "uvicorn.error" in {line["logger"] for line in lines}
    for hidden in ("hunter2", "opaque", "Found.", "look up"):
        assert hidden not in server.log


@pytest.mark.service
async def test_what_was_said_is_logged_where_the_operator_asks_for_it_and_metrics_are_for_this_machine(
    database_url: str, two_steps: Path, tmp_path: Path
):
    settings = {
        "DESKCLERK_LLM": f"scripted:{two_steps}",
        "DATABASE_URL": database_url,
        "DESKCLERK_LOG_CONTENT": "on",
        "DESKCLERK_LOG_FORMAT": "console",
        "DESKCLERK_LOG_LEVEL": "debug",
    }
    with run_server(settings, folder=tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            await ask(http, REQUEST)
            assert (await http.get("/metrics")).headers["content-type"].startswith("text/plain; version=0.0.4")
            refused = await http.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
            assert refused.status_code == 401
    assert "hunter2" in server.log
    assert re.search(r"answer=.*Found\.", server.log)
    assert "/readyz" in server.log  # probes are told at debug


async def until(http: httpx.AsyncClient, status: int, *, seconds: float = 15.0) -> dict[str, Any]:
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = await http.get("/readyz")
        if answer.status_code == status:
            return answer.json()
        assert asyncio.get_running_loop().time() < deadline, f"/readyz answers {answer.text}, not {status}"
        await asyncio.sleep(0.1)


@pytest.mark.service
async def test_it_is_ready_only_while_its_database_answers(two_steps: Path, tmp_path: Path):
    root = Path(tempfile.mkdtemp(prefix="pg"))  # its server may run as another user, who cannot read `tmp_path`
    postgres = PostgresServer(root)
    try:
        url = postgres.url(await postgres.create_database())
        settings = {"DESKCLERK_LLM": f"scripted:{two_steps}", "DATABASE_URL": url}
        with run_server(settings, folder=tmp_path) as server:
            async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
                parts = {"database": "ok", "model": "ok", "queue": "ok"}
                assert await until(http, 200) == {"status": "ready", "parts": parts}
                postgres.kill()
                problem = await until(http, 503, seconds=10)
                assert problem["code"] == "not_ready"
                assert problem["parts"]["database"].startswith("no answer")
                assert problem["parts"]["model"] == "ok"
                assert str(root) not in json.dumps(problem)
                assert (await http.get("/healthz")).status_code == 200
                assert (await http.get("/metrics")).status_code == 200
                postgres.start()
                assert (await until(http, 200, seconds=30))["parts"] == parts
    finally:
        postgres.close()
        shutil.rmtree(root, ignore_errors=True)
