"""`deskclerk chat`: one request, or a conversation."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from api.cli.conversation import Approver, Conversation
from api.cli.desk import Desk
from api.cli.exits import INTERRUPTED, USAGE, Stop
from api.cli.printing import JsonPrinter, PlainPrinter, Printer
from api.cli.prompting import ask_line

LEAVE = {"exit", "quit", "bye"}


def chat(request: str | None, *, documents: Sequence[Path], url: str | None, yes: bool, as_json: bool) -> int:
    """Ask once, or for as long as the person has something to ask. Returns the exit code.

    Raises:
        Stop: Something that is needed is missing.
    """
    if request is None and not sys.stdin.isatty():
        request = sys.stdin.read().strip()
    if request == "":
        raise Stop("There is no request: give it as an argument or on standard input.", USAGE)
    try:
        return asyncio.run(_chat(request, documents, url, choose_approver(yes=yes), choose_printer(as_json)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED


def choose_approver(*, yes: bool) -> Approver:
    """`--yes`, else the person at the terminal, else nobody."""
    if yes:
        return Approver("always", "of --yes")
    return Approver("person" if sys.stdin.isatty() else "nobody")


def choose_printer(as_json: bool) -> Printer:
    """Cards and colours for a terminal, plain lines for anything else."""
    if as_json:
        return JsonPrinter()
    if not sys.stdout.isatty():
        return PlainPrinter()
    from rich.console import Console

    from api.cli.pretty import PrettyPrinter

    return PrettyPrinter(Console(highlight=False))


@asynccontextmanager
async def open_desk(url: str | None) -> AsyncGenerator[Desk]:
    """A server's desk at `url`, or one in this process, ready to work."""
    if url is not None:
        from api.cli.remote import RemoteDesk, connect

        async with connect(url) as client:
            yield RemoteDesk(client)
        return
    from api.cli.desk import open_local_desk
    from api.settings import ApiSettings

    async with open_local_desk(ApiSettings()) as desk:
        yield desk


async def _chat(
    request: str | None, documents: Sequence[Path], url: str | None, approver: Approver, printer: Printer
) -> int:
    async with open_desk(url) as desk:
        conversation = Conversation(desk, printer, approver)
        uploaded = [await desk.upload(path) for path in documents]
        if request is not None:
            return (await conversation.ask(request, uploaded)).exit_code
        printer.note('Ask for something; an empty line or "exit" ends.')
        while request := _next_request():
            await conversation.ask(request, uploaded)
            uploaded = []
        return 0


def _next_request() -> str | None:
    """What the person asks next; None when they leave."""
    with suppress(ImportError):
        importlib.import_module("readline")  # gives `input` editing and a history
    text = ask_line("\n> ")
    return None if not text or text.lower() in LEAVE else text
