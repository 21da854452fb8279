"""Everything that `tools.yaml` names: connected, wrapped, checked against the policy."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.outside.config import OutsideToolsInvalid, load_tools_file
from agent.outside.langchain import langchain_tool
from agent.outside.wrap import OutsideSystem
from agent.policy import Policy
from tools.registry import AnyTool, catalog

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutsideTools:
    """Tools by name, and the systems in which they have their effects."""

    tools: Mapping[str, AnyTool] = field(default_factory=dict[str, AnyTool])
    systems: Mapping[str, OutsideSystem] = field(default_factory=dict[str, OutsideSystem])

    def allowed(self, policy: Policy) -> dict[str, AnyTool]:
        """Those that a capability of the policy names. One that none names is refused, and the log says so: a rule for
        all reading tools was not written with this one in mind."""
        named = {name: tool for name, tool in self.tools.items() if policy.names(name)}
        for name in sorted(set(self.tools) - set(named)):
            log.warning("outside_tool_without_policy", extra={"tool": name, "add": f"capabilities: tools: [{name}]"})
        return named


@asynccontextmanager
async def open_outside_tools(path: Path | None) -> AsyncGenerator[OutsideTools]:
    """The tools of a file, their servers running meanwhile; without a file, none.

    Raises:
        OutsideToolsInvalid: The message says which and why.
    """
    if path is None:
        yield OutsideTools()
        return
    config = load_tools_file(path)
    made: list[tuple[AnyTool, OutsideSystem]] = [langchain_tool(one) for one in config.langchain]
    async with AsyncExitStack() as stack:
        if config.mcp:
            if importlib.util.find_spec("mcp") is None:
                raise OutsideToolsInvalid(
                    f"{path}: MCP servers need the extra `community`: pip install -e '.[community]'."
                )
            from agent.outside.mcp import McpConnection

            for name, server in config.mcp.items():
                connection = McpConnection(name, server)
                await connection.start()
                stack.push_async_callback(connection.stop)
                made += [(tool, connection.system) for tool in connection.tools()]
        tools: dict[str, AnyTool] = {}
        for tool, _ in made:
            if tool.name in tools or tool.name in catalog():
                raise OutsideToolsInvalid(f"{path}: there are two tools named {tool.name!r}.")
            tools[tool.name] = tool
        yield OutsideTools(tools, {system.name: system for _, system in made})
