"""Results that were stored before, given out in the order in which the gate asks."""

from __future__ import annotations

from collections.abc import Sequence

from evals.gate.run import Exhausted
from evals.results import CaseInfo, Identity, Results, Sample


class Recorded:
    """A sampler over results: each sample is given once, because a repeat that is a copy says nothing."""

    def __init__(self, results: Results) -> None:
        self._left = {(s.case, s.epoch): s for s in results.samples if s.counts}
        self.identity: Identity = results.identity
        self.cases: Sequence[CaseInfo] = results.cases

    async def run(self, case: str, epoch: int) -> Sample:
        """Raises Exhausted."""
        try:
            return self._left.pop((case, epoch))
        except KeyError:
            raise Exhausted(f"The results have no epoch {epoch} of case {case!r}.") from None
