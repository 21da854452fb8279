"""Fuzzes a running server with schemathesis, as one person, and says how many cases it made."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from agent.principal import SCOPES, Role
from api.auth.secret_tokens import API_KEY, digest, new_secret
from prisma import Prisma
from prisma.migrate.apply import migrate
from tests.support.people import person
from tests.support.server_process import Server, run_server
from tools.context import utc_now

ROLES: tuple[Role, ...] = ("viewer", "clerk", "approver", "admin")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
PHASES = "examples,coverage,fuzzing,stateful"
SCRIPT = (
    '{"native_tools": true, "answers": ['
    '{"when": "pay", "calls": [{"tool": "find_customer", "arguments": {"query": "ACME"}}], "always": true},'
    '{"text": "Done.", "always": true}]}'
)


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it. `cases`: requests that were made; `report`: what schemathesis said."""

    cases: int
    passed: bool
    report: str


async def keys_of_all_roles(url: str) -> dict[Role, str]:
    """A migrated database with one person a role; their personal keys, which reach as far as they do."""
    await migrate(url)
    keys: dict[Role, str] = {}
    async with Prisma(url) as db:
        for role in ROLES:
            who = await person(db, f"the-{role}", role)
            keys[role] = new_secret(API_KEY)
            await db.apikey.create(
                data={
                    "user_id": str(who.user_id),
                    "name": "fuzz",
                    "hint": "dck_",
                    "hash": digest(keys[role]),
                    "scopes": list(SCOPES),
                    "expires_at": utc_now() + timedelta(days=1),
                }
            )
    return keys


@contextmanager
def fuzzed_server(url: str, folder: Path) -> Generator[Server]:
    """A server over it whose model is scripted. Without limits on requests: a 429 would hide what comes behind it."""
    script = folder / "script.json"
    script.write_text(SCRIPT)
    limits = {f"DESKCLERK_LIMITS_{what}": "" for what in ("USER", "KEY", "TOKENS_USER", "TOKENS_KEY")}
    settings = {"DESKCLERK_LLM": f"scripted:{script}", "DATABASE_URL": url, "DESKCLERK_AUTH": "on", **limits}
    with run_server(settings, folder=folder) as server:
        yield server


def fuzz(server: Server, key: str, *, examples: int, folder: Path, phases: str = PHASES, seed: int = 1) -> Found:
    """As whoever has the key, or as nobody with an empty one.

    Args:
        examples: At most, of each route in each phase.
    """
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{server.url}/openapi.json",
        *(["--header", f"Authorization: Bearer {key}"] if key else []),
        "--checks",
        CHECKS,
        "--max-examples",
        str(examples),
        "--phases",
        phases,
        "--seed",
        str(seed),
        "--request-timeout",
        "30",
        "--suppress-health-check",
        "all",
        "--continue-on-failure",
        "--warnings",
        "off",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = re.sub(re.escape(key), "KEY", done.stdout + done.stderr) if key else done.stdout + done.stderr
    made = re.search(r"Test cases:?\s+([\d,]+) generated", report) or re.search(r"([\d,]+) generated", report)
    return Found(int(made.group(1).replace(",", "")) if made else 0, done.returncode == 0, report)
