"""A run on a terminal: a card for each call, the origin of each argument, the answer as it is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.status import Status
from rich.table import Table
from rich.text import Text

from api.cli.reading import Finding, flatten, summarise
from api.cli.wrapping import WordWrap

if TYPE_CHECKING:
    from agent import events
    from agent.records import StoredEvent

ORIGIN_STYLES = {
    "user": "green",
    "record": "blue",
    "tool": "cyan",
    "document": "yellow",
    "web": "magenta",
    "model": "bold red",
}
EFFECT_STYLES = {"read": "dim", "write": "yellow", "money": "bold magenta", "send": "bold magenta"}
SEVERITIES = {"blocking": ("✗", "bold red"), "warning": ("!", "yellow"), "info": ("·", "dim")}
STATUSES = {"succeeded": ("✓", "green"), "failed": ("✗", "red"), "refused": ("⊘", "red"), "rejected": ("⊘", "yellow")}
WIDEST = 100  # columns
FRAME = 6  # columns that a card and the mark in it take
GAP = "   "


class PrettyPrinter:
    """Prints to a terminal. Calls that run show a spinner, and become a card when they return."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, WIDEST)
        self._calls: dict[str, tuple[events.ToolCalled, float]] = {}
        self._shown: set[str] = set()  # calls whose arguments a person was asked about
        self._spinner: Status | None = None
        self._writer: WordWrap | None = None

    def request(self, text: str) -> None:
        self._console.print(
            Text.assemble(("\n\N{BLACK RIGHT-POINTING SMALL TRIANGLE} ", "bold green"), (text, "bold")),
            width=self._width,
        )
        self._console.print()

    def raw(self, event: StoredEvent) -> None:
        pass

    def started(self, event: events.RunStarted) -> None:
        self._spin(f"[dim]{event.model} is reading[/dim]")

    def token(self, text: str) -> None:
        if self._console.record:
            return  # a picture has the whole answer at once, wrapped
        self._stop_spinner()
        if self._writer is None:
            self._console.print()
            self._writer = WordWrap(self._width)
        self._console.out(self._writer.feed(text), end="", highlight=False)

    def called(self, event: events.ToolCalled) -> None:
        self._end_line()
        self._calls[event.call_id] = (event, time.monotonic())
        self._spin_calls()

    def returned(self, event: events.ToolReturned) -> None:
        call, since = self._calls.pop(event.call_id, (None, 0.0))
        self._stop_spinner()
        if call is not None:
            parts: list[RenderableType] = [_result(event, call, self._width - FRAME)]
            if call.call_id not in self._shown:
                parts = [arguments_table(call.arguments, call.origins), Text(), *parts]
            body = Group(*parts)
            self._console.print(self._card(call.tool, call.effect, body, f"{time.monotonic() - since:.1f} s"))
        if self._calls:
            self._spin_calls()
        else:
            self._spin("[dim]thinking[/dim]")

    def guarded(self, event: events.Guarded) -> None:
        if event.verdict == "allow":
            return
        self._end_line()
        mark, style = ("⊘", "red") if event.verdict == "refuse" else ("?", "yellow")
        self._console.print(Text.assemble((f"{mark} {event.guard}: ", style), event.reason))

    def approval(self, event: events.ApprovalRequired) -> None:
        self._stop_spinner()
        self._end_line()
        self._shown.add(event.call_id)
        table = arguments_table(event.arguments, event.origins)
        self._console.print(self._card(event.tool, event.effect, table, "waits for you", border="bold magenta"))

    def decided(self, decision: str, *, by: str) -> None:
        mark, style = ("✓", "green") if decision == "approve" else ("⊘", "yellow")
        word = "approved" if decision == "approve" else "rejected"
        self._console.print(Text(f"{mark} {word} {by}", style))
        self._spin("[dim]going on[/dim]")

    def message(self, text: str) -> None:
        self._stop_spinner()
        if self._writer is not None:
            self._end_line()
        else:
            self._console.print(Text(f"\n{text}"), width=self._width)

    def finished(self, event: events.RunFinished, *, seconds: float) -> None:
        self._stop_spinner()
        self._end_line()
        if event.status == "waiting":
            return
        mark, style = STATUSES.get(event.status, ("⊘", "yellow"))
        usage = event.usage
        line = f" {mark} {event.status} · {usage.input_tokens} tokens in, {usage.output_tokens} out · {seconds:.1f} s "
        self._console.print()
        self._console.print(Rule(Text(line, style), style="dim"), width=self._width)
        if event.error is not None:
            self._console.print(Text.assemble((f"{event.error.code}: ", "red"), event.error.message))

    def note(self, text: str) -> None:
        self._stop_spinner()
        self._end_line()
        self._console.print(Text(text, "dim"), width=self._width)

    def concluded(self, text: str, *, well: bool) -> None:
        mark, style = ("✓", "bold green") if well else ("✗", "bold red")
        self._console.print(Text(f"{mark} {text}", style), width=self._width)

    def close(self) -> None:
        self._stop_spinner()
        self._end_line()

    # ------------------------------------------------------------------ parts

    def _card(
        self, tool: str, effect: str, body: RenderableType, corner: str, *, border: str = "bright_black"
    ) -> Panel:
        title = Text.assemble((tool, "bold"), "  ", (effect, EFFECT_STYLES.get(effect, "")))
        return Panel(
            body,
            title=title,
            title_align="left",
            subtitle=Text(corner, "dim"),
            subtitle_align="right",
            box=ROUNDED,
            border_style=border,
            width=self._width,
            padding=(0, 1),
        )

    def _spin_calls(self) -> None:
        names = ", ".join(call.tool for call, _ in self._calls.values())
        self._spin(f"[bold]{names}[/bold]")

    def _spin(self, markup: str) -> None:
        if self._console.record or not self._console.is_terminal:
            return
        if self._spinner is None:
            self._spinner = self._console.status(markup, spinner="dots")
            self._spinner.start()
        else:
            self._spinner.update(markup)

    def _stop_spinner(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None

    def _end_line(self) -> None:
        if self._writer is not None:
            self._console.out(self._writer.rest(), highlight=False)
            self._writer = None


def arguments_table(arguments: dict[str, object], origins: dict[str, str]) -> Table:
    """Every argument, its value, and where that comes from."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", justify="left")
    for path, value in flatten(arguments):
        origin = origins.get(path, "?")
        style = ORIGIN_STYLES.get(origin.partition("(")[0], "dim")
        table.add_row(Text(path), Text(value), Text(f"← {origin}", style))
    return table


def _result(event: events.ToolReturned, call: events.ToolCalled, width: int) -> RenderableType:
    """What came back, without what the arguments said already."""
    mark, style = STATUSES[event.status]
    if event.error is not None:
        return Text.assemble((f"{mark} {event.status}: ", style), event.error.message)
    said = call.arguments.items()
    summary = summarise({name: value for name, value in (event.result or {}).items() if (name, value) not in said})
    parts: list[RenderableType] = [Text.assemble((f"{mark} ", style), *flow(summary.fields, width))]
    parts.extend(_finding(finding) for finding in summary.findings)
    return Group(*parts)


def flow(fields: Sequence[tuple[str, str]], width: int) -> list[Text]:
    """Names and values side by side, broken only between fields where they fit a line."""
    out: list[Text] = []
    column = 0
    for name, value in fields:
        item = Text.assemble((f"{name} ", "dim"), value)
        gap = "" if not out else GAP if column + len(GAP) + len(item) <= width else "\n  "
        column = len(item) if gap != GAP else column + len(GAP) + len(item)
        out.append(Text(gap) + item)
    return out


def _finding(finding: Finding) -> Text:
    mark, style = SEVERITIES.get(finding.severity, ("·", "dim"))
    return Text.assemble((f"{mark} {finding.severity}: ", style), finding.text)
