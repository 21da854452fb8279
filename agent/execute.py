"""From a planned call to its outcome. What a tool raises ends here: `ToolError` is for the model, the rest is a bug."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from agent.deps import Deps
from agent.ending import INTERNAL, RunStopped
from agent.events import ErrorInfo
from agent.ledger import Ledger
from agent.outcome import Outcome, failed_with, stopped, succeeded
from agent.state import PlannedCall
from prisma import Prisma
from tools.errors import InvalidArguments, TimedOut, ToolError
from tools.registry import AnyTool

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


async def execute(deps: Deps, tool: AnyTool, call: PlannedCall) -> Outcome:
    """Run a call that policy let through. Never raises; an effect that began is finished and recorded."""
    try:
        deps.scope.check()
        arguments = validate(tool, call.arguments)
        if tool.effect == "read":
            async with deps.scope.interruptible():
                result = await _run(deps, tool, call, arguments, deps.services.db)
        else:
            result = await to_its_end(_effect(deps, tool, call, arguments))
    except RunStopped as stop:
        return stopped(call.id, tool.name, stop.ending)
    except ToolError as error:
        return failed_with(call.id, tool.name, error)
    except Exception:
        log.exception("tool_bug", extra={"run_id": deps.run_id, "call_id": call.id, "tool": tool.name})
        error = ErrorInfo(code="internal", message="The tool has a bug.")
        return Outcome(call.id, tool.name, "failed", error=error, ending=INTERNAL)
    return succeeded(call.id, tool, result)


async def _effect(deps: Deps, tool: AnyTool, call: PlannedCall, arguments: BaseModel) -> BaseModel:
    ledger = Ledger(deps.services.db, deps.run_id, deps.services.clock)
    return await ledger.execute(tool, call, lambda tx: _run(deps, tool, call, arguments, tx))


async def _run(deps: Deps, tool: AnyTool, call: PlannedCall, arguments: BaseModel, db: Prisma) -> BaseModel:
    context = deps.services.tool_context(
        db=db,
        principal=deps.principal,
        run_id=deps.run_id,
        call_id=call.id,
        idempotency_key=f"{deps.run_id}:{call.id}",
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
