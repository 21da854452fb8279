"""The engine on DBOS: work is a workflow, a step is a step. Source: https://docs.dbos.dev/python

DBOS is one a process, so this engine is. Its system database is a SQLite file beside ours, or the schema `dbos` in our
PostgreSQL. SQLite's runs with `synchronous = NORMAL`: a loss of power may lose the last records, which only means that
a step runs again, and the ledger holds effects to once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from agent.durable.base import Handler, RecordsAway, Status, WorkDiverged, WorkLost
from agent.durable.timetables import APPLICATION, WORKFLOW, DbosTimetables, following, system_url
from prisma.migrate.urls import SqliteTarget, parse_url

if TYPE_CHECKING:
    from dbos import DBOSConfig
    from sqlalchemy import Engine as SqlEngine

# DBOS takes most of a second to import: it is imported where it is used, which is never on the way to `--help`.

VERSION = "deskclerk-1"  # of what is recorded: a change of the steps' order or form needs another
SCHEDULE_INTERVAL = 5.0  # seconds until a new schedule is noticed
NOTHING_TO_HEAR = 60.0  # seconds between two looks for messages between workflows, of which we send none
BUSY_TIMEOUT = 30_000  # milliseconds that SQLite waits for a lock
CONNECTIONS = 8
IDLE_TIMEOUT = 4.0  # seconds until PostgreSQL ends a transaction of a process that stands still, and frees its locks
FORGET_AT_ONCE = 500  # pieces of work
FINISHED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

log = logging.getLogger(__name__)

_running: DbosEngine | None = None


class DbosEngine:
    """DBOS over the system database that belongs to `database_url`."""

    durable = True

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._target = parse_url(database_url)
        self._handlers: Mapping[str, Handler] = {}
        self._sql: SqlEngine | None = None
        self._timetables: DbosTimetables | None = None
        self._started = asyncio.Event()
        self._failed: Exception | None = None

    @property
    def timetables(self) -> DbosTimetables:
        if self._timetables is None:
            self._timetables = DbosTimetables(self._database_url, self._sql)
        return self._timetables

    def load(self) -> None:
        _workflow()
        _scheduled()

    async def start(self, handlers: Mapping[str, Handler], *, replica_id: str) -> None:
        """Open the system database, migrated.

        Raises:
            RuntimeError: Another engine runs in this process.
        """
        global _running  # noqa: PLW0603  DBOS itself is one a process
        if _running is not None:
            self._failed = RuntimeError("DBOS runs once in a process, and another engine has it.")
            self._started.set()
            raise self._failed
        _running = self
        self._handlers = handlers
        try:
            config = await asyncio.to_thread(self._config, replica_id)
            self._launch(config)
        except BaseException as error:
            _running = None
            self._failed = error if isinstance(error, Exception) else RuntimeError("It was not let start.")
            raise
        else:
            self._failed = None
        finally:
            self._started.set()

    async def _is_up(self) -> None:
        """Wait until it has started; raises what kept it from that."""
        await self._started.wait()
        if self._failed is not None:
            raise self._failed

    def _config(self, replica_id: str) -> DBOSConfig:
        from dbos import DBOSPortableJSONSerializer

        _workflow()
        _scheduled()
        config: DBOSConfig = {
            "name": APPLICATION,
            "executor_id": replica_id,
            "application_version": VERSION,
            "enable_otlp": False,
            "log_level": "ERROR",
            "serializer": DBOSPortableJSONSerializer(),
            "scheduler_polling_interval_sec": SCHEDULE_INTERVAL,
            "notification_listener_polling_interval_sec": NOTHING_TO_HEAR,
            "sys_db_pool_size": CONNECTIONS,
        }
        if isinstance(self._target, SqliteTarget):
            self._sql = _sqlite(self._target)
            config["system_database_engine"] = self._sql
            config["system_database_url"] = str(self._sql.url)
        else:
            config["system_database_url"] = self._target.dsn
            config["sys_db_idle_transaction_timeout_sec"] = IDLE_TIMEOUT
            _know_when_postgresql_is_away()
        return config

    def _launch(self, config: DBOSConfig) -> None:
        from dbos import DBOS

        logging.getLogger("dbos").addHandler(logging.NullHandler())  # else DBOS prints to the console by itself
        logging.getLogger("dbos").propagate = True
        DBOS(config=config)
        DBOS.launch()  # in the loop's own thread: recovered work is called in the loop that is running now

    async def stop(self) -> None:
        global _running  # noqa: PLW0603
        if _running is not self:
            return
        from dbos import DBOS

        if self._timetables is not None:
            await self._timetables.close()
            self._timetables = None
        # DBOS made its own threads the loop's, and ends them: others still have something to do.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        await asyncio.to_thread(DBOS.destroy)
        if self._sql is not None:
            self._sql.dispose()
        _running = None

    async def begin(self, handler: str, work_id: str, argument: str) -> None:
        await self._is_up()
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(work_id):
            await DBOS.start_workflow_async(_workflow(), handler, argument)

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        from dbos import DBOS, error
        from sqlalchemy.exc import DBAPIError

        async def step() -> Any:
            return await work()

        try:
            return await DBOS.run_step_async({"name": name}, step)
        except (error.DBOSWorkflowConflictIDError, error.DBOSWorkflowCancelledError) as lost:
            raise WorkLost(str(lost)) from None
        except error.DBOSUnexpectedStepError as diverged:
            raise WorkDiverged(str(diverged)) from None
        except DBAPIError as away:  # the work itself does not use SQLAlchemy
            raise RecordsAway(str(away)) from None

    async def sleep(self, seconds: float) -> None:
        from dbos import DBOS

        await DBOS.sleep_async(seconds)

    async def status(self, work_id: str) -> Status:
        await self._is_up()
        from dbos import DBOS

        found = await DBOS.get_workflow_status_async(work_id)
        if found is None:
            return "unknown"
        return "finished" if found.status in FINISHED else "unfinished"

    async def recover(self, replica_ids: Sequence[str]) -> int:
        await self._is_up()
        from dbos import DBOS

        if not replica_ids:
            return 0
        # Underscored, and the one way to name the dead: what else there is needs DBOS's own hosted control plane.
        recover = DBOS._recover_pending_workflows  # pyright: ignore[reportPrivateUsage]
        handles = await asyncio.to_thread(recover, list(replica_ids))
        return len(handles)

    async def resume(self, work_id: str) -> None:
        await self._is_up()
        from dbos import DBOS

        await DBOS.resume_workflow_async(work_id)

    async def forget(self, work_ids: Sequence[str]) -> None:
        from dbos import DBOS

        if work_ids:
            await self._is_up()
            await DBOS.delete_workflows_async(list(work_ids))

    async def forget_finished(self, *, older_than_seconds: float) -> None:
        from dbos import DBOS

        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        while True:
            found = await DBOS.list_workflows_async(
                status=list(FINISHED),
                completed_before=before.isoformat(),
                limit=FORGET_AT_ONCE,
                load_input=False,
                load_output=False,
            )
            await self.forget([workflow.workflow_id for workflow in found])
            if len(found) < FORGET_AT_ONCE:
                return


@cache
def _workflow() -> Any:
    """The one workflow, registered once: it calls the handler that it is named."""
    from dbos import DBOS

    @DBOS.workflow(name="deskclerk.work", max_recovery_attempts=None)
    async def work(handler: str, argument: str) -> None:
        engine = _running
        if engine is None:
            raise asyncio.CancelledError  # we are stopping; it stays unfinished
        await engine._handlers[handler](argument)  # pyright: ignore[reportPrivateUsage]

    return work


@cache
def _scheduled() -> Any:
    """What DBOS begins at a schedule's times: it calls the handler that the schedule names."""
    from dbos import DBOS

    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
    async def scheduled(at: str | datetime, context: dict[str, str]) -> None:
        engine = _running
        if engine is None:
            raise asyncio.CancelledError  # we are stopping; it stays unfinished
        time = at if isinstance(at, str) else at.isoformat()
        if await engine.step("superseded", lambda: _superseded(time, context)):
            log.warning("schedule_missed", extra={"at": time})
            return
        await engine._handlers[context["handler"]](f"{time} {context['argument']}")  # pyright: ignore[reportPrivateUsage]

    return scheduled


