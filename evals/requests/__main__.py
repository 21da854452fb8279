"""`python -m evals.requests`: run the requests with a real model and tell how they went.

python -m evals.requests                         all of them, with the model that DESKCLERK_LLM names
python -m evals.requests payment pay_by_number   those of a kind, or by name
python -m evals.requests --json results.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agent.llm.base import Progress
from agent.llm.create import create_backend
from agent.llm.errors import ModelError
from agent.llm.settings import LlmSettings
from agent.settings import AgentSettings
from evals.requests.cases import load
from evals.requests.run import Result, run_all, summary

console = Console()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.requests", description="Requests over the demo company.")
    parser.add_argument("only", nargs="*", help="names or kinds of requests; all if none is given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result to FILE")
    parser.add_argument("--at-least", type=int, default=0, metavar="N", help="fail when fewer than N are right")
    parser.add_argument("--verbose", action="store_true", help="show every call and answer")
    options = parser.parse_args()
    try:
        results = asyncio.run(_run(options.only, verbose=options.verbose, report=options.json))
    except (ModelError, ValueError) as error:
        console.print(str(error), style="red", markup=False)
        return 2
    console.print(_table(results))
    for line in summary(results):
        console.print(line, markup=False, highlight=False)
    return 0 if sum(result.right for result in results) >= options.at_least else 1


async def _run(only: list[str], *, verbose: bool, report: Path | None) -> list[Result]:
    requests = load(only=only)
    settings = AgentSettings()
    backend = create_backend(settings.llm, LlmSettings())
    results: list[Result] = []
    with console.status(f"Loading {backend.name} ...") as status:

        def on_progress(progress: Progress) -> None:
            status.update(f"Loading: {progress.what} ...")

        async for result in run_all(requests, backend, settings, on_progress=on_progress):
            results.append(result)
            _tell(result, verbose=verbose)
            if report is not None:
                _write(report, results, model=f"{backend.name} ({backend.digest})")
            if len(results) < len(requests):
                status.update(f"{len(results) + 1} of {len(requests)}: {requests[len(results)].name}")
    return results


def _write(path: Path, results: list[Result], *, model: str) -> None:
    """The report so far, so that a run that is stopped has not been for nothing."""
    report = {
        "model": model,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "right": sum(result.right for result in results),
        "results": [result.model_dump() for result in results],
    }
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _tell(result: Result, *, verbose: bool) -> None:
    mark = "[green]right[/]" if result.right else "[red]WRONG[/]"
    console.print(f"{mark} {result.name} ({result.steps} steps, {result.seconds:.1f} s)")
    details = [*result.calls, *(f"-> {text}" for text in result.said)] if verbose or not result.right else []
    for line in [*result.faults, *details]:
        console.print(f"      {line}", markup=False, highlight=False)


def _table(results: list[Result]) -> Table:
    table = Table("request", "kind", "right", "steps", "asked", "tokens in", "out", "seconds")
    for result in results:
        table.add_row(
            result.name,
            result.kind,
            "yes" if result.right else "NO",
            *map(str, (result.steps, result.approvals, result.input_tokens, result.output_tokens, result.seconds)),
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
