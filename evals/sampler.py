"""Tries cases: what `evals run` and the gate ask for one sample after the other."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any, Self

import httpx
from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from agent.errors import NotReady, TooBusy
from agent.llm.base import Backend
from agent.llm.errors import ModelError
from evals.case import Case
from evals.desks.base import Infrastructure
from evals.judging.calls import arguments_right
from evals.recording import Recorder, Tape
from evals.results import CaseInfo, Identity, Sample
from evals.trying import Tried
from prisma.errors import PrismaError

AWAY = frozenset({"model_unavailable", "model_not_found", "weights_unavailable", "stream_broken", "interrupted"})
"""Codes of runs that failed for want of something, not by what the agent did."""
TRIES = 3
SLACK = 120.0  # seconds over a case's budget, after which the harness itself gives up

Attempt = Callable[[Case, Backend], Awaitable[Tried]]


class CaseSampler:
    """Tries cases with one model, each in a world of its own.

    Args:
        attempt: How one is tried, here or at a server.
        backend: None where the model is a server's affair: then its answers cannot be kept.
        folder: For transcripts, and for the answers of tries that are under way; None keeps neither.
        wait_seconds: Before the second attempt at what was away; it doubles.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        identity: Identity,
        attempt: Attempt,
        *,
        backend: Backend,
        keeps_answers: bool = True,
        folder: Path | None = None,
        wait_seconds: float = 1.0,
    ) -> None:
        self._cases: Mapping[str, Case] = {case.name: case for case in cases}
        self._attempt, self._backend, self._folder = attempt, backend, folder
        self._keeps_answers = keeps_answers
        self._wait_seconds = wait_seconds
        self.identity = identity
        self.cases = [info(case) for case in cases]

    def keeping(self, folder: Path) -> Self:
        """The same, with transcripts and answers kept in `folder`."""
        kept = copy(self)
        kept._folder = folder
        return kept

    async def run(self, case: str, epoch: int) -> Sample:
        """Try a case. What is away is asked for again, each time from the beginning in a fresh world."""
        chosen = self._cases[case]
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Infrastructure),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential_jitter(self._wait_seconds, max=30.0, jitter=self._wait_seconds / 4),
        )

        async def once() -> Tried:
            return await self._once(chosen, epoch)

        try:
            tried: Tried = await retrying(once)
        except RetryError as error:
            away = error.last_attempt.exception()
            return _sample(chosen, epoch, faults=(str(away),))
        return self._judged(chosen, epoch, tried)

    async def _once(self, case: Case, epoch: int) -> Tried:
        """Raises Infrastructure."""
        backend: Backend = self._backend
        if self._keeps_answers and self._folder is not None:
            backend = Recorder(
                self._backend,
                Tape.journal(self._answers(case, epoch)),
                scope=case.name,
                epoch=epoch,
                sampling=self.identity.sampling,
            )
        try:
            async with asyncio.timeout(case.budget.seconds + SLACK):
                tried = await self._attempt(case, backend)
        except TimeoutError:
            raise Infrastructure("The try hung and was given up.") from None
        except (PrismaError, sqlite3.OperationalError, NotReady, TooBusy, ModelError, httpx.TransportError) as error:
            raise Infrastructure(str(error) or type(error).__name__) from error
        if away := AWAY & {*tried.made.errors}:
            raise Infrastructure(f"The run ended with {', '.join(sorted(away))}.")
        return tried

    def _judged(self, case: Case, epoch: int, tried: Tried) -> Sample:
        made = tried.made
        named, right = arguments_right([call for turn in case.solution for call in turn.calls], made)
        sample = _sample(case, epoch, faults=(*tried.unfit, *tried.faults)).model_copy(
            update={
                "outcome": "failed" if tried.unfit or tried.faults else "passed",
                "calls": len(made.executed) + made.invalid,
                "valid_calls": len(made.executed),
                "arguments": named,
                "right_arguments": right,
                "steps": made.steps,
                "input_tokens": made.input_tokens,
                "output_tokens": made.output_tokens,
                "seconds": round(made.seconds, 3),
            }
        )
        if self._folder is None:
            return sample
        path = self._folder / f"{case.name}.{epoch}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(transcript(case, tried), ensure_ascii=False), "utf-8")
        return sample.model_copy(update={"transcript": f"{self._folder.name}/{path.name}"})

    def forget_answers(self, case: str, epoch: int) -> None:
        """The sample is stored: what its model said on the way is not needed to go on."""
        if self._keeps_answers and self._folder is not None:
            with suppress(FileNotFoundError):
                self._answers(self._cases[case], epoch).unlink()

    def _answers(self, case: Case, epoch: int) -> Path:
        assert self._folder is not None
        return self._folder / "answers" / f"{case.name}.{epoch}.jsonl"


def info(case: Case) -> CaseInfo:
    return CaseInfo(name=case.name, digest=case.digest, tags=tuple(case.tags), critical=case.critical)


def transcript(case: Case, tried: Tried) -> dict[str, Any]:
    """What was said and done, with every event but single tokens."""
    return {
        "say": list(case.say),
        "said": tried.made.said,
        "faults": [*tried.unfit, *tried.faults],
        "events": tried.made.events,
    }


def _sample(case: Case, epoch: int, *, faults: tuple[str, ...]) -> Sample:
    return Sample(
        case=case.name,
        epoch=epoch,
        outcome="infrastructure",
        tags=tuple(case.tags),
        critical=case.critical,
        faults=faults,
    )
