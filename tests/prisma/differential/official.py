"""The official JavaScript client: installed, generated, and run as a process that answers lines of JSON."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from filelock import FileLock

from prisma.migrate.node_packages import find_node, install
from prisma.migrate.urls import Provider
from tests.prisma.differential.operations import Json

JS = Path(__file__).parent.parent / "js"
SCHEMA = Path(__file__).parent / "schema.prisma"
ANSWER_TIMEOUT = 60.0  # seconds
_LINE_LIMIT = 64 * 1024 * 1024  # bytes


def schema_text(provider: Provider) -> str:
    """The test schema for one provider."""
    lines = SCHEMA.read_text().splitlines(keepends=True)
    if provider == "sqlite":
        lines = [line for line in lines if not line.rstrip().endswith("// postgresql")]
    return "".join(lines).replace('provider = "sqlite"', f'provider = "{provider}"')


def generate_client(provider: Provider) -> tuple[Path, Path]:
    """Folder of the npm packages, and in it the folder of the generated client. Made once per schema and lock."""
    packages = install(JS)
    text = schema_text(provider)
    client = packages / "clients" / hashlib.sha256(text.encode()).hexdigest()[:16]
    client.parent.mkdir(exist_ok=True)
    with FileLock(f"{client}.lock"):
        if not (client / "index.js").exists():
            schema = client.with_suffix(".prisma")
            schema.write_text(text.replace("OUTPUT", str(client)))
            command = [find_node().node, "node_modules/prisma/build/index.js", "generate", "--schema", str(schema)]
            # `generate` needs no schema engine, but looks for one and would download it.
            environment = os.environ | {"PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true", "CHECKPOINT_DISABLE": "1"}
            done = subprocess.run(command, cwd=packages, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"prisma generate failed: {done.stdout}{done.stderr}")
    return packages, client


class OfficialError(Exception):
    """What the official client threw. `kind` is known, validation or other."""

    def __init__(self, kind: str, code: str | None, message: str) -> None:
        super().__init__(f"{kind} {code}: {message}")
        self.kind = kind
        self.code = code


class OfficialClient:
    """One Node process with one PrismaClient."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[Any]] = {0: asyncio.get_running_loop().create_future()}
        self._ids = itertools.count(1)
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, provider: Provider, url: str) -> OfficialClient:
        packages, client = generate_client(provider)
        process = await asyncio.create_subprocess_exec(
            find_node().node,
            str(JS / "server.mjs"),
            provider,
            url,
            str(client),
            cwd=packages,
            env=os.environ | {"TZ": "UTC"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
        )
        official = cls(process)
        await asyncio.wait_for(official._waiting[0], ANSWER_TIMEOUT)
        return official

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            reply = json.loads(line)
            future = self._waiting.pop(reply["id"])
            if "error" in reply:
                future.set_exception(OfficialError(**reply["error"]))
            else:
                future.set_result(reply["ok"])
        for future in self._waiting.values():
            future.set_exception(RuntimeError("the official client's process ended"))

    async def execute(self, operation: Json) -> Any:
        """Run one operation, or one batch. Raises OfficialError."""
        assert self._process.stdin is not None
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": number, **operation}).encode() + b"\n")
        await self._process.stdin.drain()
        return await asyncio.wait_for(self._waiting[number], ANSWER_TIMEOUT)

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader
