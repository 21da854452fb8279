"""Where everything that is fetched or compiled once is kept, outside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_root() -> Path:
    """`DESKCLERK_CACHE`, else the user's cache folder (`~/.cache/deskclerk` on Linux)."""
    root = os.environ.get("DESKCLERK_CACHE")
    return Path(root) if root else platformdirs.user_cache_path("deskclerk", appauthor=False)
