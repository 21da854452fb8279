"""Who asks, and what they may do at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "clerk", "approver", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
DEFAULT_TENANT = "default"
NOBODY = "local"  # who acted, where nobody signs in

Scope = Literal["read", "runs", "approve", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and for which company. `user_id` is None where nobody signed in.

    Attributes:
        roles: Those that count for this request: the user's, already narrowed to `scopes`.
        key_id: The personal API key that was shown, if one was.
        session_id: The sign-in that the shown token belongs to, if it was one.
        address: Where the request came from, where that is counted; None for what begins by itself.
        scopes: What the key or token is limited to; None for all that the roles allow.
    """

    tenant_id: str
    user_id: str | None
    roles: frozenset[Role]
    key_id: str | None = None
    session_id: str | None = None
    scopes: frozenset[Scope] | None = None
    address: str | None = None

    @property
    def sources(self) -> frozenset[tuple[str, str]]:
        """What the request came with and from, where that is known: `("key", id)`, `("address", ...)`."""
        found = {"key": self.key_id, "address": self.address}
        return frozenset((kind, name) for kind, name in found.items() if name is not None)

    def allows(self, scope: Scope) -> bool:
        """Whether what was shown reaches this far; the roles are another question."""
        return self.scopes is None or scope in self.scopes


LOCAL = Principal(DEFAULT_TENANT, None, frozenset({"admin"}))
"""Everybody, where nobody signs in: whoever reaches the loopback interface."""


def narrow(roles: frozenset[Role], scopes: frozenset[Scope] | None) -> frozenset[Role]:
    """The roles that are left of `roles` within `scopes`, so that whatever asks for a role need not know of scopes.

    An admin without `admin` is what the other scopes leave: a clerk with `runs`, an approver with `approve`. A clerk
    without `runs` is a viewer. `read` is what every scope has.
    """
    if scopes is None:
        return roles
    full = "admin" in roles
    left: set[Role] = set()
    if full and "admin" in scopes:
        left.add("admin")
    if "approve" in scopes and (full or "approver" in roles):
        left.add("approver")
    if "runs" in scopes and (full or "clerk" in roles):
        left.add("clerk")
    return frozenset(left) or (frozenset({"viewer"}) if roles else frozenset())
