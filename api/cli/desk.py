"""What a conversation needs of deskclerk, in this process or on a server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from api.cli.exits import UNAVAILABLE, Stop

if TYPE_CHECKING:
    from agent.principal import Principal
    from agent.records import StoredEvent
    from api.service import Service
    from api.settings import ApiSettings
    from prisma import Prisma

Decision = Literal["approve", "reject"]


class Desk(Protocol):
    """Takes requests. Raises `Stop` when something cannot be done."""

    async def begin_thread(self) -> str:
        """The id of a new conversation."""
        ...

    async def upload(self, path: Path) -> str:
        """The id of a file's document."""
        ...

    def run(self, thread_id: str, text: str, documents: Sequence[str]) -> AsyncIterator[StoredEvent]:
        """Start a run and read its events until it rests."""
        ...

    def resume(self, run_id: str, after: int) -> AsyncIterator[StoredEvent]:
        """Read on, from the event after sequence `after`, until the run rests again."""
        ...

    async def decide(self, approval_id: str, *, decision: Decision, digest: str, reason: str | None) -> None:
        """Decide an approval."""
        ...

    async def cancel(self, run_id: str) -> None:
        """Start nothing new in a run, and end it."""
        ...


class LocalDesk:
    """In this process."""

    def __init__(self, service: Service, settings: ApiSettings, principal: Principal) -> None:
        self._service = service
        self._settings = settings
        self._principal = principal

    @property
    def db(self) -> Prisma:
        return self._service.db

    async def begin_thread(self) -> str:
        row = await self._service.db.thread.create(
            data={"tenant_id": self._principal.tenant_id, "user_id": self._principal.user_id}
        )
        return row.id

    async def upload(self, path: Path) -> str:
        from api.documents import DocumentRefused, store_document

        try:
            row = await store_document(
                self._service.db,
                self._principal,
                name=path.name,
                content=read_file(path),
                max_bytes=self._settings.max_document_bytes,
            )
        except DocumentRefused as error:
            raise Stop(error.message, UNAVAILABLE) from None
        return row.id

    async def run(self, thread_id: str, text: str, documents: Sequence[str]) -> AsyncIterator[StoredEvent]:
        from agent.errors import AgentError

        agent = self._service.agent
        try:
            run_id = await agent.submit(thread_id=thread_id, input=text, documents=documents, principal=self._principal)
        except AgentError as error:
            raise Stop(error.message, UNAVAILABLE) from None
        async for event in agent.events(run_id):
            yield event

    def resume(self, run_id: str, after: int) -> AsyncIterator[StoredEvent]:
        return self._service.agent.events(run_id, after=after)

    async def decide(self, approval_id: str, *, decision: Decision, digest: str, reason: str | None) -> None:
        from agent.errors import AgentError

        try:
            await self._service.agent.decide(
                approval_id, decision=decision, digest=digest, reason=reason, principal=self._principal
            )
        except AgentError as error:
            raise Stop(error.message, UNAVAILABLE) from None

    async def cancel(self, run_id: str) -> None:
        from agent.errors import RunEnded

        try:
            await self._service.agent.cancel(run_id, principal=self._principal)
        except RunEnded:
            return  # it ended by itself meanwhile


@asynccontextmanager
async def open_local_desk(
    settings: ApiSettings, *, prepare: Callable[[Prisma], Awaitable[None]] | None = None
) -> AsyncGenerator[LocalDesk]:
    """A desk in this process; what takes long to open shows its progress.

    Args:
        prepare: Awaited beside the loading of the model.
    """
    from agent.principal import LOCAL
    from api.cli.progress import show_progress
    from api.service import open_service

    async with AsyncExitStack() as stack:
        with show_progress() as on_progress:
            service = await stack.enter_async_context(
                open_service(settings, on_progress=on_progress, prepare=prepare, soon=True)
            )
        yield LocalDesk(service, settings, LOCAL)


def read_file(path: Path) -> bytes:
    """The content of a file that the person named.

    Raises:
        Stop: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}", UNAVAILABLE) from None
