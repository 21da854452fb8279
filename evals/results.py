"""What a run of cases leaves behind, and what the gate compares it with. Nothing here knows how cases are run.

A `Sampler` gives one `Sample` for each case and epoch; `Results` are the samples of one run with what they were made
of; a `Baseline` keeps, of results that were accepted, how often each case passed. `evals/stored.py` reads and writes
both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Outcome = Literal["passed", "failed", "infrastructure"]
"""`infrastructure`: the case could not be tried (model server down, database away); neither passed nor failed."""

Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(Data):
    """What was tried. Two runs are compared only where these agree, but for what a release is meant to change.

    Attributes:
        model: As configured, like `ollama:qwen3:8b`.
        model_digest: The backend's `digest`: the exact weights, where the server tells.
        prompt_hash: Of the system prompt and of the tools as the model is shown them.
        code_version: The commit, with `+dirty` where the checkout differs from it.
        sampling: Temperature and whatever else decides how the model draws.
    """

    suite: Name
    model: Name
    model_digest: Name
    prompt_hash: Name
    code_version: Name
    sampling: Mapping[str, str | int | float | bool | None] = Field(default_factory=dict[str, str | int | float | bool])


class CaseInfo(Data):
    """A case as far as statistics need it. `digest` changes when its prompt, seed state or checks do."""

    name: Name
    digest: Name
    tags: tuple[str, ...] = ()
    critical: bool = False


class Sample(Data):
    """One try of one case.

    Attributes:
        epoch: Which repeat, from 1.
        faults: Why it failed, each a sentence.
        calls: Tool calls the model asked for; `valid_calls`: those whose arguments the tool's schema took.
        arguments: Arguments that the ground truth names; `right_arguments`: those that were given that value.
        seconds: From the first word to the last rest.
        cost: In US dollars; None where nobody bills.
        transcript: Where its events are: a path relative to the results' file, or a URL.
    """

    case: Name
    epoch: Annotated[int, Field(ge=1)]
    outcome: Outcome
    tags: tuple[str, ...] = ()
    critical: bool = False
    faults: tuple[str, ...] = ()
    calls: Count = 0
    valid_calls: Count = 0
    arguments: Count = 0
    right_arguments: Count = 0
    steps: Count = 0
    input_tokens: Count = 0
    output_tokens: Count = 0
    seconds: Annotated[float, Field(ge=0)] = 0.0
    cost: Annotated[Decimal, Field(ge=0)] | None = None
    transcript: str | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.valid_calls > self.calls or self.right_arguments > self.arguments:
            raise ValueError("more calls are valid, or more arguments right, than there are")
        return self

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"

    @property
    def counts(self) -> bool:
        """It says something about the agent."""
        return self.outcome != "infrastructure"


class Results(Data):
    """The samples of one run, in the order in which they came."""

    identity: Identity
    cases: tuple[CaseInfo, ...]
    started: datetime
    ended: datetime | None = None
    samples: tuple[Sample, ...] = ()


class CaseRecord(Data):
    """How often a case passed in the baseline."""

    digest: Name
    passed: Count
    repeats: Annotated[int, Field(ge=1)]
    tags: tuple[str, ...] = ()
    critical: bool = False

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.passed > self.repeats:
            raise ValueError("a case cannot pass more often than it was tried")
        return self


class Baseline(Data):
    """What is accepted: a file in git, `evals/baselines/NAME.json`. `made` is when its runs ended."""

    version: Literal[1] = 1
    name: Name
    identity: Identity
    made: datetime
    cases: Mapping[str, CaseRecord]


class Sampler(Protocol):
    """Whoever can try a case. The gate decides which one is next and when it has seen enough."""

    @property
    def identity(self) -> Identity: ...
    @property
    def cases(self) -> Sequence[CaseInfo]: ...

    async def run(self, case: str, epoch: int) -> Sample:
        """Try a case, really: nothing is answered from an earlier try. Several may be under way at once.

        What keeps the case from being tried is an `infrastructure` sample, not an exception: an exception is a bug.
        The same case and epoch is asked for again after an `infrastructure` sample.
        """
        ...
