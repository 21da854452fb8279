"""`.env.example` has every setting, and each of its lines is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

from api import env_example
from api.env_example import COMPOSE, NEEDED, OTHERS, page, settings_classes, variables

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def test_it_is_what_the_settings_classes_say():
    assert (ROOT / ".env.example").read_text() == page(), "run `make generate`"


def test_every_setting_is_there_and_every_line_is_a_setting():
    names = [name for name, _ in LINE.findall((ROOT / ".env.example").read_text())]
    known = {name for one in settings_classes() for name, _, _ in variables(one)}
    assert {one.__name__ for one in settings_classes()} >= {
        "AgentSettings",
        "ApiSettings",
        "LlmSettings",
        "ToolSettings",
    }
    assert len(names) == len(set(names))
    assert set(names) == known | {name for name, _, _ in (*OTHERS, *COMPOSE)}


def test_a_default_that_is_taken_out_of_its_comment_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    filled = {name: text for name, text in LINE.findall(page()) if text}
    for settings in settings_classes():
        before = settings(_env_file=None).model_dump()  # pyright: ignore[reportCallIssue]
        with monkeypatch.context() as patch:
            for name, text in filled.items():
                if name in {variable for variable, _, _ in variables(settings)}:
                    patch.setenv(name, text)
            assert settings(_env_file=None).model_dump() == before, settings.__name__  # pyright: ignore[reportCallIssue]


def test_what_the_compose_file_reads_is_there_with_the_same_default():
    text = (ROOT / "docker-compose.yml").read_text()
    read = {match["name"]: match for match in re.finditer(r"\$\{(?P<name>\w+):(?P<how>[-?])(?P<text>[^}]*)\}", text)}
    ours = {name: default for name, default, _ in COMPOSE}
    known = {name for one in settings_classes() for name, _, _ in variables(one)}
    assert set(read) - known == set(ours)
    assert {name for name, match in read.items() if match["how"] == "?"} == NEEDED
    for name, default in ours.items():
        if name not in NEEDED:
            assert read[name]["text"] == default, name
    assert yaml.safe_load(text)


def test_a_settings_class_is_found_where_it_stands():
    class Elsewhere(BaseSettings):
        one: int = 1

    assert Elsewhere not in settings_classes()
    assert list(variables(Elsewhere)) == [("ONE", "1", "")]
    assert env_example.ROOT == ROOT
