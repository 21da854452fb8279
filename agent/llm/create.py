"""From `DESKCLERK_LLM` to a backend. The folder `agent/llm/backends` is the registry: one backend a file.

A backend's module is named as its scheme and has `FORM` (how it is written) and `create(model, settings)`.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Protocol, cast

from agent.llm import backends
from agent.llm.base import Backend
from agent.llm.errors import ModelError
from agent.llm.settings import LlmSettings


class BackendModule(Protocol):
    """What a module in `agent/llm/backends` offers."""

    FORM: str

    def create(self, model: str, settings: LlmSettings) -> Backend:
        """Make the backend; nothing is fetched or asked before its `start`. Raises ModelError."""
        ...


def schemes() -> list[str]:
    """The names that `DESKCLERK_LLM` may begin with."""
    return sorted(module.name for module in pkgutil.iter_modules(backends.__path__))


def load(scheme: str) -> BackendModule:
    """The module of a scheme; imported only when used, because each brings its own dependencies."""
    return cast("BackendModule", import_module(f"{backends.__name__}.{scheme}"))


def create_backend(spec: str, settings: LlmSettings) -> Backend:
    """The backend that `spec` names, like `embedded` or `ollama:qwen3:8b`.

    Raises:
        ModelError: There is no such backend, or it cannot be made of what follows the colon.
    """
    scheme, _, model = spec.strip().partition(":")
    if scheme not in schemes():
        forms = " | ".join(load(name).FORM for name in schemes())
        raise ModelError(f"DESKCLERK_LLM={spec!r} names no model backend. It is one of: {forms}.")
    return load(scheme).create(model, settings)
