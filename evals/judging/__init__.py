"""Whether a try was right: by state, by calls, by typed values of the answers."""

from evals.judging.verdict import faults

__all__ = ["faults"]
