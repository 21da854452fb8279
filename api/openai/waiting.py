"""What waits for a person, told in a chat that knows no approvals: each call, a code to answer with, a link."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from agent.digest import digest
from agent.principal import Principal
from api.approval_links.links import ApprovalLinks
from api.approval_links.words import EFFECTS, is_doubtful, origin_words, rows

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Approval

LONGEST = 2_000  # characters of a call; one that is longer is looked at on its page, and has no code
CODE_LENGTH = 6  # hexadecimal digits; a code tells calls of one conversation apart, it is no secret
_APPROVE = re.compile(r"\A\s*approve\s+`?(?P<code>[0-9a-f]{6})`?[.!]?\s*\Z", re.IGNORECASE)
_REJECT = re.compile(
    r"\A\s*reject\s+`?(?P<code>[0-9a-f]{6})`?(?:[.!]?|[,;:]?\s+(?:because\s+)?(?P<reason>\S.*?)[.!]?)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_CANCEL = re.compile(r"\A\s*cancel[.!]?\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole of a message that decides."""

    decision: Literal["approve", "reject"]
    code: str
    reason: str | None


def parse_reply(text: str) -> Reply | None:
    """`approve 7f3a9c` or `reject 7f3a9c because it was paid`; None for anything else.

    A reason is for rejections only: "approve 7f3a9c but only half" must not be taken for an approval.
    """
    if (approved := _APPROVE.match(text)) is not None:
        return Reply("approve", approved["code"].lower(), None)
    if (rejected := _REJECT.match(text)) is not None:
        return Reply("reject", rejected["code"].lower(), rejected["reason"])
    return None


def is_cancel(text: str) -> bool:
    """Whether a message calls off what waits."""
    return _CANCEL.match(text) is not None


def code_of(approval: Approval) -> str:
    """The code of exactly this call: another argument gives another one."""
    return digest(approval=approval.id, digest=approval.digest)[:CODE_LENGTH]


async def pending(db: Prisma, run_id: str) -> list[Approval]:
    """What the run waits for, in the order in which it was asked."""
    return await db.approval.find_many(where={"run_id": run_id, "status": "pending"}, order={"created_at": "asc"})


async def tell(
    db: Prisma, principal: Principal, approvals: Sequence[Approval], *, public_url: str, may_approve: bool
) -> str:
    """The message. Only who may approve gets codes and links."""
    links = ApprovalLinks(db)
    parts = ["**This waits for a person's decision. Nothing of it has been done.**"]
    for approval in approvals:
        lines = [f"`{approval.tool}` ({EFFECTS[approval.effect.value]})"]
        for path, value, origin in rows(
            cast("dict[str, Any]", approval.arguments), cast("dict[str, str]", approval.origins)
        ):
            mark = " \u26a0" if is_doubtful(origin) else ""
            lines.append(f"- {path}: {_code(value)}, from {_code(origin_words(origin))}{mark}")
        expires = f"It can be decided until {approval.expires_at:%Y-%m-%d %H:%M} UTC."
        if may_approve:
            code = code_of(approval)
            token = await links.make(approval, principal)
            long = sum(map(len, lines)) > LONGEST
            lines = [lines[0], "- (too long to be shown here)", ""] if long else [*lines, ""]
            if not long:
                lines.append(f"Reply `approve {code}` or `reject {code} because ...`.")
            lines.append(f"{'Look' if long else 'Or look'} at it and decide here, once: {public_url}/approvals/{token}")
            lines.append(expires)
        else:
            lines.append("")
            lines.append(f"You may not approve this; somebody else with the role approver or admin may. {expires}")
        parts.append("\n".join(lines))
    parts.append("Reply `cancel` to call the request off.")
    return "\n\n".join(parts)


def _code(value: str) -> str:
    """As a code span: nothing in it is read as markup, so no picture is fetched and no link is made."""
    return "`" + (value.replace("`", "'") or " ") + "`"
