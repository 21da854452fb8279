"""Asking the person at the terminal."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager


def ask_line(question: str) -> str | None:
    """A line from the person, None for Ctrl-C or the end of input. The event loop waits meanwhile.

    The question goes to standard error, so that standard output can be piped.
    """
    with _interruptible():
        try:  # the question too: who reads it may press Ctrl-C at once
            print(question, end="", file=sys.stderr, flush=True)
            return input().strip()
        except (EOFError, KeyboardInterrupt):
            print(file=sys.stderr)
            return None


@contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C interrupt a blocking read, which the handler of a running event loop would not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
