"""`deskclerk schedule ...`, on a server or on the database of DATABASE_URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from api.cli.desk import read_file
from api.cli.exits import INTERRUPTED, UNAVAILABLE, Stop

if TYPE_CHECKING:
    import httpx

    from agent.schedules import Schedule, Schedules
    from api.settings import ApiSettings
    from prisma import Prisma


class Plan(Protocol):
    """The schedules, here or on a server. Raises `Stop`."""

    async def add(self, name: str, cron: str, request: str, documents: Sequence[Path], timezone: str) -> Schedule: ...
    async def list(self) -> Sequence[Schedule]: ...
    async def get(self, name: str) -> Schedule: ...
    async def remove(self, name: str) -> None: ...


def add(name: str, cron: str, request: str, *, documents: Sequence[Path], timezone: str, url: str | None) -> None:
    """Add a schedule and print it."""

    async def work() -> None:
        async with open_plan(url) as plan:
            print((await plan.add(name, cron, request, documents, timezone)).model_dump_json())

    asyncio.run(work())


def list_schedules(*, url: str | None) -> None:
    """Print the schedules, one JSON object a line."""

    async def work() -> None:
        async with open_plan(url) as plan:
            for schedule in await plan.list():
                print(schedule.model_dump_json())

    asyncio.run(work())


def remove(name: str, *, url: str | None) -> None:
    """Remove a schedule."""

    async def work() -> None:
        async with open_plan(url) as plan:
            await plan.remove(name)

    asyncio.run(work())
    print(f"removed {name}")


def run(name: str, *, url: str | None, yes: bool, as_json: bool) -> int:
    """Make a schedule's request now. Returns the exit code, as `chat` does."""
    from api.cli.chatting import choose_approver, choose_printer, open_desk
    from api.cli.conversation import Conversation

    async def work() -> int:
        async with open_plan(url) as plan:
            schedule = await plan.get(name)
        async with open_desk(url) as desk:
            conversation = Conversation(desk, choose_printer(as_json), choose_approver(yes=yes))
            return (await conversation.ask(schedule.input, schedule.documents)).exit_code

    try:
        return asyncio.run(work())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED


@asynccontextmanager
async def open_plan(url: str | None) -> AsyncGenerator[Plan]:
    """The schedules of the server at `url`, or of the database of DATABASE_URL."""
    if url is not None:
        from api.cli.remote import connect

        async with connect(url) as client:
            yield RemotePlan(client)
        return
    from agent.durable.timetables import DbosTimetables
    from agent.errors import AgentError
    from agent.schedules import Schedules
    from api.service import open_database
    from api.settings import ApiSettings
    from tools.context import utc_now

    settings = ApiSettings()
    async with open_database(settings.database_url) as db:
        timetables = DbosTimetables(settings.database_url)
        await timetables.migrate()
        try:
            yield LocalPlan(db, settings, Schedules(db, lambda: timetables, utc_now))
        except AgentError as error:
            raise Stop(f"{error.message} ({error.code})", UNAVAILABLE) from None
        finally:
            await timetables.close()


class LocalPlan:
    """In the database; servers that use it notice within seconds."""

    def __init__(self, db: Prisma, settings: ApiSettings, schedules: Schedules) -> None:
        from agent.principal import LOCAL

        self._db = db
        self._settings = settings
        self._schedules = schedules
        self._principal = LOCAL

    async def add(self, name: str, cron: str, request: str, documents: Sequence[Path], timezone: str) -> Schedule:
        ids = [await self._store(path) for path in documents]
        return await self._schedules.add(
            name, cron=cron, timezone=timezone, input=request, documents=ids, principal=self._principal
        )

    async def _store(self, path: Path) -> str:
        from api.documents import DocumentRefused, store_document

        content, limit = read_file(path), self._settings.max_document_bytes
        try:
            row = await store_document(self._db, self._principal, name=path.name, content=content, max_bytes=limit)
        except DocumentRefused as error:
            raise Stop(error.message, UNAVAILABLE) from None
        return row.id

    async def list(self) -> Sequence[Schedule]:
        return await self._schedules.list(principal=self._principal)

    async def get(self, name: str) -> Schedule:
        return await self._schedules.get(name, principal=self._principal)

    async def remove(self, name: str) -> None:
        await self._schedules.remove(name, principal=self._principal)


class RemotePlan:
    """On a running server."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def add(self, name: str, cron: str, request: str, documents: Sequence[Path], timezone: str) -> Schedule:
        from api.cli.remote import RemoteDesk

        desk = RemoteDesk(self._client)
        ids = [await desk.upload(path) for path in documents]
        body = {"name": name, "cron": cron, "timezone": timezone, "input": request, "documents": ids}
        return _schedule(await self._ask("POST", "", json=body))

    async def list(self) -> Sequence[Schedule]:
        return [_schedule(one) for one in (await self._ask("GET", ""))["data"]]

    async def get(self, name: str) -> Schedule:
        return _schedule(await self._ask("GET", f"/{name}"))

    async def remove(self, name: str) -> None:
        await self._ask("DELETE", f"/{name}")

    async def _ask(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        from api.cli.remote import request_json

        return await request_json(self._client, method, f"/v1/schedules{path}", **kwargs)


def _schedule(body: dict[str, Any]) -> Schedule:
    from agent.schedules import Schedule

    return Schedule.model_validate(body)
