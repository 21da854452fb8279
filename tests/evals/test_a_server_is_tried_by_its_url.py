from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evals.stored import read_results
from prisma.migrate.apply import migrate
from tests.support.server_process import environment, run_server

pytestmark = pytest.mark.service

SCRIPT = [
    {
        "when": "Take the payment",
        "calls": [{"tool": "take_payment", "arguments": {"invoice": "INV-2026-0007"}}],
        "always": True,
    },
    {
        "when": "please issue",
        "calls": [{"tool": "issue_invoice", "arguments": {"invoice": "inv_seed09"}}],
        "always": True,
    },
    {"text": "That was that.", "always": True},
]
CHOSEN = ["pay_by_number", "issue_a_draft_by_id", "draft_by_sku", "viewer_cannot_draft"]


def test_a_real_server_is_tried_and_its_database_decides(tmp_path: Path):
    database = f"file:{tmp_path / 'server.db'}"
    asyncio.run(migrate(database))
    (tmp_path / "script.json").write_text(json.dumps({"native_tools": True, "answers": SCRIPT}))
    served = {
        "DATABASE_URL": database,
        "DESKCLERK_LLM": f"scripted:{tmp_path / 'script.json'}",
        "DESKCLERK_AUTH": "off",
    }
    chosen = [option for name in CHOSEN for option in ("--case", name)]
    with run_server(served, folder=tmp_path) as server:
        command = [sys.executable, "-c", "from api.cli import main; main()", "evals", "run", *chosen]
        alone = subprocess.run(
            [*command, "--url", server.url], check=False, env=environment({}), cwd=tmp_path, capture_output=True
        )
        assert alone.returncode == 2
        assert b"--replace-records-of" in alone.stderr
        options = ["--url", server.url, "--replace-records-of", database, "--epochs", "2"]
        done = subprocess.run(
            [*command, *options], check=False, env=environment({}), cwd=tmp_path, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert "4 of 6 right" in done.stdout, "each epoch begins with the records as they were"
    assert "1 cases left out" in done.stdout
    (path,) = tmp_path.glob(".deskclerk/evals/results/cases/*.jsonl")
    outcomes = {(sample.case, sample.epoch): sample.outcome for sample in read_results(path).samples}
    assert {case for (case, _), outcome in outcomes.items() if outcome == "failed"} == {"draft_by_sku"}
