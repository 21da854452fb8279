"""Writes the typed client for a schema.prisma, without Node: Prisma's own schema module tells what the schema means."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prisma.engine.datasource import with_provider
from prisma.engine.schema_tools import SchemaTools
from prisma.engine.types import Provider
from prisma.errors import SchemaError
from prisma.generator import names
from prisma.generator.dmmf import Dmmf, merge
from prisma.generator.emit_client import emit_actions, emit_client, emit_schema
from prisma.generator.emit_rows import emit_enums, emit_rows, row_classes
from prisma.generator.emit_types import emit_types
from prisma.generator.source import header

PROVIDER_NAME = "prisma.generator.stdio"
DEFAULT_OUTPUT = "./client"
PROVIDERS: tuple[Provider, ...] = ("sqlite", "postgresql")


def generate(schema_path: Path | str, output: Path | str | None = None, *, package: str | None = None) -> Path:
    """Write the client of a schema.

    Args:
        schema_path: The schema.prisma. Its generator block may name `output`, `package` and `providers`.
        output: Folder to write, replaced as a whole; else what the generator block says, beside the schema.
        package: Import name of that folder; else the block's, else `<folder of the schema>.<name of the output>`.

    Returns:
        The folder.

    Raises:
        SchemaError: The schema is not valid, or uses what the client cannot express.
    """
    path = Path(schema_path).resolve()
    text = path.read_text()
    tools = SchemaTools()
    tools.validate(text)
    check_types(text)
    block = generator_block(tools.config(text))
    target = Path(output).resolve() if output else (path.parent / (block["output"] or DEFAULT_OUTPUT)).resolve()
    providers = providers_of(block, tools.config(text))
    dmmf = merge([tools.dmmf(with_provider(text, provider)) for provider in providers])
    check_names(dmmf)
    name = package or block["package"] or f"{path.parent.name}.{target.name}"
    write(render(dmmf, name, os.path.relpath(path, target)), target)
    return target


def check_types(schema: str) -> None:
    """Refuse columns that Prisma itself leaves out of a client without a word.

    Raises:
        SchemaError: A field is `Unsupported(...)`.
    """
    if found := re.search(r"^\s*(\w+)\s+(Unsupported\([^)]*\))", schema, re.MULTILINE):
        raise SchemaError(
            f"The field {found[1]!r} is {found[2]}, which no client of Prisma can read or write. "
            "Leave it out of the model, and use `query_raw` for it."
        )


def check_names(dmmf: Dmmf) -> None:
    """Refuse names of models that cannot be told apart in the client.

    Raises:
        SchemaError: Two models have one attribute of the client, or a model is named like a class of another's rows.
    """
    owners: dict[str, str] = {}
    rows = {row: model.name for model in dmmf.models for row in row_classes(model.name)[1:]}
    for model in dmmf.models:
        accessor = names.accessor(model.name)
        if accessor in owners:
            raise SchemaError(f"{owners[accessor]} and {model.name} would both be `db.{accessor}`: rename one.")
        if model.name in rows:
            raise SchemaError(f"{model.name} is the name of a class for the rows of {rows[model.name]}: rename it.")
        owners[accessor] = model.name


def generator_block(config: dict[str, Any]) -> dict[str, Any]:
    """`output`, `package` and `providers` of the generator block that is ours."""
    for block in config["generators"]:
        if PROVIDER_NAME in str(block["provider"]["value"]):
            settings = block["config"]
            output: Any = block["output"]["value"] if block.get("output") else None
            return {"output": output, "package": settings.get("package"), "providers": settings.get("providers")}
    return {"output": None, "package": None, "providers": None}


def providers_of(block: dict[str, Any], config: dict[str, Any]) -> list[Provider]:
    """The databases that the client is to serve: the block's `providers`, else the datasource's provider."""
    wanted: Any = block["providers"] or config["datasources"][0]["provider"]
    chosen: list[Provider] = []
    for name in [wanted] if isinstance(wanted, str) else wanted:
        if name not in PROVIDERS:
            raise SchemaError(f"This client knows {', '.join(PROVIDERS)}, not {name!r}.")
        chosen.append(PROVIDERS[PROVIDERS.index(name)])
    return chosen


def render(dmmf: Dmmf, package: str, schema_path: str) -> dict[str, str]:
    """Relative path -> source of every file of the client.

    Args:
        package: Import name of the client.
        schema_path: The schema, relative to the client's folder.
    """
    files = {
        "__init__.py": header("The typed client of schema.prisma.")
        + f"\nfrom {package}.client import Batch, Prisma\n\n__all__ = ['Batch', 'Prisma']\n",
        "client.py": emit_client(dmmf, package, Path(schema_path).as_posix()),
        "actions.py": emit_actions(dmmf, package),
        "schema.py": emit_schema(dmmf),
        "enums.py": emit_enums(dmmf),
    }
    files |= {f"models/{name}": source for name, source in emit_rows(dmmf, package).items()}
    return files | {f"types/{name}": source for name, source in emit_types(dmmf, package).items()}


def write(files: dict[str, str], target: Path) -> None:
    """Put formatted files in place of the folder, which is never seen half-written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        fresh = Path(scratch) / target.name
        for name, source in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        tidy(fresh)
        old = Path(scratch) / "old"
        if target.exists():
            target.rename(old)
        fresh.rename(target)


def tidy(folder: Path) -> None:
    """Format the code, sort its imports and drop the unused ones, with ruff.

    Raises:
        SchemaError: ruff is not installed.
    """
    settings = ["--isolated", "--line-length", "120", "--target-version", "py311", "--quiet", "--no-cache"]
    steps: Sequence[Sequence[str]] = (
        ("check", "--select", "F401,I", "--fix", "--config", 'lint.isort.known-first-party=["prisma"]'),
        ("format",),
    )
    for command, *options in steps:
        done = subprocess.run(  # noqa: S603 - our own files, no shell
            [*ruff(), command, *settings, *options, str(folder)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SchemaError(f"ruff {command} refused the generated code: {done.stdout}{done.stderr}")


def ruff() -> list[str]:
    """The command of ruff: this environment's, else the one on PATH."""
    beside = Path(sys.executable).with_name("ruff")
    found = str(beside) if beside.exists() else shutil.which("ruff")
    if found is None:
        raise SchemaError("The generated code is formatted with ruff: `pip install ruff`.")
    return [found]
