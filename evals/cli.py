"""`deskclerk evals`, found by the entry point `deskclerk.commands`: `api` and `evals` know nothing of each other.

What is heavy is imported inside the commands, so that `--help` stays fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


Suite = Annotated[Path | None, typer.Option(help="A folder of cases or a JSONL file; else evals/cases.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only cases with this tag; again for another.")]
Names = Annotated[list[str] | None, typer.Option("--case", help="Only this case; again for another.")]


@app.command()
def run(
    *,
    suite: Suite = None,
    tag: Tags = None,
    case: Names = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often each case is tried.")] = 1,
    max_concurrent: Annotated[int, typer.Option(min=1, max=64, help="Tries under way at once.")] = 2,
    url: Annotated[str | None, typer.Option(help="A running server, else an agent in this process.")] = None,
    replace_records_of: Annotated[
        str | None,
        typer.Option(
            metavar="DATABASE_URL", help="With --url: the server's database. Its business records are REPLACED."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last run, if it was not ended.")] = False,
    at_least: Annotated[float, typer.Option(min=0, max=1, help="Fail below this share of right samples.")] = 0.0,
) -> None:
    """Try cases with the model that DESKCLERK_LLM names. Exit code 3: some could not be tried."""
    from evals.commands import run_cases

    raise typer.Exit(
        run_cases(
            suite=suite,
            tags=tag or [],
            names=case or [],
            epochs=epochs,
            at_once=max_concurrent,
            url=url,
            database_url=replace_records_of,
            go_on=resume,
            at_least=at_least,
        )
    )


@app.command()
def check(*, suite: Suite = None, tag: Tags = None, case: Names = None) -> None:
    """Prove that each case's solution passes, and that an agent which does nothing, or only talks, fails. No model."""
    from evals.commands import check_cases

    raise typer.Exit(check_cases(suite=suite, tags=tag or [], names=case or []))
