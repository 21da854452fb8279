"""Where Prisma's modules come from when they are not there yet."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from prisma import assets
from prisma.errors import AssetIntegrityError, AssetUnavailableError

CONTENT = b"\x00asm\x01\x00\x00\x00"
MEMBER = "package/sqlite/query_compiler_small_bg.wasm"


def tarball(content: bytes = CONTENT, member: str = MEMBER) -> bytes:
    """A package as npm packs it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(member)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Npm:
    """An npm on PATH that writes what it is given into the folder it is told, and counts its calls."""

    def __init__(self, answer: bytes, *, status: int = 0, stderr: str = "") -> None:
        self.answer, self.status, self.stderr, self.calls = answer, status, stderr, 0

    def run(self, command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        if self.status == 0:
            Path(command[command.index("--pack-destination") + 1], "package.tgz").write_bytes(self.answer)
        return subprocess.CompletedProcess(command, self.status, "", self.stderr)


class Usage(NamedTuple):
    free: int


def _npm_on_path(_name: str) -> str:
    return "/usr/bin/npm"


def _nothing_on_path(_name: str) -> None:
    return None


def _full_disk(_path: Path) -> Usage:
    return Usage(free=1000)


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a pin on the package of this file."""
    package = assets.Package("@x/y", base64.b64encode(hashlib.sha512(tarball()).digest()).decode())
    asset = assets.Asset(package, MEMBER, hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(assets, "ASSETS", {"sqlite": asset})
    monkeypatch.setattr(assets, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(assets.shutil, "which", _npm_on_path)
    monkeypatch.setenv("DESKCLERK_CACHE", str(tmp_path / "cache"))
    return tmp_path


def serve(monkeypatch: pytest.MonkeyPatch, npm: Npm) -> Npm:
    monkeypatch.setattr(assets.subprocess, "run", npm.run)
    return npm


@pytest.fixture(autouse=True)
def same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """gzip writes the time: keep it still, so that a package has one digest."""
    import time

    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)


def test_a_module_is_fetched_once_and_only_what_is_needed_is_kept(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    npm = serve(monkeypatch, Npm(tarball()))
    steps: list[str] = []
    path = assets.locate("sqlite", progress=lambda step, _done: steps.append(step))
    assert path.read_bytes() == CONTENT
    assert assets.locate("sqlite") == path
    assert npm.calls == 1
    assert steps[0] == "Fetching @x/y with npm"
    assert {found.name for found in path.parent.iterdir()} == {path.name, ".lock"}


def test_a_bundled_module_needs_no_npm(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    npm = serve(monkeypatch, Npm(b""))
    (pinned / "bundled").mkdir()
    bundled = pinned / "bundled" / assets.ASSETS["sqlite"].file_name
    bundled.write_bytes(CONTENT)
    assert assets.locate("sqlite") == bundled
    assert npm.calls == 0


def test_a_package_with_another_digest_is_refused(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    serve(monkeypatch, Npm(tarball(b"evil")))
    with pytest.raises(AssetIntegrityError, match="not the pinned one"):
        assets.locate("sqlite")
    assert not list((pinned / "cache").rglob("*.wasm"))


def test_a_module_with_another_digest_is_refused(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    asset = assets.ASSETS["sqlite"]
    monkeypatch.setitem(assets.ASSETS, "sqlite", replace(asset, sha256="0" * 64))
    serve(monkeypatch, Npm(tarball()))
    with pytest.raises(AssetIntegrityError, match="is not the pinned one"):
        assets.locate("sqlite")


def test_npm_without_network_says_what_it_said(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    serve(monkeypatch, Npm(b"", status=1, stderr="npm error ENOTFOUND registry"))
    with pytest.raises(AssetUnavailableError, match="ENOTFOUND"):
        assets.locate("sqlite")


def test_no_npm_and_no_wheel_says_what_to_do(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(assets.shutil, "which", _nothing_on_path)

    def fail(command: list[str], **_options: Any) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(assets.subprocess, "run", fail)
    with pytest.raises(AssetUnavailableError, match="Install Node"):
        assets.locate("sqlite")


def test_a_full_disk_is_told_before_anything_is_fetched(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    npm = serve(monkeypatch, Npm(tarball()))
    monkeypatch.setattr(assets.shutil, "disk_usage", _full_disk)
    with pytest.raises(AssetUnavailableError, match="MiB are free"):
        assets.locate("sqlite")
    assert npm.calls == 0


def test_a_cache_that_cannot_be_written_says_so(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    (pinned / "file").write_text("")
    monkeypatch.setenv("DESKCLERK_CACHE", str(pinned / "file"))
    with pytest.raises(AssetUnavailableError, match="Cannot keep"):
        assets.locate("sqlite")


def test_bundling_puts_the_modules_beside_the_package(pinned: Path, monkeypatch: pytest.MonkeyPatch):
    serve(monkeypatch, Npm(tarball()))
    monkeypatch.setattr(assets, "COMPILER", assets.ASSETS["sqlite"].package)
    monkeypatch.setattr(assets, "SCHEMA", assets.ASSETS["sqlite"].package)
    folder = assets.bundle()
    assert [found.name for found in folder.iterdir()] == [assets.ASSETS["sqlite"].file_name]
