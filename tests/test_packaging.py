"""The generic package names must resolve to this checkout, and the checkout must be fit to publish."""

from __future__ import annotations

import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("agent", "tools", "api", "prisma", "evals")
# Written so that this file does not match itself.
FORBIDDEN = re.compile(
    r"/(?:wo"
    + r"rk|fa"
    + r"rm)/|/ro"
    + r"ot/[.\w]|py"
    + r"pi\.org|python"
    + r"hosted|registry\.npm"
    + r"js|debian\.org/debian"
)


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.split("\0") if name]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_root_package_resolves_to_this_checkout(name: str):
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert Path(module.__file__).is_relative_to(ROOT / name)


def test_the_wheel_ships_every_root_package_and_nothing_is_published():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert "Private :: Do Not Upload" in project["project"]["classifiers"]


def test_no_committed_file_names_a_registry_host_or_a_path_of_one_machine():
    found: list[str] = []
    for path in tracked_files():
        if not path.is_file():
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in FORBIDDEN.finditer(text)]
    assert found == []


def test_every_locked_requirement_is_pinned_by_hash():
    for lock in ("requirements.lock", "requirements-dev.lock"):
        for block in re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip()):
            assert re.match(r"[a-z0-9._-]+(\[[a-z,-]+\])?==\S+", block, re.I), block
            assert "--hash=sha256:" in block, block
