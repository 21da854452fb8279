"""Makes and checks the links. Why a link alone may decide: docs/adr/0010.

A link is a token signed with this installation's key. It names a row, which names the approval, its digest and the
person it was made for; the row is used up by the decision. It dies with the approval: decided, expired or void.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jwt

from agent.principal import Principal
from prisma.errors import UniqueViolationError

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Approval, ApprovalLink

KEY = "approval_links"
ALGORITHM = "HS256"
AUDIENCE = "deskclerk:approval"
SHOWN_AFTER = timedelta(days=1)  # a link still shows what became of its approval for so long after it has expired


class BadLink(Exception):
    """It is not one of ours, was changed, or is over. Says no more, to nobody."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that is ours."""

    link: ApprovalLink
    approval: Approval


@dataclass(frozen=True, slots=True)
class ApprovalLinks:
    """The links of this installation."""

    db: Prisma

    async def make(self, approval: Approval, principal: Principal) -> str:
        """A token for a person who may decide this approval."""
        link_id = uuid4().hex
        await self.db.approvallink.create(
            data={
                "id": link_id,
                "approval_id": approval.id,
                "tenant_id": principal.tenant_id,
                "user_id": principal.user_id,
            }
        )
        claims = {
            "jti": link_id,
            "dig": _short(approval),
            "aud": AUDIENCE,
            "exp": approval.expires_at + SHOWN_AFTER,
        }
        return jwt.encode(claims, await self._key(), algorithm=ALGORITHM)

    async def open(self, token: str) -> Opened:
        """The approval that a token is for.

        Raises:
            BadLink: Whatever is wrong with it.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                await self._key(),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "jti", "aud"]},
            )
        except jwt.InvalidTokenError:
            raise BadLink from None
        link = await self.db.approvallink.find_unique(where={"id": str(claims["jti"])}, include={"approval": True})
        if link is None or claims.get("dig") != _short(link.approval):
            raise BadLink
        return Opened(link, link.approval)

    async def use(self, link_id: str) -> None:
        """It has decided."""
        now = datetime.now(UTC)
        await self.db.approvallink.update_many(data={"used_at": now}, where={"id": link_id, "used_at": None})

    async def form_key(self, token: str) -> str:
        """What a form on the link's page must bring back: who never saw the page does not know it."""
        return jwt.encode({"form": token}, await self._key(), algorithm=ALGORITHM).rpartition(".")[2]

    async def _key(self) -> str:
        """The signing key, made by whoever needs it first, the same for every replica."""
        row = await self.db.serverkey.find_unique(where={"name": KEY})
        if row is None:
            try:
                row = await self.db.serverkey.create(data={"name": KEY, "key": secrets.token_urlsafe(48)})
            except UniqueViolationError:
                row = await self.db.serverkey.find_unique_or_raise(where={"name": KEY})
        return row.key


def _short(approval: Approval) -> str:
    """Binds the link to the call as it was shown; short, for the address is read and typed by people."""
    return approval.digest[:16]
