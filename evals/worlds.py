"""Companies to try cases in: each a SQLite file with an agent over it, put back to its beginning between two tries.

To migrate, seed, connect and start an agent takes two seconds the first time and 15 ms again; to write the rows back
takes one. So a world is made once for each try that may be under way at once. Rows are written, not pages copied: after
a backup into it SQLite has every other connection read the schema and prepare its statements again, 4 ms a try.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any, Self

from agent.llm.base import Backend, Deltas, OnProgress, ToolSpec
from agent.messages import ChatMessage
from agent.policy import Policy
from agent.service import Agent
from agent.settings import AgentSettings
from evals.state import NOW, State, state_of
from prisma import Prisma
from prisma.migrate.apply import migrate
from tools.seed import seed
from tools.settings import ToolSettings, create_invoices

TRIES_TO_RESET = 20  # of a database that is being written to, with `PAUSE` between two
PAUSE = 0.05  # seconds
_TABLES = ("Customer", "Product", "PurchaseOrder", "Invoice", "InvoiceLine", "Payment")


class Switch:
    """The backend of a world's agent: whichever the try under way brings."""

    def __init__(self, backend: Backend) -> None:
        self.now = backend

    @property
    def name(self) -> str:
        return self.now.name

    @property
    def digest(self) -> str:
        return self.now.digest

    @property
    def native_tools(self) -> bool:
        return self.now.native_tools

    @property
    def context_tokens(self) -> int:
        return self.now.context_tokens

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        """Whoever owns the backend starts it."""

    async def stop(self) -> None:
        """And stops it."""

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> Deltas:
        return self.now.stream(messages, tools=tools, schema=schema, max_tokens=max_tokens, seed=seed)


class World:
    """One company and its agent."""

    def __init__(self, path: Path, db: Prisma, agent: Agent, backend: Switch) -> None:
        self.db, self.agent, self.backend = db, agent, backend
        self._file = sqlite3.connect(path, timeout=5.0, isolation_level=None, cached_statements=256)
        self._file.execute("PRAGMA synchronous = OFF")  # a world that is lost with its machine is made anew
        beginning = path.with_suffix(".beginning")
        with closing(sqlite3.connect(beginning)) as copy:
            self._file.backup(copy)
        self._file.execute("ATTACH ? AS beginning", (str(beginning),))
        tables = self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        self._put_back = [
            statement
            for (name,) in tables
            for statement in (
                f'DELETE FROM main."{name}"',  # noqa: S608 - ours, as is the next
                f'INSERT INTO main."{name}" SELECT * FROM beginning."{name}"',  # noqa: S608
            )
        ]
        self.state = State()
        self._fresh = True
        self._records = _records(self._file)

    async def begin(self) -> None:
        """Put everything back as it was after seeding."""
        if self._fresh:
            self.state = await state_of(self.db)
            self._fresh = False
            return
        for attempt in range(1, TRIES_TO_RESET + 1):
            try:
                self._file.execute("BEGIN IMMEDIATE")
                for statement in self._put_back:
                    self._file.execute(statement)
                self._file.commit()
                return
            except sqlite3.OperationalError:  # the agent's heartbeat is writing
                self._file.rollback()
                if attempt == TRIES_TO_RESET:
                    raise
                await asyncio.sleep(PAUSE)

    async def state_now(self) -> State:
        """What `state_of` tells; where no record differs from the beginning, without asking (0.3 instead of 2 ms)."""
        return self.state if _records(self._file) == self._records else await state_of(self.db)

    def close(self) -> None:
        self._file.close()


def _records(file: sqlite3.Connection) -> list[list[Any]]:
    """Every row that `State` is made of."""
    return [file.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2').fetchall() for table in _TABLES]  # noqa: S608 - ours


class Worlds:
    """As many worlds as tries may be under way; each is lent to one try at a time."""

    def __init__(
        self, folder: Path, settings: AgentSettings, backend: Backend, *, size: int, policy: Policy | None
    ) -> None:
        self._folder, self._backend = folder, backend
        self._settings = settings.model_copy(update={"webhook_url": ""})  # nobody is told of what is only tried
        self._policy = policy
        self._made = 0
        self._size = size
        self._free: asyncio.LifoQueue[World] = asyncio.LifoQueue()
        self._stack = AsyncExitStack()
        self._template: Path | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def lend(self) -> AsyncGenerator[World]:
        """A company as it is at the beginning."""
        world = await self._take()
        try:
            await world.begin()
            yield world
        except BaseException:
            async with self._lock:  # what a broken-off try still does must not meet the next one
                self._made -= 1
            raise
        else:
            self._free.put_nowait(world)

    async def _take(self) -> World:
        async with self._lock:
            if self._free.empty() and self._made < self._size:
                self._made += 1
                return await self._stack.enter_async_context(self._new())
        return await self._free.get()

    @asynccontextmanager
    async def _new(self) -> AsyncGenerator[World]:
        if self._template is None:
            self._template = await make_template(self._folder)
        path = self._folder / f"world-{len(list(self._folder.glob('world-*.db')))}.db"
        path.write_bytes(self._template.read_bytes())
        async with connected(path) as db:
            switch = Switch(self._backend)
            agent = Agent.create(
                self._settings,
                db=db,
                backend=switch,
                invoices=create_invoices(ToolSettings(invoicing="ledger")),
                clock=lambda: NOW,
                policy=self._policy,
            )
            await agent.start()
            world = World(path, db, agent, switch)
            try:
                yield world
            finally:
                world.close()
                await agent.stop(grace=0.0)


async def make_template(folder: Path) -> Path:
    """A migrated, seeded SQLite database to copy."""
    path = folder / "template.db"
    await migrate(f"file:{path}")
    async with connected(path) as db:
        await seed(db, now=NOW)
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()
    return path


@asynccontextmanager
async def connected(path: Path) -> AsyncGenerator[Prisma]:
    db = Prisma(url=f"file:{path}")
    await db.connect()
    try:
        yield db
    finally:
        await db.disconnect()
