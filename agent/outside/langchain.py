"""Any LangChain `BaseTool`, langchain-community's too, as a tool of ours."""

from __future__ import annotations

import importlib
from typing import Any, cast

from agent.outside.config import LangChainTool, OutsideToolsInvalid
from agent.outside.wrap import OutsideSystem, wrap
from tools.errors import OutcomeUnknown, ToolFailed
from tools.registry import AnyTool


def langchain_tool(config: LangChainTool) -> tuple[AnyTool, OutsideSystem]:
    """The tool that `config` names, and the system of its effects.

    Raises:
        OutsideToolsInvalid: It cannot be imported or made, or is no `BaseTool`.
    """
    from langchain_core.tools import BaseTool, ToolException

    inner = _made(config)
    if not isinstance(inner, BaseTool):
        raise OutsideToolsInvalid(f"{config.name}: {config.use} is no LangChain BaseTool.")
    tool = inner

    async def call(arguments: dict[str, Any]) -> str:
        try:
            said: Any = await tool.ainvoke(arguments)
        except ToolException as error:
            raise ToolFailed(str(error)[:500]) from None
        except Exception as error:
            if config.effect == "read":
                raise ToolFailed(f"{config.name} failed ({type(error).__name__}).") from error
            raise OutcomeUnknown(f"{config.name} failed in the middle ({type(error).__name__}).") from error
        return said if isinstance(said, str) else str(said)

    schema = cast("dict[str, Any]", tool.tool_call_schema.model_json_schema())  # pyright: ignore
    system = OutsideSystem(f"langchain_{config.name}")
    wrapped = wrap(config.name, description=tool.description, schema=schema, config=config, system=system, call=call)
    return wrapped, system


def _made(config: LangChainTool) -> object:
    module_name, _, attribute = config.use.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise OutsideToolsInvalid(
            f"{config.name}: {config.use} cannot be imported ({error}). langchain-community comes with the extra "
            "`community`."
        ) from None
    if isinstance(found, type) or (callable(found) and not hasattr(found, "ainvoke")):
        try:
            return found(**config.options)
        except Exception as error:
            raise OutsideToolsInvalid(f"{config.name}: {config.use} cannot be made: {error}") from error
    return found
