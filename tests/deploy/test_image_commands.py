"""The commands that the image is made of and runs, in a clean environment of their own: there is no engine here.

The lock is installed with its hashes, the sources are copied as `.dockerignore` lets them through and made read-only,
two migrate at once, and then a user without rights serves, is found healthy, and is stopped.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from tests.support.postgres import PostgresServer
from tests.support.tcp_relay import tcp_relay

pytestmark = pytest.mark.service

ROOT = Path(__file__).parents[2]
COPIED = ("agent", "tools", "api", "evals", "prisma", "pyproject.toml", "README.md", "LICENSE", "hatch_build.py")
NOBODY = 10001
UV = Path(sys.executable).parent / "uv"
PORT = 18737


def _python() -> str:
    """An interpreter that another user can reach: one in root's home is none."""
    for candidate in (os.path.realpath(sys.executable), "/usr/bin/python3.12", "/usr/bin/python3.11"):
        path = Path(candidate)
        if path.exists() and all(parent.stat().st_mode & 0o001 for parent in path.parents):
            return candidate
    raise AssertionError("no Python on this machine that another user may run")


@pytest.fixture
def image() -> Iterator[Path]:
    """What the image holds: `app`, `venv` and an empty `data` of the user's own."""
    root = Path(tempfile.mkdtemp(prefix="image"))
    root.chmod(0o755)
    app, data = root / "app", root / "data"
    app.mkdir()
    data.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, app / name, ignore=shutil.ignore_patterns("__pycache__", "_wasm", "*.db*"))
        else:
            shutil.copy(ROOT / name, app / name)
    venv = root / "venv"
    environment = {**os.environ, "VIRTUAL_ENV": str(venv)}
    environment.pop("PYTHONPATH", None)
    for command in (
        [UV, "venv", "--quiet", "--python", _python(), venv],
        [UV, "pip", "install", "--quiet", "--require-hashes", "-r", ROOT / "requirements.lock"],
        [UV, "pip", "install", "--quiet", "--no-deps", "--editable", "."],
        [venv / "bin" / "python", "-m", "prisma.assets", "--bundle"],
    ):
        subprocess.run(command, cwd=app, env=environment, check=True, stdout=subprocess.DEVNULL)
    for path in [app, *app.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.chown(data, NOBODY, NOBODY)
    yield root
    for path in [app, *(each for each in app.rglob("*") if each.is_dir())]:
        path.chmod(0o755)
    shutil.rmtree(root)


def as_nobody(image: Path, *command: str, **settings: str) -> subprocess.Popen[str]:
    """A command of the image, as its user, with its environment and nothing else."""
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
    environment = {
        "PATH": f"{image}/venv/bin:/usr/bin:/bin",
        "PYTHONPATH": str(image / "app"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DESKCLERK_CACHE": f"{image}/data/cache",
        "DESKCLERK_PORT": str(PORT),
        "DESKCLERK_LOG_FORMAT": "json",
        "HOME": f"{image}/data",
        **settings,
    }
    return subprocess.Popen(
        [*(drop if os.geteuid() == 0 else []), *command],
        cwd=image / "data",
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_the_image_migrates_once_serves_without_rights_is_healthy_and_stops(image: Path):
    script = image / "script.json"
    script.write_text(json.dumps({"answers": [{"text": "Hello.", "always": True}]}))
    script.chmod(0o644)
    root = Path(tempfile.mkdtemp(prefix="pg"))
    postgres = PostgresServer(root)
    try:
        folder = unquote(postgres.url().partition("host=")[2])
        with tcp_relay(f"{folder}/.s.PGSQL.5432") as port:
            check(image, f"postgresql://postgres@127.0.0.1:{port}/postgres", script)
    finally:
        postgres.close()
        shutil.rmtree(root, ignore_errors=True)


def is_healthy(image: Path) -> bool:
    """What the image's HEALTHCHECK says."""
    asked = as_nobody(image, "python", "-m", "api.healthcheck")
    asked.communicate(timeout=30)
    return asked.returncode == 0


def check(image: Path, url: str, script: Path) -> None:
    together = [as_nobody(image, "deskclerk", "db", "migrate", DATABASE_URL=url) for _ in range(2)]
    said = [process.communicate(timeout=240)[0] for process in together]
    assert [process.returncode for process in together] == [0, 0], said
    applied = [line for text in said for line in text.splitlines() if line.startswith("applied ")]
    names = sorted(line.split()[1] for line in applied)
    assert names == sorted(path.name for path in (ROOT / "prisma/migrations/postgresql").iterdir() if path.is_dir())

    assert not is_healthy(image)  # nobody serves yet
    settings = {"DATABASE_URL": url, "DESKCLERK_LLM": f"scripted:{script}"}
    server = as_nobody(image, "deskclerk", "serve", **settings)
    try:
        deadline = time.monotonic() + 120
        while not is_healthy(image):
            assert time.monotonic() < deadline, "the server did not become healthy"
            assert server.poll() is None, server.communicate()[0]
            time.sleep(0.5)
        uids = Path(f"/proc/{server.pid}/status").read_text().split("Uid:\t")[1].split()[:4]
        assert "0" not in uids
        with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=60) as http:
            thread = http.post("/v1/threads").json()["id"]
            run = http.post(f"/v1/threads/{thread}/runs", json={"input": "hello"}).json()
        assert (run["status"], run["answer"]) == ("succeeded", "Hello.")
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == -signal.SIGTERM
    finally:
        server.kill()
        log = server.communicate()[0]
    assert "run_rested" in log
    assert all(json.loads(line) for line in log.splitlines())
