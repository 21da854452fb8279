"""What is being tried: model, prompt, code, sampling."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from agent.grounding.prompt import prompt
from agent.llm.settings import LlmSettings
from agent.settings import AgentSettings
from evals.results import Identity
from evals.state import NOW
from tools.registry import catalog

if TYPE_CHECKING:
    from agent.llm.base import Backend

ROOT = Path(__file__).parents[1]


def identity_of(suite: str, backend: Backend, settings: AgentSettings, llm: LlmSettings) -> Identity:
    return Identity(
        suite=suite,
        model=backend.name,
        model_digest=backend.digest,
        prompt_hash=prompt_hash(native=backend.native_tools),
        code_version=code_version(),
        sampling=sampling_of(settings, llm),
    )


def sampling_of(settings: AgentSettings, llm: LlmSettings) -> dict[str, str | int | float | bool | None]:
    """Whatever decides how the model draws."""
    return {
        "temperature": llm.temperature,
        "seed": settings.seed,
        "max_tokens": llm.max_tokens,
        "tools": llm.tools,
        "think": llm.think,
    }


def prompt_hash(*, native: bool) -> str:
    """Of the system prompt, its examples, and every tool's schema; the date left out."""
    tools = list(catalog().values())
    messages = prompt(tools, company="the company", today=NOW.date(), native=native)
    shown = [message.model_dump(mode="json") for message in messages]
    schemas = [[tool.name, tool.description, tool.arguments.model_json_schema()] for tool in tools]
    return hashlib.sha256(json.dumps([shown, schemas], sort_keys=True).encode()).hexdigest()[:16]


def code_version() -> str:
    """The commit, with `+dirty` where the checkout differs; `unknown` where there is no repository."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return f"{commit}+dirty" if _git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