async def _superseded(time: str, context: Mapping[str, str]) -> bool:
    """Whether a later time of the same schedule has come too: then that one makes up for this one."""
    return following(context["cron"], context["timezone"], datetime.fromisoformat(time)) <= datetime.now(UTC)


@cache
def _know_when_postgresql_is_away() -> None:
    """DBOS waits for a database that is away, which it knows by psycopg's words; not by all of them.

    An operational error without an SQLSTATE did not come from the server: there was none.
    """
    from psycopg import OperationalError
    from sqlalchemy import Engine, event
    from sqlalchemy.engine import ExceptionContext

    @event.listens_for(Engine, "handle_error")
    def mark(context: ExceptionContext) -> None:  # pyright: ignore[reportUnusedFunction]  registered by the decorator
        error = context.original_exception
        if isinstance(error, OperationalError) and error.sqlstate is None:
            context.is_disconnect = True


def _sqlite(target: SqliteTarget) -> SqlEngine:
    """The system database beside a SQLite file."""
    from sqlalchemy import create_engine, event

    engine = create_engine(system_url(target), pool_size=CONNECTIONS)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:  # pyright: ignore[reportUnusedFunction]  registered by the decorator
        connection.isolation_level = "IMMEDIATE"
        for pragma in (f"busy_timeout={BUSY_TIMEOUT}", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
