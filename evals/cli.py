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


Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML here.")]
Markdown = Annotated[Path | None, typer.Option(help="Write Markdown for a pull request here.")]
Html = Annotated[Path | None, typer.Option(help="Write one HTML page here; it needs nothing else.")]
LinkBase = Annotated[str, typer.Option(help="Put before the paths of transcripts in reports.")]


@app.command()
def gate(
    *,
    baseline: Annotated[str, typer.Option(help="What to compare with: evals/baselines/NAME.json.")],
    suite: Suite = None,
    tag: Tags = None,
    results: Annotated[Path | None, typer.Option(help="Judge stored results; else cases are run as needed.")] = None,
    max_concurrent: Annotated[int, typer.Option(min=1, max=64, help="Tries under way at once.")] = 2,
    max_runs: Annotated[int, typer.Option(min=1, help="No more than this, but always a full epoch.")] = 480,
    of: Annotated[int, typer.Option(min=1, help="This suite is one of so many that are judged together.")] = 1,
    meant: Annotated[
        list[str] | None,
        typer.Option(help="model, sampling or cases: may differ from the baseline's; again for another."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="A running server, else an agent in this process.")] = None,
    replace_records_of: Annotated[
        str | None,
        typer.Option(
            metavar="DATABASE_URL", help="With --url: the server's database. Its business records are REPLACED."
        ),
    ] = None,
    junit: Junit = None,
    markdown: Markdown = None,
    html: Html = None,
    link_base: LinkBase = "",
) -> None:
    """Say whether the agent got worse than a baseline, with as few runs as that takes.

    Exit codes: 0 pass; 1 regressed; 2 wrong usage; 3 something could not be tried or had; 5 inconclusive; 6 refused,
    because the baseline is about something else.
    """
    from evals.gating import Asked, Reports
    from evals.gating import gate as judge

    asked = Asked(
        baseline, suite, tag or [], results, max_concurrent, max_runs, of, meant or [], url, replace_records_of
    )
    raise typer.Exit(judge(asked, Reports(junit, markdown, html, link_base)))


@app.command()
def report(
    *,
    results: Annotated[list[Path] | None, typer.Argument(help="Result files; else the newest of the suite.")] = None,
    suite: Annotated[str, typer.Option(help="Whose newest results, where none are named.")] = "cases",
    baseline: Annotated[str | None, typer.Option(help="Compare with this baseline, case by case.")] = None,
    junit: Junit = None,
    markdown: Markdown = None,
    html: Html = None,
    link_base: LinkBase = "",
) -> None:
    """Report stored results; as Markdown on standard output, where no file is named."""
    from evals.gating import Reports
    from evals.gating import report as write

    reports = Reports(junit, markdown, html, link_base)
    raise typer.Exit(write(results or [], suite=suite, baseline=baseline, reports=reports))


@app.command()
def baseline(
    *,
    name: Annotated[str, typer.Argument(help="It becomes evals/baselines/NAME.json, to be committed.")],
    results: Annotated[list[Path], typer.Argument(help="Result files of the same thing.")],
) -> None:
    """Accept results as what later ones are compared with. A case needs 5 repeats, and had better have 20."""
    from evals.gating import baseline as accept

    raise typer.Exit(accept(name, results))


@app.command()
def judge(
    *,
    results: Annotated[Path | None, typer.Argument(help="A results file; else the newest of the suite.")] = None,
    suite: Annotated[str, typer.Option(help="Whose newest results, where none are named.")] = "cases",
    labels: Annotated[Path | None, typer.Option(help="What people thought; else evals/judge/labels.jsonl.")] = None,
    model: Annotated[str | None, typer.Option(help="Who judges, like ollama:qwen3:8b; else DESKCLERK_LLM.")] = None,
) -> None:
    """Ask a model what it thinks of the answers. Advice only; its agreement with people is told first."""
    from evals.judge.advise import advise

    raise typer.Exit(advise(results, suite=suite, labels=labels, model=model))
