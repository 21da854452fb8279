"""The quota of tokens, by user, key and address: a run is begun while any is left, and charged when it rests.

So the last run may go beyond; `DESKCLERK_MAX_TOKENS` bounds by how much.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from limits import RateLimitItem

from agent.errors import QuotaExhausted
from agent.principal import Principal
from api.limits.settings import LimitSettings, most, parse
from api.limits.store import Store

log = logging.getLogger(__name__)


class TokenQuota:
    """`agent.quota.Quota` on the configured store."""

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._store = Store(settings.url)

    async def close(self) -> None:
        await self._store.close()

    async def check(self, principal: Principal) -> None:
        for name, items, whose in self._limits(principal):
            spent = await self._store.spent(name, items, whose)
            if spent is not None:
                kind = name.removeprefix("tokens-")
                raise QuotaExhausted(
                    f"The tokens of this {kind} are used up: {spent.item}.",
                    retry_after_seconds=max(1.0, spent.resets_in),
                )

    async def charge(self, principal: Principal, tokens: int) -> None:
        try:
            for name, items, whose in self._limits(principal):
                await self._store.spend(name, items, whose, tokens)
        except Exception:
            log.exception("tokens_not_charged")  # the run has ended all the same

    def _limits(self, principal: Principal) -> Iterator[tuple[str, Sequence[RateLimitItem], str]]:
        if principal.user_id is not None:
            yield "tokens-user", most(self._settings, principal, "tokens_user"), principal.user_id
        if principal.key_id is not None:
            yield "tokens-key", parse(self._settings.tokens_key), principal.key_id
        if principal.address is not None:
            yield "tokens-address", parse(self._settings.tokens_address), principal.address
