"""Where everything that is fetched or compiled once is kept, outside the checkout, and how it gets there."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import platformdirs


def cache_root() -> Path:
    """`DESKCLERK_CACHE`, else the user's cache folder (`~/.cache/deskclerk` on Linux)."""
    root = os.environ.get("DESKCLERK_CACHE")
    return Path(root) if root else platformdirs.user_cache_path("deskclerk", appauthor=False)


def keep(path: Path, data: bytes) -> None:
    """Write a file so that no reader ever sees half of it; a cache that cannot be written is no error."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        partial.write_bytes(data)
        partial.replace(path)
