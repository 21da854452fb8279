"""How a run is shown: one small protocol, and the plain form of it, for pipes and logs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from api.cli.reading import flatten, summarise

if TYPE_CHECKING:
    from agent import events
    from agent.records import StoredEvent


class Printer(Protocol):
    """Shows a run. `raw` gets every event as it was stored, the rest what it means."""

    def request(self, text: str) -> None: ...
    def raw(self, event: StoredEvent) -> None: ...
    def started(self, event: events.RunStarted) -> None: ...
    def token(self, text: str) -> None: ...
    def called(self, event: events.ToolCalled) -> None: ...
    def returned(self, event: events.ToolReturned) -> None: ...
    def guarded(self, event: events.Guarded) -> None: ...
    def approval(self, event: events.ApprovalRequired) -> None: ...
    def decided(self, decision: str, *, by: str) -> None: ...
    def message(self, text: str) -> None: ...
    def finished(self, event: events.RunFinished, *, seconds: float) -> None: ...
    def note(self, text: str) -> None: ...
    def concluded(self, text: str, *, well: bool) -> None: ...
    def close(self) -> None: ...


class PlainPrinter:
    """One line for each thing that happened, without colour, control codes or half-written lines."""

    def __init__(self) -> None:
        self._tools: dict[str, str] = {}

    def request(self, text: str) -> None:
        _line("request", text)

    def raw(self, event: StoredEvent) -> None:
        pass

    def started(self, event: events.RunStarted) -> None:
        _line("run", f"{event.run_id} with {event.model}")

    def token(self, text: str) -> None:
        pass  # the whole answer follows as a message

    def called(self, event: events.ToolCalled) -> None:
        self._tools[event.call_id] = event.tool
        _line("call", f"{event.tool} [{event.effect}] {_arguments(event.arguments, event.origins)}")

    def returned(self, event: events.ToolReturned) -> None:
        tool = self._tools.get(event.call_id, event.call_id)
        if event.error is not None:
            _line("result", f"{tool} {event.status}: {event.error.message} ({event.error.code})")
            return
        summary = summarise(event.result or {})
        fields = ", ".join(f"{name}={value}" for name, value in summary.fields)
        _line("result", f"{tool} {event.status}: {fields}")
        for finding in summary.findings:
            _line("finding", f"{finding.severity}: {finding.text}")

    def guarded(self, event: events.Guarded) -> None:
        if event.verdict != "allow":
            _line("guard", f"{event.guard}: {event.verdict}: {event.reason}")

    def approval(self, event: events.ApprovalRequired) -> None:
        _line("approval", f"{event.tool} [{event.effect}] {_arguments(event.arguments, event.origins)}")

    def decided(self, decision: str, *, by: str) -> None:
        _line("approval", f"{decision} {by}")

    def message(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def finished(self, event: events.RunFinished, *, seconds: float) -> None:
        usage = event.usage
        tokens = f"{usage.input_tokens} tokens in, {usage.output_tokens} out"
        _line("run", f"{event.status} in {seconds:.1f} s, {tokens}")
        if event.error is not None:
            _line("error", f"{event.error.message} ({event.error.code})")

    def note(self, text: str) -> None:
        _line("note", text)

    def concluded(self, text: str, *, well: bool) -> None:
        _line("ok" if well else "wrong", text)

    def close(self) -> None:
        sys.stdout.flush()


class JsonPrinter(PlainPrinter):
    """Every event as one line of JSON, and nothing else on standard output; `data` is as the run stored it."""

    def request(self, text: str) -> None:
        pass

    def raw(self, event: StoredEvent) -> None:
        sys.stdout.buffer.write(
            b'{"id":%d,"event":"%b","data":%b}\n' % (event.sequence, event.type.encode(), event.data)
        )
        sys.stdout.buffer.flush()

    def started(self, event: events.RunStarted) -> None:
        pass

    def called(self, event: events.ToolCalled) -> None:
        pass

    def returned(self, event: events.ToolReturned) -> None:
        pass

    def guarded(self, event: events.Guarded) -> None:
        pass

    def approval(self, event: events.ApprovalRequired) -> None:
        pass

    def message(self, text: str) -> None:
        pass

    def finished(self, event: events.RunFinished, *, seconds: float) -> None:
        pass

    def decided(self, decision: str, *, by: str) -> None:
        print(f"approval: {decision} {by}", file=sys.stderr)

    def note(self, text: str) -> None:
        print(text, file=sys.stderr)

    def concluded(self, text: str, *, well: bool) -> None:
        print(f"{'ok' if well else 'wrong'}: {text}", file=sys.stderr)


def _line(what: str, text: str) -> None:
    print(f"{what}: {text}".rstrip(), flush=True)


def _arguments(arguments: dict[str, object], origins: dict[str, str]) -> str:
    return ", ".join(f"{path}={value!r} <- {origins.get(path, '?')}" for path, value in flatten(arguments))
