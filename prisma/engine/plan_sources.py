"""What Prisma's compiler makes of each shape, kept in the cache: the next process need not ask for it again.

A compilation takes up to 50 ms, nearly all of it Python's side of WebAssembly, and a program asks for the same shapes
every time it starts. What comes out depends on the schema, the kind of database, Prisma's module and our host of
it, so all of these are in the name of the folder. A shape is a file in it, which holds JSON: what does not survive that
unchanged is not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import orjson

from prisma.assets import ASSETS, cache_folder
from prisma.cache import keep
from prisma.engine.plan_cache import LARGE_SHAPE
from prisma.engine.types import Provider

KEPT_SCHEMAS = 16  # folders
KEPT_SHAPES = 2000  # of one schema: 5 KiB each
HOST = Path(__file__).parent / "wasm" / "host.py"


class Compiler(Protocol):
    """Prisma's."""

    def compile(self, request: str) -> dict[str, Any]: ...


class PlanSources:
    """Plans as Prisma's compiler writes them, by shape. Thread-safe; blocks, so use it off the event loop."""

    def __init__(self, make_compiler: Callable[[], Compiler], folder: Path) -> None:
        """Make the compiler, unless it has read this schema before: then only when a shape is not kept.

        Raises:
            EngineSetupError: The compiler cannot be had.
            SchemaError: The schema is not valid.
        """
        self._make_compiler = make_compiler
        self._compiler: Compiler | None = None
        self._lock = threading.Lock()
        self._folder = folder
        self._kept = 0
        try:
            self._kept = len(list(folder.iterdir()))
            os.utime(folder)
        except OSError:
            self._made()
            _make_room(folder)

    def get(self, shape: bytes) -> dict[str, Any]:
        """The plan of a shape.

        Raises:
            InputError: The operation does not fit the schema.
            EngineSetupError: The compiler cannot be had.
        """
        path = self._folder / f"{hashlib.sha256(shape).hexdigest()[:40]}.json"
        with contextlib.suppress(OSError, ValueError):
            return orjson.loads(path.read_bytes())
        source = self._made().compile(shape.decode())
        if len(shape) <= LARGE_SHAPE:
            self._keep(path, source)
        return source

    def _made(self) -> Compiler:
        with self._lock:
            if self._compiler is None:
                self._compiler = self._make_compiler()
            return self._compiler

    def _keep(self, path: Path, source: dict[str, Any]) -> None:
        if self._kept >= KEPT_SHAPES:
            return
        with contextlib.suppress(TypeError):  # it holds what JSON does not
            data = orjson.dumps(source)
            if orjson.loads(data) == source:
                keep(path, data)
                self._kept += 1


def sources_folder(schema: str, provider: Provider, schema_name: str | None) -> Path:
    """Where the plans of a schema are kept."""
    about = [schema, provider, schema_name, ASSETS[provider].sha256, hashlib.sha256(HOST.read_bytes()).hexdigest()]
    return cache_folder() / "plans" / hashlib.sha256(orjson.dumps(about)).hexdigest()[:32]


def _make_room(folder: Path) -> None:
    """Make the folder, and remove those that were not used for longest: schemas change."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        others = sorted(folder.parent.iterdir(), key=lambda other: other.stat().st_mtime, reverse=True)
        for old in others[KEPT_SCHEMAS:]:
            shutil.rmtree(old, ignore_errors=True)
