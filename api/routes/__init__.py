"""One router a file; the folder is the registry."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import APIRouter

OFTEN = ("runs", "threads", "chat")  # are looked through first: routers are asked one after the other, 0.1 ms for all


def routers() -> list[APIRouter]:
    """The `router` of every file here.

    Raises:
        TypeError: A file has none.
    """
    found: list[APIRouter] = []
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    for name in (*OFTEN, *(name for name in names if name not in OFTEN)):
        router = getattr(importlib.import_module(f"{__name__}.{name}"), "router", None)
        if not isinstance(router, APIRouter):
            raise TypeError(f"api/routes/{name}.py must define `router`, a fastapi.APIRouter")
        found.append(router)
    return found
