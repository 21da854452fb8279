"""Real processes: `deskclerk evals run`, killed, and a model server that counts."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.stored import read_results
from evals.suite import load
from tests.support.server_process import environment
from tests.support.solution_server import SolutionServer, steps_of

pytestmark = pytest.mark.service

CHOSEN = [
    "credit_limit_of_a_customer",
    "draft_by_sku",
    "draft_and_issue_by_hand",
    "pay_by_customer",
    "issue_a_draft_by_id",
]
EPOCHS, AT_ONCE = 2, 2


async def begin(folder: Path, server: SolutionServer, *more: str) -> Process:
    chosen = [option for name in CHOSEN for option in ("--case", name)]
    settings = {"DESKCLERK_LLM": "openai:Qwen/Qwen3-8B", "OPENAI_BASE_URL": server.url, "DESKCLERK_LLM_TOOLS": "native"}
    options = [*chosen, "--epochs", str(EPOCHS), "--max-concurrent", str(AT_ONCE), *more]
    command = [sys.executable, "-c", "from api.cli import main; main()", "evals", "run", *options]
    return await asyncio.create_subprocess_exec(
        *command, env=environment(settings), cwd=folder, stdout=PIPE, stderr=PIPE
    )


def results(folder: Path) -> Sequence[Path]:
    return sorted(folder.glob(".deskclerk/evals/results/cases/*.jsonl"))


@pytest.mark.timeout(300)
async def test_a_run_that_is_killed_goes_on_and_repeats_no_answer(tmp_path: Path):
    cases = load(names=CHOSEN)
    async with SolutionServer(cases, hold_after=10) as server:
        process = await begin(tmp_path, server)
        while server.held < AT_ONCE:  # every answer before has been read: each try asks one thing at a time
            assert process.returncode is None, await process.communicate()
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        before = server.answered.total()
        made = read_results(results(tmp_path)[0]).samples
        assert 0 < len(made) < len(cases) * EPOCHS
        assert list(tmp_path.glob(".deskclerk/evals/results/cases/*/answers/*.jsonl")), "no try was in the middle"

        server.hold_after = None
        process = await begin(tmp_path, server, "--resume")
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        assert f"{len(cases) * EPOCHS} of {len(cases) * EPOCHS} right" in out.decode()
        assert f"{len(made)} of them from before" in out.decode()

        assert server.answered.total() > before
        assert server.answered == dict.fromkeys(steps_of(cases), EPOCHS)
    (path,) = results(tmp_path)
    stored = read_results(path)
    assert stored.ended is not None
    assert sorted((sample.case, sample.epoch) for sample in stored.samples) == sorted(
        (case.name, epoch) for case in cases for epoch in (1, 2)
    )
    for sample in stored.samples:
        assert sample.transcript is not None
        told = json.loads((path.parent / sample.transcript).read_text())
        assert told["events"][-1]["data"]["status"] == "succeeded"
    assert list(tmp_path.glob(".deskclerk/evals/logs/*.eval"))


@pytest.mark.timeout(300)
async def test_a_model_that_is_away_is_no_failure_and_is_tried_again(tmp_path: Path):
    cases = load(names=CHOSEN)
    async with SolutionServer(cases) as server:
        server.away = True
        process = await begin(tmp_path, server, "--epochs", "1")
        out, _ = await process.communicate()
        assert process.returncode == 3, out.decode()
        assert f"{len(CHOSEN)} could not be tried" in out.decode()
        assert {sample.outcome for sample in read_results(results(tmp_path)[0]).samples} == {"infrastructure"}

        server.away = False
        process = await begin(tmp_path, server, "--epochs", "1", "--resume")
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        assert f"{len(CHOSEN)} of {len(CHOSEN)} right" in out.decode()
        assert server.answered == steps_of(cases)
