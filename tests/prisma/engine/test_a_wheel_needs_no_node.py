"""What is installed from a wheel runs queries without Node, npm or a module fetched before."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from prisma.assets import ASSETS

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio, shutil
import prisma
from prisma import Prisma
from prisma.migrate import migrate

async def main():
    assert shutil.which("node") is None and shutil.which("npm") is None
    await migrate("file:./wheel.db")
    async with Prisma("file:./wheel.db") as db:
        await db.tenant.create({"name": "acme"})
        print(prisma.__file__, [tenant.name for tenant in await db.tenant.find_many()])

asyncio.run(main())
"""


@pytest.mark.service
def test_a_wheel_brings_the_compiler_along(tmp_path: Path):
    build = [sys.executable, "-m", "uv", "build", "--wheel", "--out-dir", str(tmp_path / "dist"), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    assert {path.name for path in (installed / "prisma" / "_wasm").iterdir()} == {
        asset.file_name for asset in ASSETS.values()
    }

    environment = {
        "PATH": str(tmp_path / "nothing"),
        "HOME": str(tmp_path),
        "PYTHONPATH": str(installed),
        "DESKCLERK_CACHE": str(tmp_path / "cache"),
    }
    command = [sys.executable, "-P", "-c", PROGRAM]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == f"{installed / 'prisma' / '__init__.py'} ['acme']"
    assert not list((tmp_path / "cache").rglob("*.wasm")), "it fetched what it has"
