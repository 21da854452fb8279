"""What a principal may see and touch. The one place that decides it: routes and the agent ask here.

* Everybody sees what is theirs. Where nobody signs in (`user_id` is None), that is what belongs to nobody.
* An `approver` also sees every approval of the company; of its runs, those that wait for one and those about which they
  decided; of the ledger, effects whose outcome is unknown and those that they settled.
* An `admin` sees everything of the company.
* Documents that an admin shares are everybody's to read and attach.

What cannot be seen is not found: another company's, another user's and what never was answer the same. What can be seen
and not be done is forbidden. docs/access-and-limits.md has the whole table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import Forbidden, NotYours, SelfApproval
from agent.policy import DECIDES
from agent.principal import Principal, Role, narrow

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.types import (
        ApprovalWhereInput,
        AuditEntryWhereInput,
        DocumentWhereInput,
        EffectWhereInput,
        RunWhereInput,
        ThreadWhereInput,
    )


def is_admin(principal: Principal) -> bool:
    """Everything of the company is theirs to see."""
    return "admin" in principal.roles


def decides(principal: Principal) -> bool:
    """May decide approvals and settle effects."""
    return bool(principal.roles & DECIDES)


# ------------------------------------------------------------ what can be seen


def threads(principal: Principal) -> ThreadWhereInput:
    """Conversations; those that are being deleted are gone for everybody."""
    company: ThreadWhereInput = {"tenant_id": principal.tenant_id, "deleted_at": None}
    return company if is_admin(principal) else {**company, "user_id": principal.user_id}


def runs(principal: Principal) -> RunWhereInput:
    """Runs: to read them and their events."""
    company: RunWhereInput = {"tenant_id": principal.tenant_id}
    if is_admin(principal):
        return company
    if not decides(principal):
        return {**company, "user_id": principal.user_id}
    asked: list[ApprovalWhereInput] = [{"status": "pending"}]
    if principal.user_id is not None:
        asked.append({"decided_by_id": principal.user_id})
    return {**company, "OR": [{"user_id": principal.user_id}, {"approvals": {"some": {"OR": asked}}}]}


def approvals(principal: Principal) -> ApprovalWhereInput:
    """Approvals: whoever decides sees the company's, everybody else those of their own runs."""
    company: ApprovalWhereInput = {"tenant_id": principal.tenant_id}
    return company if decides(principal) else {**company, "run": {"is": {"user_id": principal.user_id}}}


def effects(principal: Principal) -> EffectWhereInput:
    """The ledger."""
    company: EffectWhereInput = {"run": {"is": {"tenant_id": principal.tenant_id}}}
    if is_admin(principal):
        return company
    mine: EffectWhereInput = {"run": {"is": {"tenant_id": principal.tenant_id, "user_id": principal.user_id}}}
    if not decides(principal):
        return mine
    unknown: EffectWhereInput = {**company, "status": "needs_reconcile"}
    settled: EffectWhereInput = {**company, "settled_by": principal.user_id}
    return {"OR": [mine, unknown, settled] if principal.user_id is not None else [mine, unknown]}


def documents(principal: Principal) -> DocumentWhereInput:
    """Documents: to list them, to attach them, and for the tools of this principal's runs to read."""
    company: DocumentWhereInput = {"tenant_id": principal.tenant_id}
    return company if is_admin(principal) else {**company, "OR": [{"user_id": principal.user_id}, {"shared": True}]}


def audit(principal: Principal) -> AuditEntryWhereInput:
    """The company's audit.

    Raises:
        Forbidden: It is for admins.
    """
    if not is_admin(principal):
        raise Forbidden("Only an admin may read the audit.")
    return {"tenant_id": principal.tenant_id}


def owns(principal: Principal, user_id: str | None) -> bool:
    """What belongs to `user_id` in the principal's company is theirs."""
    return principal.user_id == user_id


# ------------------------------------------------------------ what can be done with what is seen


def check_change(principal: Principal, user_id: str | None, *, what: str) -> None:
    """To cancel or delete what belongs to `user_id`.

    Raises:
        Forbidden: It is somebody else's, and the principal no admin.
    """
    if not (is_admin(principal) or owns(principal, user_id)):
        raise Forbidden(f"This {what} is somebody else's.")


def check_speak(principal: Principal, user_id: str | None) -> None:
    """To ask for something in the conversation of `user_id`: an admin who did would lend its words their roles.

    Raises:
        NotYours: It is somebody else's.
    """
    if not owns(principal, user_id):
        raise NotYours("This conversation is somebody else's: read it, and begin one of your own.")


def check_share(principal: Principal) -> None:
    """To give a document to everybody in the company.

    Raises:
        Forbidden: It is for admins.
    """
    if not is_admin(principal):
        raise Forbidden("Only an admin may share a document.")


def check_decide(principal: Principal, asked_by: str | None, *, approve: bool, self_approval: bool) -> None:
    """To decide an approval of a run that `asked_by` asked for. Anybody who decides may reject.

    Args:
        self_approval: Whoever asked may approve too; where nobody signs in there is only one of them.

    Raises:
        Forbidden: The role may not.
        SelfApproval: They asked for it themselves, and that is not allowed here.
    """
    if not decides(principal):
        raise Forbidden("This role may not decide approvals.")
    if approve and not self_approval and asked_by is not None and owns(principal, asked_by):
        raise SelfApproval("Whoever asked for it may not approve it: somebody else decides.")


# ------------------------------------------------------------ what holds now


async def roles_now(db: Prisma, principal: Principal) -> frozenset[Role]:
    """The roles that the user has at this moment, within the scopes of the key that asked: none when disabled or gone.
    Where nobody signs in, what was there."""
    if principal.user_id is None:
        return principal.roles
    row = await db.user.find_first(
        where={"id": principal.user_id, "tenant_id": principal.tenant_id, "disabled_at": None}, include={"roles": True}
    )
    if row is None:
        return frozenset()
    return narrow(frozenset(held.role.value for held in row.roles or ()), principal.scopes)
