"""`python -m api.env_example`: writes `.env.example`, every setting of every settings class with its default.

The classes are found, not listed: every `settings.py` of the packages is looked into. `make generate` calls this.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parent.parent
PAGE = ROOT / ".env.example"
PACKAGES = ("agent", "tools", "api")
WIDTH = 118  # characters

HEAD = """\
# Copy to .env and change what you need. Every setting is here with its default; docs/configuration.md explains them.
# This file is made by `make generate` from the settings classes.
"""
# Read by other programs than our settings classes: (name, default, what).
COMPOSE = (
    ("POSTGRES_PASSWORD", "change-me", "Of the database; letters and digits, for it stands in an address. Needed."),
    ("SEARXNG_SECRET", "change-me", "Any long random text, for SearXNG's own use. Needed."),
    ("DESKCLERK_IMAGE", "deskclerk:local", "What the image is called."),
    ("PYTHON_IMAGE", "python:3.12.12-slim-bookworm", "The base that it is built on; pin it by digest in production."),
    ("DESKCLERK_BIND", "127.0.0.1", "The address of this machine that the app is published on."),
    ("DESKCLERK_PUBLISHED_PORT", "8000", "And the port."),
    ("DESKCLERK_CPUS", "2", "Limit of the app."),
    ("DESKCLERK_MEMORY", "2G", "Limit of the app; 4G with DESKCLERK_LLM=embedded."),
    ("OLLAMA_MEMORY", "16G", "Limit of Ollama's main memory."),
    ("OLLAMA_TAG", "0.12.6", "Tags of the images."),
    ("PGVECTOR_TAG", "0.8.0-pg17", ""),
    ("SEARXNG_TAG", "latest", "SearXNG has no releases; name the one you have looked at."),
    ("REDIS_TAG", "7.4.6-alpine", ""),
)
OTHERS = (
    ("DESKCLERK_CACHE", "~/.cache/deskclerk", "Weights, query compiler, what was compiled or read once."),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "Where traces go with DESKCLERK_TRACES=on."),
    ("OTEL_EXPORTER_OTLP_HEADERS", "", "What that receiver wants to be shown: name=value,name=value."),
)
NEEDED = frozenset({"POSTGRES_PASSWORD", "SEARXNG_SECRET"})  # without them `docker compose` does not start


def settings_classes() -> list[type[BaseSettings]]:
    """Every settings class, in the order of their modules."""
    found: list[type[BaseSettings]] = []
    for package in PACKAGES:
        root = importlib.import_module(package)
        for info in sorted(pkgutil.walk_packages(root.__path__, f"{package}."), key=lambda info: info.name):
            if info.name.rpartition(".")[2] != "settings":
                continue
            module = importlib.import_module(info.name)
            found += [
                value
                for value in vars(module).values()
                if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module.__name__
            ]
    return found


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, str, str]]:
    """Name, default and description of each setting."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        variable = str(field.validation_alias or prefix + name).upper()
        default = field.get_default(call_default_factory=True, validated_data={})
        yield variable, _text(default), field.description or ""


def page() -> str:
    """The file's text."""
    parts = [HEAD]
    seen: set[str] = set()
    for settings in settings_classes():
        parts.append(f"\n# ---------------------------------------------------------------- {settings.__module__}\n")
        for entry in variables(settings):
            if entry[0] not in seen:
                seen.add(entry[0])
                parts.append(_entry(*entry))
    for title, entries in (("read by others", OTHERS), ("docker compose", COMPOSE)):
        parts.append(f"\n# ---------------------------------------------------------------- {title}\n")
        parts += [_entry(*entry) for entry in entries]
    return "".join(parts)


def _entry(name: str, default: str, what: str) -> str:
    comment = "".join(f"# {line}\n" for line in textwrap.wrap(" ".join(what.split()), WIDTH))
    return f"\n{comment}{'' if name in NEEDED else '#'}{name}={default}\n"


def _text(default: Any) -> str:
    """As it would be written in the file."""
    match default:
        case None:
            return ""
        case SecretStr():
            return default.get_secret_value()
        case bool():
            return str(default).lower()
        case set() | frozenset():
            return json.dumps(sorted(default, key=str), default=str)
        case dict() | list() | tuple():
            return json.dumps(default, default=str)
        case _:
            return "" if default is PydanticUndefined else str(default)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
