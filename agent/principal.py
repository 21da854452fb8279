"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "clerk", "approver", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
DEFAULT_TENANT = "default"
NOBODY = "local"  # who acted, where nobody signs in


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and for which company. `user_id` is None where nobody signed in."""

    tenant_id: str
    user_id: str | None
    roles: frozenset[Role]


LOCAL = Principal(DEFAULT_TENANT, None, frozenset({"admin"}))
"""Everybody, with DESKCLERK_AUTH=off: whoever reaches the loopback interface."""
