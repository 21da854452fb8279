"""What was changed about who may sign in, in the company's audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma


async def record(db: Prisma, tenant_id: str, *, actor: str, action: str, subject: str, **details: Any) -> None:
    """Write one entry. `subject` is an id; no secret belongs into `details`."""
    await db.auditentry.create(
        data={
            "tenant_id": tenant_id,
            "at": utc_now(),
            "actor": actor,
            "action": action,
            "subject": subject,
            "details": details,
        }
    )
