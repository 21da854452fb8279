"""From a planned call to its outcome. What a tool raises ends here: `ToolError` is for the model, the rest is a bug."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from agent.deps import Deps, Record
from agent.durable.base import DurableError
from agent.emitter import Emitter
from agent.ending import INTERNAL, INTERRUPTED, RunStopped
from agent.event_store import again
from agent.events import ErrorInfo
from agent.ledger import Ledger
from agent.observer import ToolCalled
from agent.outcome import Outcome, failed_with, stopped, succeeded
from agent.state import PlannedCall
from agent.steps import recorded
from prisma import Prisma
from prisma.errors import DatabaseConnectionError
from tools.errors import InvalidArguments, TimedOut, ToolError
from tools.registry import AnyTool
from tools.system import Attempt

log = logging.getLogger(__name__)

MAX_COMPLAINTS = 5  # about the arguments of one call

T = TypeVar("T")


def validate(tool: AnyTool, arguments: dict[str, Any]) -> BaseModel:
    """The arguments as the tool takes them.

    Raises:
        InvalidArguments: Says in a line each what is wrong.
    """
    try:
        return tool.arguments.model_validate_json(orjson.dumps(arguments))
    except ValidationError as error:
        complaints = [
            f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise InvalidArguments("; ".join(complaints[:MAX_COMPLAINTS])) from None


async def execute(deps: Deps, emitter: Emitter, tool: AnyTool, call: PlannedCall) -> Outcome:
    """Run a call that policy let through, once: after a crash its recorded outcome is returned.

    Raises:
        HandedOver: The process stops, and the call did not run.
        WorkLost, WorkDiverged: See `agent/durable/base.py`.
    """

    async def work() -> Record:
        began_ns, began = time.time_ns(), time.perf_counter()
        outcome = await _outcome(deps, tool, call)
        deps.services.observer.tool_called(
            ToolCalled(
                run_id=deps.run_id,
                call_id=call.id,
                tool=tool.name,
                effect=tool.effect,
                began_ns=began_ns,
                seconds=time.perf_counter() - began,
                status=outcome.status,
                error=outcome.error.code if outcome.error is not None else None,
            )
        )
        return outcome.record()

    record = await recorded(deps, emitter, f"{tool.name} {call.id}", work)
    return Outcome.load(call.id, tool, record)


async def _outcome(deps: Deps, tool: AnyTool, call: PlannedCall) -> Outcome:
    """Run it. An effect that began is finished and recorded."""
    try:
        deps.scope.check()
        arguments = validate(tool, call.arguments)
        if tool.effect == "read":
            async with deps.scope.interruptible():
                result = await _read(deps, tool, call, arguments)
        else:
            result = await to_its_end(_effect(deps, tool, call, arguments))
    except RunStopped as stop:
        if stop.ending is INTERRUPTED and deps.services.engine.durable:
            raise
        return stopped(call.id, tool.name, stop.ending)
    except ToolError as error:
        return failed_with(call.id, tool.name, error)
    except (DurableError, DatabaseConnectionError):
        raise  # nobody's fault: it goes on elsewhere, or when the database is back
    except Exception:
        log.exception("tool_bug", extra={"run_id": deps.run_id, "call_id": call.id, "tool": tool.name})
        error = ErrorInfo(code="internal", message="The tool has a bug.")
        return Outcome(call.id, tool.name, "failed", error=error, ending=INTERNAL)
    return succeeded(call.id, tool, result)


async def _read(deps: Deps, tool: AnyTool, call: PlannedCall, arguments: BaseModel) -> BaseModel:
    """A read may be repeated: while the database is away or busy it waits."""
    async for trial in again():
        with trial:
            return await _run(deps, tool, call, arguments, deps.services.db)
    raise AssertionError("the last attempt returns or raises")


async def _effect(deps: Deps, tool: AnyTool, call: PlannedCall, arguments: BaseModel) -> BaseModel:
    services = deps.services
    ledger = Ledger(services.db, deps.run_id, services.clock, attempt=deps.attempt)

    async def run(db: Prisma, attempt: Attempt) -> BaseModel:
        return await _run(deps, tool, call, arguments, db, attempt=attempt)

    return await ledger.execute(tool, call, run, system=services.system_of(tool))


async def _run(
    deps: Deps, tool: AnyTool, call: PlannedCall, arguments: BaseModel, db: Prisma, *, attempt: Attempt = "first"
) -> BaseModel:
    context = deps.services.tool_context(
        db=db,
        principal=deps.principal,
        run_id=deps.run_id,
        call_id=call.id,
        idempotency_key=f"{deps.run_id}:{call.id}",
        attempt=attempt,
    )
    timeout = asyncio.timeout(tool.timeout)
    try:
        async with timeout:
            return await tool.run(arguments, context)
    except TimeoutError:
        if timeout.expired():
            raise TimedOut(f"{tool.name} did not finish within {tool.timeout:g} seconds.") from None
        raise


async def to_its_end(work: Awaitable[T]) -> T:
    """Await `work`; when we are cancelled meanwhile, it ends first."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if error := task.exception():
            log.warning("effect_failed_while_cancelled", exc_info=error)
        raise
