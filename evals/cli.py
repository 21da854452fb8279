"""`deskclerk evals`, found by the entry point `deskclerk.commands`: `api` and `evals` know nothing of each other.

What is heavy is imported inside the commands, so that `--help` stays fast.
"""

from __future__ import annotations

import typer

app = typer.Typer(
    name="evals",
    rich_markup_mode=None,
    help="Try the agent on cases, and say whether it got worse.",
    no_args_is_help=True,
)


@app.callback()
def evals() -> None:
    """Try the agent on cases, and say whether it got worse."""
