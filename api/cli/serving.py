"""`deskclerk serve`."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from api.cli.exits import FAILED, UNAVAILABLE, USAGE, Stop

if TYPE_CHECKING:
    from api.settings import ApiSettings

BACKLOG = 2048  # connections that may wait to be accepted
GARBAGE = (50_000, 50, 50)  # objects made, less those gone, between two looks for cycles; looks before a wider one
LOOPBACK = "127.0.0.1"
LAST_WORDS = 5  # seconds for streams to tell their end, after the runs were given theirs


def serve(*, host: str | None, port: int | None) -> int:
    """Serve until stopped by a signal.

    Raises:
        Stop: The address cannot be bound, or may not be while nobody signs in.
        agent.policy.InvalidPolicy: The policy file is none.
    """
    from api.settings import ApiSettings, is_loopback

    chosen: dict[str, Any] = {"host": host, "port": port}
    settings = ApiSettings(**{name: value for name, value in chosen.items() if value is not None})
    if settings.auth == "off" and not is_loopback(settings.host):
        raise Stop(
            f"DESKCLERK_AUTH=off lets whoever reaches the server do everything, so it does not listen on "
            f"{settings.host}. Use --host 127.0.0.1.",
            USAGE,
        )
    alone = not is_loopback(settings.host) and nobody_can_sign_in(settings)
    listener = _bind(LOOPBACK if alone else settings.host, settings.port)

    import uvicorn

    from agent.outside.config import OutsideToolsInvalid
    from agent.policy import InvalidPolicy
    from api.app import create_app
    from api.draining import DrainingServer
    from api.observing.logs import configure_logging
    from api.observing.observing import TelemetryMissing
    from api.patience import patient

    configure_logging(
        format=settings.log_format,
        level=settings.log_level,
        content=settings.log_content == "on",
        secrets=_secrets(settings),
    )
    fatal: list[Exception] = []

    def on_fatal(error: Exception) -> None:
        fatal.append(error)
        server.should_exit = True

    try:
        application = create_app(settings, on_fatal=on_fatal, on_ready=_keep_what_is_loaded)
    except TelemetryMissing as missing:
        raise Stop(str(missing), USAGE) from None
    server = DrainingServer(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            http=patient(header_seconds=settings.header_seconds, write_seconds=settings.write_seconds),
            proxy_headers=False,
            ws_max_size=settings.max_body_bytes,
            ws_per_message_deflate=False,  # memory for each socket, and little to gain for one token at a time
            timeout_graceful_shutdown=round(settings.shutdown_seconds) + LAST_WORDS,
        )
    )
    address = listener.getsockname()
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    logging.getLogger(__name__).info("listening on http://%s:%d, described at /docs", shown, address[1])
    if alone:
        logging.getLogger(__name__).warning(
            "nobody can sign in, so the server listens on this machine only and not on %s: "
            "add a user (`deskclerk users add`) and start it again",
            settings.host,
        )
    with suppress(KeyboardInterrupt):  # raised again by uvicorn once it has stopped; Ctrl-C is how one stops a server
        server.run(sockets=[listener])
    if fatal and isinstance(fatal[0], InvalidPolicy | OutsideToolsInvalid):
        raise fatal[0]
    if fatal:
        logging.getLogger(__name__).error("could not start", exc_info=fatal[0])
        return FAILED
    return 0


def _keep_what_is_loaded() -> None:
    """Let the garbage collector pass over what a server has loaded: looking through it takes a quarter of a second, in
    which every stream stands still."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def _secrets(settings: ApiSettings) -> list[str]:
    """What no log may hold: every secret of every settings class, and what the receiver of traces is shown."""
    import os

    from pydantic import ValidationError
    from pydantic_settings import BaseSettings

    from agent.llm.settings import LlmSettings
    from agent.settings import AgentSettings
    from api.secrets import secret_values
    from tools.settings import ToolSettings

    known: list[BaseSettings] = [settings]
    for kind in (AgentSettings, ToolSettings, LlmSettings):
        with suppress(ValidationError):  # opening the service tells what is wrong
            known.append(kind())
    headers = os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",")
    return [*secret_values(*known), *(value for header in headers if (value := header.partition("=")[2].strip()))]


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise Stop(f"Cannot listen on {host} port {port}: {error.strerror or error}", UNAVAILABLE) from None
    return listener


def nobody_can_sign_in(settings: ApiSettings) -> bool:
    """Whether everybody who reaches the server would be let in: sign-in is not forced, and there is no user to do it.

    A database that cannot be read yet counts as one without users.
    """
    from api.auth.settings import AuthSettings

    if settings.auth != "auto" or AuthSettings().oidc_providers:
        return False
    return not asyncio.run(_has_users(settings.database_url))


async def _has_users(url: str) -> bool:
    from prisma import Prisma
    from prisma.errors import PrismaError
    from prisma.migrate import status
    from prisma.migrate.errors import MigrateError

    try:
        if not (await status(url)).applied:
            return False  # and is not made by looking
        async with Prisma(url) as db:
            return await db.user.find_first(select={"id": True}) is not None
    except (PrismaError, MigrateError):
        return False
