"""The generator on other schemas than ours: one with everything in it, and ones that cannot be."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prisma.errors import SchemaError
from prisma.generator import generate
from tests.support.prisma_fake_engine import FakeEngine

EVERYTHING = Path(__file__).parent / "everything.prisma"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client `everything`."""
    root = tmp_path_factory.mktemp("generated")
    generate(EVERYTHING, root / "everything")
    return root


@pytest.fixture
def everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    yield importlib.import_module("everything")
    for name in [name for name in sys.modules if name.split(".")[0] == "everything"]:
        del sys.modules[name]


async def connected(everything: Any, *answers: Any) -> tuple[Any, FakeEngine]:
    engine = FakeEngine(*answers)
    db = everything.Prisma("postgresql://nowhere/none")
    db.use_engine(engine)
    await db.connect()
    return db, engine


async def test_names_that_python_needs_itself_get_an_underscore(everything: Any):
    row = {"house": "a", "room": 1, "class": "c", "from": None, "is": True, "in": 2, "copy": "", "json": {"a": 1}}
    db, engine = await connected(everything, row, [])
    found = await db.class_.find_unique(where={"class_of_origin": {"class": "c", "from": "x"}})
    assert (found.class_, found.from_, found.is_, found.in_) == ("c", None, True, 2)
    assert (found.copy_, found.json_) == ("", {"a": 1})
    assert found.model_dump(by_alias=True)["class"] == "c"
    await db.class_.find_many(where={"is": {"equals": True}, "not_in": {"not_in": [1]}, "in": {"in": [2]}})
    assert engine.arguments["where"] == {"is": {"equals": True}, "not_in": {"notIn": [1]}, "in": {"in": [2]}}
    assert db.class_.fields.class_.name == "class"
    assert await db.connect() is None
    assert db.connect_.fields.url.model == "Connect"


async def test_fields_named_like_words_of_prisma_keep_their_name(everything: Any):
    db, engine = await connected(everything, {}, {}, [], [])
    key = {"place": {"house": "a", "room": 1, "row": 2}}
    await db.seat.update({"update_many": {"increment": 1}, "create": "x", "of": {"update": {"is": True}}}, key)
    assert engine.arguments["data"] == {
        "update_many": {"increment": 1},
        "create": "x",
        "of": {"update": {"is": True}},
    }
    await db.profile.update(
        {"person": {"update": {"profile": {"update": {"data": {"a": 1}, "where": "x"}}}}}, {"id": 1}
    )
    nested = engine.arguments["data"]["person"]["update"]["profile"]["update"]
    assert nested == {"data": {"$type": "Json", "value": '{"a":1}'}, "where": "x"}
    await db.seat.find_many(where={"of": {"is": True, "class": "c"}})
    assert engine.arguments["where"] == {"of": {"is": True, "class": "c"}}
    await db.seat.find_many(where={"of": {"is": {"class": "c"}}})
    assert engine.arguments["where"] == {"of": {"is": {"class": "c"}}}


async def test_list_columns_are_filtered_written_and_read(everything: Any):
    enums = importlib.import_module("everything.enums")
    db, engine = await connected(everything, {"moods": ["glad", "None"], "mood": "title"}, [])
    person = await db.person.update(
        {"tags": ["a"], "scores": {"push": 1}, "notes": {"set": [{"a": 1}]}, "balance": {"divide": Decimal("2")}},
        {"number": 1},
    )
    assert person.moods == [enums.Mood.glad, enums.Mood.None_]
    assert person.mood is enums.Mood.title_
    assert engine.arguments["data"] == {
        "tags": ["a"],
        "scores": {"push": 1},
        "notes": {"set": [{"$type": "Json", "value": '{"a":1}'}]},
        "balance": {"divide": Decimal("2")},
    }
    await db.person.find_many(
        where={"tags": {"has_some": ["a"], "is_empty": False}, "notes": {"has": {"x": 1}}, "moods": {"has": "sad"}}
    )
    assert engine.arguments["where"] == {
        "tags": {"hasSome": ["a"], "isEmpty": False},
        "notes": {"has": {"$type": "Json", "value": '{"x":1}'}},
        "moods": {"has": "sad"},
    }


async def test_a_relation_of_a_model_with_itself_is_included_to_any_depth(everything: Any):
    answer: Any = {"id": "1", "manager": {"id": "2", "reports": [{"id": "1"}]}, "friends": []}
    db, _ = await connected(everything, answer)
    found = await db.person.find_first(include={"manager": {"include": {"reports": True}}, "friends": True})
    assert found.manager.reports[0].id == "1"
    assert found.friends == []


async def test_a_view_can_be_read_and_grouped(everything: Any):
    db, engine = await connected(everything, [{"mood": "sad", "total": 2}], [{"mood": "sad"}])
    assert (await db.census.find_many())[0].total == 2
    await db.census.group_by(["mood"])
    assert engine.arguments == {"by": ["mood"]}


@pytest.mark.service  # pyright runs on Node
def test_the_generated_code_is_typed_strictly(folder: Path):
    root = Path(__file__).parents[3]
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["everything"]}
    settings |= {"extraPaths": [str(root), str(folder)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", str(folder), "--outputjson"],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["generalDiagnostics"] == []
    assert report["summary"]["filesAnalyzed"] > 10


HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            HEAD + 'model A {\n  id Int @id\n  at Unsupported("point")?\n}',
            r"The field 'at' is Unsupported\(.point.\), which no client",
        ),
        (HEAD + "model A {\n  id Int @id\n  b B\n}", 'Type "B" is neither a built-in type'),
        (HEAD + "model A {\n  id Int\n}", "must have at least one unique criteria"),
        (HEAD.replace("postgresql", "mysql") + "model A {\n  id Int @id\n}", "knows sqlite, postgresql, not 'mysql'"),
        (
            HEAD + "model User {\n  id Int @id\n}\nmodel user {\n  id Int @id\n}",
            "User and user would both be `db.user`",
        ),
        (
            HEAD + "model Cat {\n  id Int @id\n}\nmodel CatPartial {\n  id Int @id\n}",
            "CatPartial is the name of a class",
        ),
    ],
    ids=["unsupported type", "unknown type", "no key", "other database", "one attribute for two", "name of a class"],
)
def test_a_schema_that_cannot_be_is_refused_with_its_reason(tmp_path: Path, schema: str, message: str):
    path = tmp_path / "schema.prisma"
    path.write_text(schema)
    with pytest.raises(SchemaError, match=message):
        generate(path)
    assert not (tmp_path / "client").exists()


def test_a_failed_generation_leaves_the_old_client_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "schema.prisma"
    path.write_text(HEAD + "model A {\n  id Int @id\n}")
    client = generate(path)
    before = (client / "schema.py").read_text()
    monkeypatch.setattr("prisma.generator.tidy", _refuse)
    with pytest.raises(SchemaError, match="refused"):
        generate(path)
    assert (client / "schema.py").read_text() == before
    assert sorted(item.name for item in tmp_path.iterdir()) == ["client", "schema.prisma"]


def _refuse(folder: Path) -> None:
    raise SchemaError("refused")
