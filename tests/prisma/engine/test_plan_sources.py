"""Plans that are kept on the disk: what is asked of the compiler, and what of the next process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from prisma.engine import plan_sources
from prisma.engine.engine import Engine
from prisma.engine.plan_cache import LARGE_SHAPE
from prisma.engine.plan_sources import PlanSources, sources_folder
from prisma.engine.wasm.host import UNDEFINED
from prisma.errors import SchemaError
from tests.support.library_database import COMMON

SHAPE = b'{"action":"findMany"}'


class Counted:
    """A compiler that says what it was asked."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.made = 0
        self.asked: list[str] = []

    def make(self) -> Counted:
        self.made += 1
        return self

    def compile(self, request: str) -> dict[str, Any]:
        self.asked.append(request)
        return self.plan


def test_a_shape_is_compiled_once_for_all_processes(tmp_path: Path):
    first, second = Counted({"type": "unit", "args": [1, 1.0, 2**60, None, "é"]}), Counted({})
    plan = PlanSources(first.make, tmp_path / "plans").get(SHAPE)
    assert first.asked == [SHAPE.decode()]
    again = PlanSources(second.make, tmp_path / "plans").get(SHAPE)
    assert again == plan
    assert [type(value) for value in again["args"]] == [type(value) for value in plan["args"]]
    assert (second.made, second.asked) == (0, [])


def test_another_shape_is_compiled_when_it_comes(tmp_path: Path):
    PlanSources(Counted({"type": "a"}).make, tmp_path / "plans").get(SHAPE)
    compiler = Counted({"type": "b"})
    sources = PlanSources(compiler.make, tmp_path / "plans")
    assert compiler.made == 0
    assert [sources.get(b"other")["type"], sources.get(SHAPE)["type"]] == ["b", "a"]
    assert (compiler.made, compiler.asked) == (1, ["other"])


def test_a_broken_file_is_compiled_anew_and_replaced(tmp_path: Path):
    folder = tmp_path / "plans"
    PlanSources(Counted({"type": "a"}).make, folder).get(SHAPE)
    (file,) = folder.iterdir()
    file.write_bytes(b'{"type": "a')
    assert PlanSources(Counted({"type": "a"}).make, folder).get(SHAPE) == {"type": "a"}
    assert file.read_bytes() == b'{"type":"a"}'


def test_a_plan_that_json_cannot_hold_is_not_kept(tmp_path: Path):
    plan = {"type": "value", "args": UNDEFINED}
    assert PlanSources(Counted(plan).make, tmp_path / "plans").get(SHAPE) == plan
    assert not list((tmp_path / "plans").iterdir())


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    compiler = Counted({"type": "a"})
    sources = PlanSources(compiler.make, tmp_path / "file" / "plans")
    assert sources.get(SHAPE) == sources.get(SHAPE) == {"type": "a"}
    assert len(compiler.asked) == 2


def test_a_shape_that_is_too_large_for_the_memory_is_not_kept_on_the_disk_either(tmp_path: Path):
    sources = PlanSources(Counted({"type": "a"}).make, tmp_path / "plans")
    sources.get(b"x" * (LARGE_SHAPE + 1))
    assert not list((tmp_path / "plans").iterdir())
    sources.get(b"x" * LARGE_SHAPE)
    assert len(list((tmp_path / "plans").iterdir())) == 1


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plan_sources, "KEPT_SHAPES", 2)
    monkeypatch.setattr(plan_sources, "KEPT_SCHEMAS", 3)
    compiler = Counted({"type": "a"})
    for number in range(5):
        sources = PlanSources(compiler.make, tmp_path / f"schema-{number}")
        for shape in (b"1", b"2", b"3"):
            sources.get(shape)
        assert len(list((tmp_path / f"schema-{number}").iterdir())) == 2
        os.utime(tmp_path / f"schema-{number}", (number, number))
    assert {folder.name for folder in tmp_path.iterdir()} == {"schema-2", "schema-3", "schema-4"}


def test_a_folder_is_for_one_schema_database_module_and_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    folders = {
        sources_folder(COMMON, "sqlite", None),
        sources_folder(COMMON + "\n", "sqlite", None),
        sources_folder(COMMON, "postgresql", None),
        sources_folder(COMMON, "postgresql", "other"),
    }
    (tmp_path / "host.py").write_text("changed")
    monkeypatch.setattr(plan_sources, "HOST", tmp_path / "host.py")
    folders.add(sources_folder(COMMON, "sqlite", None))
    assert len(folders) == 5


async def test_a_schema_that_is_not_valid_is_refused_each_time(tmp_path: Path):
    schema = COMMON + "\nmodel Broken {\n  id Nothing @id\n}\n"
    for _ in range(2):
        engine = Engine.create(schema=schema, url=f"file:{tmp_path / 'db'}")
        with pytest.raises(SchemaError, match="Nothing"):
            await engine.connect()


@pytest.mark.service
def test_the_second_process_does_not_load_webassembly(tmp_path: Path):
    program = textwrap.dedent(f"""
        import asyncio, sys
        from prisma import Prisma
        from prisma.migrate.apply import migrate

        async def main():
            url = "file:{tmp_path / "db"}"
            await migrate(url)
            async with Prisma(url=url) as db:
                await db.tenant.upsert(
                    where={{"id": "t"}}, data={{"create": {{"id": "t", "name": "T"}}, "update": {{}}}}
                )
                print([row.name for row in await db.tenant.find_many()], "wasmtime" in sys.modules)

        asyncio.run(main())
    """)
    environment = {**os.environ, "DESKCLERK_CACHE": str(tmp_path / "cache")}
    said = [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["['T'] True", "['T'] False"]
