from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.arena import Arena, furnish, people
from tests.support.server_process import run_server

PROVIDER = {"acme": {"issuer": "http://127.0.0.1:9", "client_id": "desk", "client_secret": "s3cret"}}  # never reached
HEADER_SECONDS, BODY_SECONDS = 4, 4  # that a request may take to come
SCRIPT = {"native_tools": True, "answers": [{"text": "Done.", "always": True}]}


@pytest.fixture(scope="session")
def arena(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """One server for all attacks: none of them may leave a trace."""
    folder = tmp_path_factory.mktemp("arena")
    file, script = folder / "desk.db", folder / "script.json"
    shutil.copyfile(database_template, file)
    script.write_text(json.dumps(SCRIPT))
    asyncio.run(people(f"file:{file}"))
    settings = {
        "DESKCLERK_LLM": f"scripted:{script}",
        "DATABASE_URL": f"file:{file}",
        "DESKCLERK_OIDC_PROVIDERS": json.dumps(PROVIDER),
        "DESKCLERK_HEADER_SECONDS": str(HEADER_SECONDS),
        "DESKCLERK_BODY_SECONDS": str(BODY_SECONDS),
    }
    with run_server(settings, folder=folder) as server, httpx.Client(base_url=server.url, timeout=60) as http:
        arena = Arena(server, file, http)
        furnish(arena)
        time.sleep(1.1)  # what a server may still believe of a key that has expired
        yield arena
