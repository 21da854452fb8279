"""Their data and their checker, as they are."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / ".outside-bfcl"
CATEGORIES = (
    "simple_python",
    "multiple",
    "parallel",
    "parallel_multiple",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
)
_CONFIG = "bfcl_eval.constants.model_config"
_MODEL = "deskclerk"

Answer = dict[str, dict[str, Any]]
"""One call in their form: `{name: arguments}`."""


class NotInstalled(Exception):
    """The package is not there: `make bfcl`."""


@dataclass(frozen=True, slots=True)
class Row:
    """A question, the functions that may be called, and per call which values of each argument are right."""

    id: str
    category: str
    question: str
    functions: Sequence[Mapping[str, Any]]
    right: Sequence[Mapping[str, Mapping[str, Sequence[Any]]]]


@cache
def _package() -> Path:
    folder = FOLDER / "bfcl_eval"
    if not folder.is_dir():
        raise NotInstalled("bfcl-eval is not installed: `make bfcl`.")
    return folder


def rows(category: str) -> list[Row]:
    """Raises NotInstalled."""
    data = _package() / "data"
    name = f"BFCL_v4_{category}.json"
    asked = _lines(data / name)
    answers = {row["id"]: row["ground_truth"] for row in _lines(data / "possible_answer" / name)}
    return [Row(row["id"], category, _question(row["question"]), row["function"], answers[row["id"]]) for row in asked]


def _question(turns: list[list[dict[str, str]]]) -> str:
    (turn,) = turns  # single-turn
    return "\n\n".join(message["content"] for message in turn)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def complaint(row: Row, calls: Sequence[Answer]) -> str | None:
    """What their checker says against these calls; None when it takes them. Raises NotInstalled."""
    checker = _checker()
    language = import_module("bfcl_eval.constants.enums").Language.PYTHON
    verdict = checker.ast_checker(list(row.functions), list(calls), list(row.right), language, row.category, _MODEL)
    return None if verdict["valid"] else str(verdict.get("error_type") or verdict.get("error"))


@cache
def _checker() -> ModuleType:
    """Their module, without their table of models, which would import every vendor's client.

    All that it is asked is whether dots in names were written as underscores. Ours are not.
    """
    _package()
    config = ModuleType(_CONFIG)
    vars(config)["MODEL_CONFIG_MAPPING"] = {_MODEL: SimpleNamespace(underscore_to_dot=False)}
    sys.modules.setdefault(_CONFIG, config)
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))  # last, so that nothing of ours is shadowed
    return import_module("bfcl_eval.eval_checker.ast_eval.ast_checker")
