"""Works on one stretch of a run: opens it, takes it through the graph, brings it to rest."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import structlog

from agent.deps import Deps, Services
from agent.durable.base import DurableError, RecordsAway, WorkDiverged
from agent.emitter import Barrier, Emitted
from agent.ending import CANCELLED, INTERNAL, INTERRUPTED, NOT_ALLOWED, Ending
from agent.event_log import RunLog
from agent.observer import RunBegan
from agent.opening import Opening
from agent.principal import NOBODY
from agent.resting import Resting
from agent.steps import HandedOver, MoreFollows
from agent.work import Opened, Work
from prisma.errors import DatabaseConnectionError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stretches:
    """Works on stretches of runs that have their place."""

    services: Services
    opening: Opening
    resting: Resting

    async def work_on(self, work: Work) -> None:
        """Until the run rests.

        Raises:
            MoreFollows: The engine must hear of it first.
            WorkLost, HandedOver, RecordsAway: It goes on later or elsewhere.
        """
        if work.after_head is not None:
            await self._drive(work, replace(work.after_head[0], head=work.head), work.after_head[1])
            return
        opened = self.opening.nothing()
        try:
            await self.opening.open(work, opened)
        except WorkDiverged:
            log.exception("run_given_up", extra={"run_id": work.run_id})
            await self.end(work, opened, INTERRUPTED)
        except (DurableError, HandedOver):
            raise
        except DatabaseConnectionError as away:
            raise RecordsAway(str(away)) from None
        except Exception:
            log.exception("run_not_begun", extra={"run_id": work.run_id})
            await self.end(work, opened, INTERNAL)
        else:
            if opened.deps is None:
                await self.end(work, opened, NOT_ALLOWED)
                return
            self._tell_began(work, opened)
            await self._drive(work, opened.deps, opened)

    def _tell_began(self, work: Work, opened: Opened) -> None:
        resumed = work.stretch > 0 or work.attempt > 1
        asked = next((message.content for message in opened.state["messages"] if message.role == "user"), "")
        self.services.observer.run_began(
            RunBegan(work.run_id, work.thread_id, opened.principal, self.services.backend.name, asked, resumed)
        )

    async def _drive(self, work: Work, deps: Deps, opened: Opened) -> None:
        structlog.contextvars.bind_contextvars(
            run_id=work.run_id, tenant_id=deps.principal.tenant_id, user_id=deps.principal.user_id or NOBODY
        )
        from agent.graph import run_turn  # LangGraph loads for most of a second: `start` does that beside the model

        while True:
            try:
                async for item in run_turn(opened.state, deps):
                    if isinstance(item, Emitted):
                        work.log.append(item.type, item.data)
                        await work.log.keep_up()
                    elif isinstance(item, Barrier):
                        await _pass(item, work.log)
                    else:
                        opened.state = item
            except WorkDiverged:
                log.exception("run_given_up", extra={"run_id": work.run_id})
                opened.state["ending"] = INTERRUPTED
            except MoreFollows:
                work.after_head = deps, opened
                raise
            except (DurableError, HandedOver):
                raise
            except Exception:
                log.exception("graph_bug", extra={"run_id": work.run_id})
                opened.state["ending"] = INTERNAL
            if work.scope.ending is CANCELLED:  # it came when the run was about to wait; an interruption lets it wait
                opened.state["ending"] = opened.state["ending"] or CANCELLED
            if await self.resting.rest(work, opened):
                return

    async def end(self, work: Work, opened: Opened, ending: Ending) -> None:
        """End it so, as far as it was opened."""
        opened.state["ending"] = ending
        await self.resting.rest(work, opened)


async def _pass(barrier: Barrier, run_log: RunLog) -> None:
    try:
        await run_log.stored_by_now()
    except Exception as error:  # noqa: BLE001  told to whoever waits at the barrier
        if not barrier.stored.done():
            barrier.stored.set_exception(error)
    else:
        if not barrier.stored.done():
            barrier.stored.set_result(None)
