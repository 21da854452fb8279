"""A pip to run, also where this environment has none (uv makes such)."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from agent.llm.errors import WeightsUnavailable

TIMEOUT = 120.0  # seconds


@functools.cache
def pip_command() -> tuple[str, ...]:
    """This interpreter's own pip, else one that uv lends, else one from a throw-away environment of ensurepip."""
    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is not None:
        lent = (
            uv,
            "run",
            "--no-project",
            "--quiet",
            "--python",
            sys.executable,
            "--with",
            "pip",
            "python",
            "-m",
            "pip",
        )
        if _works(lent):
            return lent
    folder = tempfile.mkdtemp(prefix="deskclerk-pip-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True, clear=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise WeightsUnavailable(
            f"The model is fetched with pip, and {sys.executable} has none. Install pip or uv."
        ) from error
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    return (str(Path(folder) / scripts / "python"), "-m", "pip")


def _works(command: tuple[str, ...]) -> bool:
    try:
        return (
            subprocess.run(  # noqa: S603 - a list of our own, no shell
                [*command, "--version"], capture_output=True, timeout=TIMEOUT, check=False
            ).returncode
            == 0
        )
    except (OSError, subprocess.SubprocessError):
        return False
