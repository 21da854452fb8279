"""Where model files are kept."""

from __future__ import annotations

from pathlib import Path

from prisma.cache import cache_root

__all__ = ["cache_root", "models_folder"]


def models_folder() -> Path:
    """Where whole, checked model files lie."""
    return cache_root() / "models"
