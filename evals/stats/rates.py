"""Pass rates and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, sqrt
from statistics import NormalDist, fmean


def wilson(passed: int, tried: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a pass rate, without continuity correction; (0, 1) when nothing was tried.

    Source: E. B. Wilson, JASA 22 (1927); R. G. Newcombe, Statistics in Medicine 17 (1998), method 3.
    """
    if tried == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = passed / tried
    middle = rate + z * z / (2 * tried)
    half = z * sqrt(rate * (1 - rate) / tried + z * z / (4 * tried * tried))
    scale = 1 + z * z / tried
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def pass_at_k(tried: int, passed: int, k: int) -> float:
    """How likely one of k tries passes, without bias. Raises ValueError where there were fewer than k tries.

    Source: Chen et al., Evaluating Large Language Models Trained on Code (2021), equation 1.
    """
    _enough(tried, k)
    return 1 - comb(tried - passed, k) / comb(tried, k)


def pass_all_k(tried: int, passed: int, k: int) -> float:
    """pass^k: how likely all of k tries pass, without bias. Raises ValueError where there were fewer than k tries.

    Source: Yao et al., tau-bench (2024), section 3.
    """
    _enough(tried, k)
    return comb(passed, k) / comb(tried, k)


def _enough(tried: int, k: int) -> None:
    if not 1 <= k <= tried:
        raise ValueError(f"k must be between 1 and the {tried} tries, not {k}")


def clustered_error(clusters: Sequence[Sequence[float]]) -> float:
    """Standard error of the mean of all values, where those of a cluster (the repeats of a case) go together.

    Source: E. Miller, Adding Error Bars to Evals (2024), section 2.2.
    """
    values = [value for cluster in clusters for value in cluster]
    mean = fmean(values)
    return sqrt(sum(sum(value - mean for value in cluster) ** 2 for cluster in clusters)) / len(values)


def paired_difference(pairs: Sequence[tuple[float, float]], *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean of (after - before) over cases with its interval; the interval is (-1, 1) for a single case.

    Source: E. Miller, Adding Error Bars to Evals (2024), section 4.2.
    """
    differences = [after - before for before, after in pairs]
    mean = fmean(differences)
    if len(differences) < 2:
        return mean, -1.0, 1.0
    error = sqrt(sum((d - mean) ** 2 for d in differences) / (len(differences) - 1) / len(differences))
    half = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return mean, mean - half, mean + half


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value, adjusted for all of them being looked at.

    Source: S. Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        worst = max(worst, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = worst
    return adjusted
