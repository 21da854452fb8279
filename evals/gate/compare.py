"""Whether a run may be compared with a baseline: only like with like."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from evals.results import Baseline, CaseInfo, Identity

Change = Literal["model", "sampling", "cases"]
CHANGES: tuple[Change, ...] = ("model", "sampling", "cases")


class Different(Exception):
    """The baseline is about something else; the message says what, and what to do."""


def comparable(
    baseline: Baseline, identity: Identity, cases: Sequence[CaseInfo], meant: frozenset[Change]
) -> list[str]:
    """The names of the cases that are compared, in the order of the schedule.

    Those that failed least in the baseline come first: a failure of theirs says most, and a block that ends within an
    epoch is theirs. Among equals the order is mixed, and the same every time.

    Code and prompt are what a release changes; model, sampling and cases may differ only where that is `meant`. Then
    the cases that both have are compared.

    Raises:
        Different: Something else differs, or a critical case is not reliable in the baseline.
    """
    there = baseline.identity
    reasons: list[str] = []
    if there.suite != identity.suite:
        reasons.append(f"the baseline is of suite {there.suite!r}, the run of {identity.suite!r}")
    if "model" not in meant and (there.model, there.model_digest) != (identity.model, identity.model_digest):
        reasons.append(f"the model was {_model(there)} and is {_model(identity)} (--meant model, if it is to change)")
    if "sampling" not in meant and dict(there.sampling) != dict(identity.sampling):
        reasons.append(f"sampling was {dict(there.sampling)} and is {dict(identity.sampling)} (--meant sampling)")
    here = {case.name: case for case in cases}
    same = [name for name, record in baseline.cases.items() if name in here and here[name].digest == record.digest]
    if "cases" not in meant:
        reasons += _unlike(baseline, here)
    if not same:
        reasons.append("there is no case that both have")
    reasons += [
        f"critical case {name!r} passed only {record.passed} of {record.repeats} in the baseline: mend it, or let it "
        "not be critical"
        for name, record in baseline.cases.items()
        if name in same and (record.critical or here[name].critical) and record.passed < record.repeats
    ]
    if reasons:
        raise Different(f"Baseline {baseline.name!r} cannot be compared: " + "; ".join(reasons) + ".")
    failed = {name: 1 - baseline.cases[name].passed / baseline.cases[name].repeats for name in same}
    return sorted(same, key=lambda name: (failed[name], sha256(name.encode()).digest()))


def changed(baseline: Baseline, identity: Identity) -> list[str]:
    """What differs and may differ, one sentence each, for the report."""
    there = baseline.identity
    pairs = [
        ("Code", there.code_version, identity.code_version),
        ("Prompt", there.prompt_hash, identity.prompt_hash),
        ("Model", _model(there), _model(identity)),
        ("Sampling", str(dict(there.sampling)), str(dict(identity.sampling))),
    ]
    return [f"{what}: {before} -> {after}" for what, before, after in pairs if before != after]


def _unlike(baseline: Baseline, here: dict[str, CaseInfo]) -> list[str]:
    groups = {
        "are not in the run": [name for name in baseline.cases if name not in here],
        "are not in the baseline": [name for name in here if name not in baseline.cases],
        "are not what they were": [
            name for name, record in baseline.cases.items() if name in here and here[name].digest != record.digest
        ],
    }
    return [
        f"{len(names)} cases {what}, like {sorted(names)[0]!r} (--meant cases compares those that both have)"
        for what, names in groups.items()
        if names
    ]


def _model(identity: Identity) -> str:
    return f"{identity.model} ({identity.model_digest[:19]})"
