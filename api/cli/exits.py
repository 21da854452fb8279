"""Exit codes of `deskclerk`, and the exception that carries one.

0    what was asked for is done
1    the run ended `failed`, or the demo's check of the database did not hold
2    wrong usage (also what typer itself uses)
3    something that is needed cannot be had: model, database, server, file
4    the run rests: a person must decide first, and nobody was here to ask
130  interrupted with Ctrl-C; the run was cancelled
"""

from __future__ import annotations

FAILED = 1
USAGE = 2
UNAVAILABLE = 3
WAITING = 4
INTERRUPTED = 130


class Stop(Exception):
    """Ends the command with a message for the person and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
