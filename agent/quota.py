"""How many tokens somebody may still spend: asked before a run is recorded, charged whenever one comes to rest."""

from __future__ import annotations

from typing import Protocol

from agent.principal import Principal


class Quota(Protocol):
    """Counts the tokens of runs, whoever begins them and in whichever process."""

    async def check(self, principal: Principal) -> None:
        """Whether anything is left.

        Raises:
            QuotaExhausted
        """
        ...

    async def charge(self, principal: Principal, tokens: int) -> None:
        """So many input and output tokens were spent. Never raises: what was spent was spent."""
        ...


class NoQuota:
    """Everybody may spend what they want."""

    async def check(self, principal: Principal) -> None:
        pass

    async def charge(self, principal: Principal, tokens: int) -> None:
        pass
