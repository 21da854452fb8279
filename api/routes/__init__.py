"""One router a file; the folder is the registry."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """The `router` of every file here.

    Raises:
        TypeError: A file has none.
    """
    found: list[APIRouter] = []
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        router = getattr(importlib.import_module(f"{__name__}.{info.name}"), "router", None)
        if not isinstance(router, APIRouter):
            raise TypeError(f"api/routes/{info.name}.py must define `router`, a fastapi.APIRouter")
        found.append(router)
    return found
