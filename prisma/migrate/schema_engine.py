"""Prisma's schema engine, asked through Node. For development and CI only."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, cast

from prisma.migrate.node_packages import find_node, install
from prisma.migrate.urls import Provider

SCHEMA = Path(__file__).parent.parent / "schema.prisma"
_PACKAGE = Path(__file__).parent / "node"
COMMAND_TIMEOUT = 120  # seconds
_NO_FILTERS: dict[str, list[str]] = {"externalTables": [], "externalEnums": []}


class SchemaEngineError(RuntimeError):
    """What the schema engine answered instead of a result."""


def schema_for(provider: Provider, schema: Path = SCHEMA) -> str:
    """The text of schema.prisma with the provider of its datasource replaced.

    Raises:
        ValueError: There is not exactly one datasource with a provider.
    """
    text, count = re.subn(
        r'(datasource\s+\w+\s*\{[^}]*?provider\s*=\s*)"[^"]*"', rf'\g<1>"{provider}"', schema.read_text()
    )
    if count != 1:
        raise ValueError(f"{schema} must have one datasource with a provider, and has {count}.")
    return text


def run_schema_engine(provider: Provider, url: str, command: str, params: object) -> Any:
    """Run one command of the engine against a live database.

    Args:
        provider: Of the database.
        url: As the JavaScript adapters take it.
        command: A method of `SchemaEngine` in @prisma/schema-engine-wasm, such as "diff".
        params: Its argument.

    Raises:
        SchemaEngineError: The engine refused.
    """
    folder = install(_PACKAGE)
    request = {"provider": provider, "url": url, "command": command, "params": params}
    done = subprocess.run(  # noqa: S603 - our own script, no shell
        [find_node().node, str(_PACKAGE / "schema_engine.mjs")],
        cwd=folder,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT,
        check=False,
    )
    if done.returncode or not done.stdout:
        raise SchemaEngineError(f"schema engine ended with {done.returncode}: {done.stderr.strip()}")
    reply = cast("dict[str, Any]", json.loads(done.stdout))
    if "error" in reply:
        raise SchemaEngineError(f"{command}: {reply['error']['message']}")
    return reply["ok"]


def difference(provider: Provider, url: str, schema: Path = SCHEMA) -> str:
    """The SQL that turns the live database into what schema.prisma says; empty when it is that already."""
    files = [{"path": "schema.prisma", "content": schema_for(provider, schema)}]
    answer = run_schema_engine(
        provider,
        url,
        "diff",
        {
            "from": {"tag": "schemaDatasource", "files": files, "configDir": str(schema.parent)},
            "to": {"tag": "schemaDatamodel", "files": files},
            "script": True,
            "exitCode": True,
            "filters": _NO_FILTERS,
        },
    )
    script = cast("str", answer["stdout"] or "")
    return script if answer["exitCode"] == 2 else ""
