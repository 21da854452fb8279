"""Calling a tool whose effect is outside our database, as the ledger of effects does: again while nobody knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from tests.support.tool_calls import call
from tools.context import ToolContext
from tools.errors import OutcomeUnknown

ATTEMPTS = 4
FIRST_PAUSE = 0.05  # seconds, doubled each time


async def until_known(name: str, ctx: ToolContext, **arguments: Any) -> Any:
    """The result of the call, made again with the same key as long as its outcome is unknown.

    Raises:
        ToolError: What the call said in the end.
    """
    for number in range(ATTEMPTS):
        try:
            return await call(name, replace(ctx, attempt="again" if number else "first"), **arguments)
        except OutcomeUnknown:
            if number == ATTEMPTS - 1:
                raise
            await asyncio.sleep(FIRST_PAUSE * 2**number)
    raise AssertionError("the last attempt returns or raises")
