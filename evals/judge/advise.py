"""`deskclerk evals judge`: opinions of stored transcripts, after the judge was compared with people."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.llm.base import Backend
from agent.llm.create import create_backend
from agent.llm.errors import ModelError
from agent.llm.settings import LlmSettings
from agent.settings import AgentSettings
from evals.judge.labels import LABELS, Agreement, Label, read_labels
from evals.judge.rubric import Opinion, opinion
from evals.report.transcripts import conversation
from evals.results import Sample
from evals.stored import Unreadable, read_results, stored_results

USAGE, AWAY = 2, 3  # exit codes


def advise(results: Path | None, *, suite: str, labels: Path | None, model: str | None) -> int:
    """Print the agreement with people and the judge's opinion of each passed sample. Never fails for an opinion."""
    try:
        path = results or next(iter(stored_results(suite)[-1:]), None)
        if path is None:
            raise Unreadable(f"There are no results of suite {suite!r}.")
        samples, known = read_results(path).samples, read_labels(labels or LABELS)
        asyncio.run(_print(samples, path.parent, known, create_backend(model or AgentSettings().llm, LlmSettings())))
    except Unreadable as error:
        return _fail(str(error), USAGE)
    except ModelError as error:
        return _fail(str(error), AWAY)
    return 0


async def _print(samples: Sequence[Sample], folder: Path, known: Sequence[Label], backend: Backend) -> None:
    await backend.start()
    try:
        print(await agreement(backend, known))
        good = judged = 0
        for sample in samples:
            told = conversation(sample, folder) if sample.passed else None
            thought = None if told is None else await opinion(backend, said=told[0], answered=told[1])
            if thought is not None:
                judged, good = judged + 1, good + thought.good
                print(_line(sample, thought))
        print(f"Advice only: the judge finds {good} of {judged} passed answers good ({backend.name}).")
    finally:
        await backend.stop()


async def agreement(backend: Backend, known: Sequence[Label]) -> Agreement:
    """Of a started judge with people."""
    thoughts = [(label, await opinion(backend, said=label.said, answered=label.answered)) for label in known]
    pairs = [(label.good, thought.good) for label, thought in thoughts if thought is not None]
    return Agreement(pairs, len(known) - len(pairs))


def _line(sample: Sample, thought: Opinion) -> str:
    return (
        f"{'good' if thought.good else 'POOR'} {sample.case} (epoch {sample.epoch}): {' '.join(thought.reason.split())}"
    )


def _fail(message: str, code: int) -> int:
    print(f"deskclerk: {message}", file=sys.stderr)
    return code
