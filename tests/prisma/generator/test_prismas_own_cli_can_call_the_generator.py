"""The generator over standard input and error, first alone, then called by the official `prisma generate`."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prisma.generator.stdio import serve
from prisma.migrate.node_packages import find_node, install

ROOT = Path(__file__).parents[3]
SCHEMA = """
generator client {
  provider = "COMMAND"
  output   = "./made"
}
datasource db {
  provider = "postgresql"
}
model Cat {
  id   Int    @id
  name String
}
"""


def ask(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    answers = io.StringIO()
    serve(io.StringIO("".join(json.dumps(request) + "\n" for request in requests)), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_the_manifest_names_the_generator_and_where_it_writes():
    (reply,) = ask({"jsonrpc": "2.0", "method": "getManifest", "params": {}, "id": 1})
    assert (reply["jsonrpc"], reply["id"]) == ("2.0", 1)
    assert reply["result"]["manifest"]["defaultOutput"] == "./client"
    assert reply["result"]["manifest"]["requiresEngines"] == []


def test_generate_writes_the_client_and_a_failure_is_answered(tmp_path: Path):
    schema = tmp_path / "schema.prisma"
    schema.write_text(SCHEMA)
    params = {"schemaPath": str(schema), "generator": {"output": {"value": str(tmp_path / "made")}}}
    missing = params | {"schemaPath": str(tmp_path)}
    good, bad, unknown = ask(
        {"jsonrpc": "2.0", "method": "generate", "params": params, "id": 1},
        {"jsonrpc": "2.0", "method": "generate", "params": missing, "id": 2},
        {"jsonrpc": "2.0", "method": "dance", "id": 3},
    )
    assert good == {"jsonrpc": "2.0", "id": 1, "result": None}
    assert (tmp_path / "made" / "models" / "cat.py").exists()
    assert "is not a file" in bad["error"]["message"]
    assert unknown["error"] == {"code": -32601, "message": "Unknown method 'dance'."}


@pytest.mark.service
def test_the_official_prisma_generate_writes_the_same_client_as_ours(tmp_path: Path):
    packages = install(ROOT / "tests" / "prisma" / "js")
    command = f"{sys.executable} -m prisma.generator.stdio"
    schema = tmp_path / "schema.prisma"
    schema.write_text(SCHEMA.replace("COMMAND", command))
    # `generate` needs no schema engine, but looks for one and would download it.
    placeholder = shutil.which("true")
    assert placeholder
    environment = os.environ | {
        "PRISMA_SCHEMA_ENGINE_BINARY": placeholder,
        "CHECKPOINT_DISABLE": "1",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [find_node().node, "node_modules/prisma/build/index.js", "generate", "--schema", str(schema)],
        cwd=packages,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "deskclerk's Prisma Client for Python" in done.stdout
    official = {path.relative_to(tmp_path): path.read_text() for path in (tmp_path / "made").rglob("*.py")}
    shutil.rmtree(tmp_path / "made")
    ours = subprocess.run(
        [sys.executable, "-m", "prisma.generator", str(schema)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ours.stdout.strip() == str(tmp_path / "made")
    assert official == {path.relative_to(tmp_path): path.read_text() for path in (tmp_path / "made").rglob("*.py")}
