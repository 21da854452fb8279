"""Who decided what: every verdict of policy and guards, written in the background, never lost in silence.

A run does not wait for its audit. Entries have names made of what they are about, so that a run which is gone through
again after a crash writes none twice. They hold rules, reasons, and paths and origins of arguments; never a value.
What a person decides is written in the transaction of the decision itself (`agent/approvals.py`, `agent/effects.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from agent.digest import digest
from agent.event_store import again
from agent.principal import NOBODY, Principal
from tools.origin import Origin

if TYPE_CHECKING:
    from prisma import Prisma

log = logging.getLogger(__name__)

INTERVAL = 0.2  # seconds between two batches
BATCH = 100  # entries in one transaction
MAX_WAITING = 10_000  # entries in memory while the database is away; beyond, they go to the log instead
PATIENCE = 30.0  # seconds that a batch is tried before it goes to the log

# One statement for any number of entries, as in `agent/event_store.py`; those that are there already stay as they are.
INSERT = {
    "sqlite": """INSERT INTO "AuditEntry" ("id", "tenant_id", "at", "actor", "action", "subject", "verdict", "details")
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
               json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
               json_extract(value, '$[6]'), json_extract(value, '$[7]')
        FROM json_each(?) WHERE true ON CONFLICT ("id") DO NOTHING""",
    "postgresql": """INSERT INTO "AuditEntry"
            ("id", "tenant_id", "at", "actor", "action", "subject", "verdict", "details")
        SELECT e->>0, e->>1, (e->>2)::timestamptz AT TIME ZONE 'UTC', e->>3, e->>4, e->>5, e->>6, (e->7)::jsonb
        FROM json_array_elements($1::json) AS e ON CONFLICT ("id") DO NOTHING""",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One verdict. `subject` names what it is about: a run, or `run:call`."""

    id: str
    tenant_id: str
    at: datetime
    actor: str
    action: str
    subject: str
    verdict: str
    details: dict[str, Any]

    def row(self) -> list[Any]:
        """In the order of `INSERT`, the time as our database keeps it."""
        at = self.at.astimezone(UTC).isoformat(timespec="milliseconds")
        return [self.id, self.tenant_id, at, self.actor, self.action, self.subject, self.verdict, self.details]


@dataclass(slots=True)
class Audit:
    """The audit of this process's runs."""

    db: Prisma
    clock: Callable[[], datetime]
    _waiting: deque[Entry] = field(default_factory=deque[Entry])
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._writer = asyncio.create_task(self._write_forever(), name="audit-writer")

    async def stop(self) -> None:
        """Write what is left, and end."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait([self._writer])
            self._writer = None
        await self.flush()

    def record(self, principal: Principal, action: str, subject: str, verdict: str, details: Mapping[str, Any]) -> None:
        """Note a verdict. The same one about the same thing is noted once."""
        told = dict(details)
        name = digest(action=action, subject=subject, verdict=verdict, details=told)[:32]
        actor = principal.user_id or NOBODY
        entry = Entry(name, principal.tenant_id, self.clock(), actor, action, subject, verdict, told)
        if len(self._waiting) >= MAX_WAITING:
            _to_log(entry)
            return
        self._waiting.append(entry)
        self._wake.set()

    async def flush(self) -> None:
        """Write everything noted so far; what cannot be written goes to the log."""
        async with self._lock:
            await self._flush()

    async def _flush(self) -> None:
        while self._waiting:
            batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
            try:
                await self._write(batch)
            except Exception:  # noqa: BLE001  one that cannot be written must not cost the others
                await self._write_each(batch)
            for _ in batch:  # only now: a write that is broken off is done again by whoever flushes next
                self._waiting.popleft()

    async def _write_each(self, batch: list[Entry]) -> None:
        for entry in batch:
            try:
                await self._write([entry])
            except Exception:
                log.exception("audit_not_written")
                _to_log(entry)

    async def _write(self, batch: list[Entry]) -> None:
        rows = orjson.dumps([entry.row() for entry in batch]).decode()
        async for attempt in again(PATIENCE):
            with attempt:
                await self.db.execute_raw(INSERT[self.db.engine.provider], rows)

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.flush()
            await asyncio.sleep(INTERVAL)


def shown_origins(origins: Mapping[str, str]) -> dict[str, str]:
    """Paths and origins of arguments. Of a page only where it is: what follows in its address may be a secret."""
    return {path: _plain(Origin.parse(origin)) for path, origin in origins.items()}


def _plain(origin: Origin) -> str:
    if origin.kind != "web":
        return str(origin)
    scheme, slashes, address = origin.detail.partition("?")[0].partition("#")[0].rpartition("://")
    return str(Origin("web", scheme + slashes + address.rpartition("@")[2]))


def _to_log(entry: Entry) -> None:
    fields = {name: getattr(entry, name) for name in entry.__slots__}
    log.error("audit_entry_not_written", extra={"entry": {**fields, "at": entry.at.isoformat()}})
