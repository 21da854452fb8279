"""Policies as a test writes them, and calls to ask them about."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import Any

from agent.policy import Policy, Request
from agent.policy.load import parse_policy
from agent.principal import Role
from tests.support.desk_tools import Desk, desk_tools
from tools.origin import Origin
from tools.registry import catalog

TOOLS = {**catalog(), **desk_tools(Desk())}

GRANTS = """
version: 1
capabilities:
  - {roles: [viewer, approver], effects: [read], verdict: allow}
  - {roles: [clerk, admin], verdict: allow}
"""


def rules(text: str) -> Policy:
    """A policy in which clerks may do everything, less what these rules say."""
    return policy(f"{GRANTS}rules:\n{indent(dedent(text).strip(), '  ')}\n")


def policy(text: str) -> Policy:
    """A whole policy over the catalogue and the desk's tools."""
    return parse_policy(dedent(text).strip().encode(), "policy.yaml", TOOLS)


def request(tool: str, *roles: Role, **options: Any) -> Request:
    """A call, by a clerk unless said otherwise. `origins` are given as text."""
    origins = {path: Origin.parse(origin) for path, origin in options.pop("origins", {}).items()}
    arguments = options.pop("arguments", {})
    return Request(TOOLS[tool], arguments, origins, frozenset(roles or ("clerk",)), **options)
