"""The tools of an MCP server, over standard input and output or streamable HTTP, as tools of ours.

What a server says of its tools is advice from a stranger: the effect is ours to say, and name, description and schema
are pinned by digest. A server that changes them later has its tool refused until somebody has looked.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from agent.outside.config import McpServer, McpTool, OutsideToolsInvalid, from_environment
from agent.outside.wrap import OutsideSystem, wrap
from tools.errors import OutcomeUnknown, ToolFailed, Unavailable
from tools.registry import AnyTool

if TYPE_CHECKING:
    from mcp import ClientSession
    from mcp.types import Tool as Described

log = logging.getLogger(__name__)

START_TIMEOUT = 30.0  # seconds for a server to begin and to tell its tools
FIRST_RETRY, LONGEST_RETRY = 0.5, 30.0  # seconds
MAX_PAGES = 20  # of the list of tools
TIMED_OUT = 408  # the client's own word too
CONNECTION_CLOSED = -32000  # JSON-RPC: the client's own word for a connection that ended while it waited


def digest_of(name: str, description: str, schema: dict[str, Any]) -> str:
    """What pins a tool."""
    text = json.dumps([name, description, schema], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class McpConnection:
    """A server and its tools, for as long as we run: started, watched, started again when it dies."""

    def __init__(self, name: str, config: McpServer) -> None:
        self.name = name
        self._config = config
        self._session: ClientSession | None = None
        self._described: dict[str, Described] = {}
        self._first: asyncio.Future[None] | None = None
        self._broken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start and connect.

        Raises:
            OutsideToolsInvalid: It does not begin.
        """
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep(), name=f"mcp-{self.name}")
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await asyncio.shield(self._first)
        except Exception as error:
            await self.stop()
            why = "does not answer in time" if isinstance(error, TimeoutError) else f"does not begin: {_reason(error)}"
            raise OutsideToolsInvalid(f"mcp.{self.name}: the server {why}.") from error

    async def stop(self) -> None:
        """End it; a process of ours with it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def tools(self) -> list[AnyTool]:
        """The configured ones.

        Raises:
            OutsideToolsInvalid: One is not there, or not pinned to what it is now. All that is wrong is told at once.
        """
        wrapped: list[AnyTool] = []
        complaints: list[str] = []
        for name, config in self._config.tools.items():
            described = self._described.get(name)
            where = f"mcp.{self.name}.tools.{name}"
            if described is None:
                complaints.append(f"{where}: the server has no such tool; it has {', '.join(sorted(self._described))}.")
                continue
            digest = _digest(described)
            if config.digest != digest:
                said = "names no `digest`" if config.digest is None else "has changed since its digest was written down"
                complaints.append(f"{where}: {said}. Read what it says of itself now, then pin it with {digest}.")
                continue
            self._warn(name, config, described)
            wrapped.append(self._wrap(name, config, described))
        if complaints:
            raise OutsideToolsInvalid("\n".join(complaints))
        return wrapped

    @property
    def system(self) -> OutsideSystem:
        return OutsideSystem(f"mcp_{self.name}")

    def _wrap(self, name: str, config: McpTool, described: Described) -> AnyTool:
        async def call(arguments: dict[str, Any]) -> str:
            return await self._call(name, config, arguments)

        return wrap(
            f"{self.name}__{name.replace('-', '_')}",
            description=described.description or "",
            schema=described.inputSchema,
            config=config,
            system=self.system,
            call=call,
        )

    def _warn(self, name: str, config: McpTool, described: Described) -> None:
        hints = described.annotations
        if config.effect == "read" and hints is not None and (hints.readOnlyHint is False or hints.destructiveHint):
            log.warning("mcp_tool_may_change_things", extra={"server": self.name, "tool": name})

    # ------------------------------------------------------------ calls

    async def _call(self, name: str, config: McpTool, arguments: dict[str, Any]) -> str:
        from mcp.shared.exceptions import McpError
        from mcp.types import TextContent

        session = self._session
        if session is None:
            raise Unavailable(f"The server {self.name} is not there now.")
        described = self._described.get(name)
        if described is None or _digest(described) != config.digest:
            raise ToolFailed(f"{name} of {self.name} is not what it was when it was allowed; an operator must look.")
        try:
            result = await session.call_tool(
                name, arguments, read_timeout_seconds=timedelta(seconds=config.timeout + 1.0)
            )
        except McpError as error:
            if error.error.code not in (CONNECTION_CLOSED, TIMED_OUT):
                raise ToolFailed(f"{name} of {self.name} failed: {error.error.message[:300]}") from None
            self._broken.set()
            raise self._lost(name, config) from None
        except Exception as error:  # of the transport, whatever it is called there
            self._broken.set()
            raise self._lost(name, config) from error
        said = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
        if not said and result.structuredContent is not None:
            said = json.dumps(result.structuredContent, ensure_ascii=False)
        if result.isError:
            raise ToolFailed(said[:500] or f"{name} of {self.name} failed.")
        return said

    def _lost(self, name: str, config: McpTool) -> Unavailable | OutcomeUnknown:
        if config.effect == "read":
            return Unavailable(f"The server {self.name} went away while {name} was asked.")
        return OutcomeUnknown(f"The server {self.name} went away while {name} was at work.")

    # ------------------------------------------------------------ the connection

    async def _keep(self) -> None:
        delay = FIRST_RETRY
        while True:
            try:
                async with self._connected() as session:
                    self._described = await _list(session)
                    self._tell_changes()
                    self._session, delay = session, FIRST_RETRY
                    self._broken.clear()
                    if self._first is not None and not self._first.done():
                        self._first.set_result(None)
                    await self._broken.wait()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  whatever ended the connection, it is made again
                if self._first is not None and not self._first.done():
                    self._first.set_exception(error)
                    return
                log.warning("mcp_server_away", extra={"server": self.name, "reason": _reason(error)})
            finally:
                self._session = None
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY)

    def _tell_changes(self) -> None:
        for name, config in self._config.tools.items():
            described = self._described.get(name)
            if config.digest is not None and (described is None or _digest(described) != config.digest):
                log.error("mcp_tool_changed", extra={"server": self.name, "tool": name})

    async def _on_message(self, message: Any) -> None:
        """The server says that its tools are others now, or the transport failed: look again, from the start."""
        from mcp.types import ServerNotification, ToolListChangedNotification

        changed = isinstance(message, ServerNotification) and isinstance(message.root, ToolListChangedNotification)
        if changed or isinstance(message, Exception):
            self._session = None
            self._broken.set()

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[ClientSession]:
        from mcp import ClientSession

        where = f"mcp.{self.name}"
        async with self._streams(where) as (read, write):  # noqa: SIM117
            async with ClientSession(read, write, message_handler=self._on_message) as session:
                await session.initialize()
                yield session

    @asynccontextmanager
    async def _streams(self, where: str) -> AsyncGenerator[tuple[Any, Any]]:
        config = self._config
        if config.command is not None:
            from mcp import StdioServerParameters
            from mcp.client.stdio import stdio_client

            command, *arguments = config.command
            env = from_environment(config.env, f"{where}.env")
            async with stdio_client(StdioServerParameters(command=command, args=arguments, env=env or None)) as streams:
                yield streams
        else:
            import httpx
            from mcp.client.streamable_http import streamable_http_client

            headers = from_environment(config.headers, f"{where}.headers")
            timeout = httpx.Timeout(START_TIMEOUT, read=300.0)
            async with (
                httpx.AsyncClient(headers=headers, timeout=timeout, follow_redirects=False) as client,
                streamable_http_client(config.url or "", http_client=client) as (read, write, _),
            ):
                yield read, write


async def _list(session: ClientSession) -> dict[str, Described]:
    from mcp.types import PaginatedRequestParams

    found: dict[str, Described] = {}
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
        found |= {tool.name: tool for tool in page.tools}
        cursor = page.nextCursor
        if cursor is None:
            break
    return found


def _digest(described: Described) -> str:
    return digest_of(described.name, described.description or "", described.inputSchema)


def _reason(error: BaseException) -> str:
    """Of a group of errors, the first one's. An address or a secret may stand in what a library says, so its type."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return str(error) if isinstance(error, OSError | OutsideToolsInvalid) else type(error).__name__
