"""The cases: one YAML file each, tagged with its folder's name (`evals/cases/<tag>/`), or rows of a JSONL file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from evals.case import Case

CASES = Path(__file__).with_name("cases")
SCHEMA = CASES / "case.schema.json"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built


class InvalidCase(ValueError):
    """A case cannot be used; the message names its file and what is wrong."""


def load(suite: Path = CASES, *, tags: Sequence[str] = (), names: Sequence[str] = ()) -> list[Case]:
    """The cases of `suite`, a folder or a JSONL file: all, or those that have one of `tags` or one of `names`.

    Raises:
        InvalidCase: There is none, a file is no case, two have one name, or nothing has a tag or name asked for.
    """
    cases = list(_folder(suite) if suite.is_dir() else _rows(suite)) if suite.exists() else []
    if not cases:
        raise InvalidCase(f"There are no cases at {suite}.")
    known = [case.name for case in cases]
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise InvalidCase(f"{suite.name}: more than one case is called {', '.join(twice)}.")
    every_tag = {tag for case in cases for tag in case.tags}
    if strange := sorted({*names} - {*known}) + sorted({*tags} - every_tag):
        raise InvalidCase(f"{suite.name} has no case or tag called {', '.join(strange)}.")
    if not (tags or names):
        return cases
    return [case for case in cases if case.name in names or {*case.tags} & {*tags}]


def _folder(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.rglob("*.yaml")):
        data = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a safe loader, in C
        yield _case(data, name=path.stem, tag=path.parent.name, where=f"{path.parent.name}/{path.name}")


def _rows(path: Path) -> Iterator[Case]:
    for number, row in enumerate(path.read_text("utf-8").splitlines(), 1):
        if row.strip():
            try:
                data = json.loads(row)
            except ValueError as error:
                raise InvalidCase(f"{path.name}:{number}: {error}") from None
            yield _case(data, name=None, tag=path.stem, where=f"{path.name}:{number}")


def _case(data: Any, *, name: str | None, tag: str, where: str) -> Case:
    if not isinstance(data, dict):
        raise InvalidCase(f"{where}: a case is a mapping.")
    fields = dict(cast("dict[str, Any]", data))
    fields["tags"] = list(dict.fromkeys([tag, *fields.get("tags", ())]))
    if name is not None:
        fields["name"] = name
    elif "name" not in fields:
        raise InvalidCase(f"{where}: a row needs a name.")
    try:
        return Case.model_validate(fields)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'case'}: {item['msg']}" for item in error.errors())
        raise InvalidCase(f"{where}: {said}") from None


def schema() -> str:
    """The JSON Schema that editors read, as it stands in `cases/case.schema.json`."""
    return json.dumps(Case.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema(), "utf-8")
