"""The image, as far as it can be looked at without an engine; `test_image_commands` tries what its commands do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
LAST_STAGE = TEXT[TEXT.rindex("FROM ") :]


def lint(text: str) -> subprocess.CompletedProcess[str]:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint is not None, "`make setup-dev` installs hadolint"
    return subprocess.run([hadolint, "--no-color", "-"], input=text, capture_output=True, text=True, check=False)


def test_the_linter_finds_nothing():
    found = lint(TEXT)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_linter_would_find_something():
    assert "DL3006" in lint("FROM python\n").stdout


def test_it_runs_as_nobody_special_and_gets_signals_itself():
    assert re.search(r"^USER (\d+):(\d+)$", LAST_STAGE, re.MULTILINE)
    entry = re.search(r"^ENTRYPOINT (.*)$", LAST_STAGE, re.MULTILINE)
    assert entry is not None
    assert json.loads(entry[1]) == ["deskclerk"]  # the exec form
    assert "STOPSIGNAL SIGTERM" in LAST_STAGE


def test_the_last_stage_has_no_tools_to_build_with():
    for tool in ("apt-get", "pip install", "uv ", "npm", "gcc", "curl"):
        assert tool not in LAST_STAGE.replace("no curl", "")
    assert "PYTHONPATH=/app" in LAST_STAGE


def test_everything_comes_from_the_lock_and_the_base_has_a_version():
    assert "--require-hashes -r requirements.lock" in TEXT
    assert re.search(r"^ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-slim-\w+$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("folder", ["agent", "tools", "api", "evals", "prisma"])
def test_every_package_is_copied_and_let_through(folder: str):
    assert re.search(rf"^COPY {folder} \./{folder}$", TEXT, re.MULTILINE)
    assert f"!{folder}" in (ROOT / ".dockerignore").read_text().splitlines()
