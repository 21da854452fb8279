"""What a tool is given besides its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tools.system import Attempt

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.types import DocumentWhereInput
    from tools.invoicing import Invoices
    from tools.search import Search
    from tools.web import WebClient


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ToolContext:
    """One call's surroundings.

    `db` is bound to the transaction in which the effect is recorded, so a local effect and its record commit together.
    `idempotency_key` is the call's own: the same for every attempt at it, different for every other call. `attempt`
    matters to adapters of outside systems only: see `tools/system.py`. For their effects `db` is no transaction.
    """

    db: Prisma
    tenant_id: str
    run_id: str
    call_id: str
    idempotency_key: str
    invoices: Invoices
    user_id: str | None = None
    search: Search | None = None
    web: WebClient | None = None
    attempt: Attempt = "first"
    now: Callable[[], datetime] = field(default=utc_now)
    documents: DocumentWhereInput | None = None

    def readable_documents(self) -> DocumentWhereInput:
        """Those that this call may read: what it was told, else what any user of the company could."""
        if self.documents is not None:
            return self.documents
        return {"tenant_id": self.tenant_id, "OR": [{"user_id": self.user_id}, {"shared": True}]}
