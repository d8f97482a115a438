"""Differences of two sides with their 95% intervals: of seeds, of paired answers, and of counts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from digits.evaluation.intervals import wilson_interval

LEVEL = 0.95
POWER = 0.8
# More seeds than these are not counted.
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Difference:
    """The second side's value minus the first's.

    Attributes:
        value: of the means.
        low: the lower end of the 95% interval; None where nothing tells the noise.
        high: its upper end.
        method: what the interval comes from.
        more_seeds: how many more runs of each side would show a true difference of this size in four of five
            attempts; None where it is not known, or no difference is there.
    """

    value: float
    low: float | None
    high: float | None
    method: str
    more_seeds: int | None = None

    @property
    def shown(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def of_seeds(first: Mapping[str, float], second: Mapping[str, float]) -> Difference:
    """Compare the values of several seeds of at least one side by Student's t.

    The same seeds on both sides are paired. Otherwise the variances may differ (Welch 1947); a side with a
    single run is taken to vary as the other one does.
    """
    if first.keys() == second.keys():
        return _paired(np.array([second[seed] - first[seed] for seed in first]))
    one, other = np.array([*first.values()]), np.array([*second.values()])
    value = float(other.mean() - one.mean())
    variances = [float(side.var(ddof=1)) if len(side) > 1 else None for side in (one, other)]
    known = [variance for variance in variances if variance is not None]
    parts = [
        (known[0] if variance is None else variance) / len(side)
        for variance, side in zip(variances, (one, other), strict=True)
    ]
    error = math.sqrt(sum(parts))
    if len(known) == 1:
        freedom = float(max(len(one), len(other)) - 1)
    else:
        squares = sum(part**2 / (len(side) - 1) for part, side in zip(parts, (one, other), strict=True))
        freedom = sum(parts) ** 2 / squares if squares else float(len(one) + len(other) - 2)
    deviation = math.sqrt(sum(known) / len(known))
    need = _seeds_needed(value, deviation * math.sqrt(2), paired=False)
    more = None if need is None else max(0, need - min(len(one), len(other)))
    return _by_t(value, error, freedom, f"{len(one)} and {len(other)} runs (Welch's t)", more)


def _paired(differences: np.ndarray) -> Difference:
    count, value, deviation = len(differences), float(differences.mean()), float(differences.std(ddof=1))
    need = _seeds_needed(value, deviation, paired=True)
    more = None if need is None else max(0, need - count)
    method = f"{count} runs each, paired by seed (Student's t)"
    return _by_t(value, deviation / math.sqrt(count), count - 1, method, more)


def _by_t(value: float, error: float, freedom: float, method: str, more: int | None) -> Difference:
    from scipy.stats import t

    margin = float(t.ppf((1 + LEVEL) / 2, freedom)) * error
    result = Difference(value, value - margin, value + margin, method)
    return result if result.shown else Difference(value, value - margin, value + margin, method, more)


def _seeds_needed(value: float, deviation: float, paired: bool) -> int | None:
    """Return how many runs of each side show a difference of `value` with a probability of `POWER`.

    Args:
        value: the true difference.
        deviation: the standard deviation of the difference of one run of each side.
        paired: whether the runs are paired, which halves the degrees of freedom.
    """
    from scipy.stats import nct, t

    if value == 0 or deviation == 0:
        return None

    def power(count: int) -> float:
        freedom = count - 1 if paired else 2 * (count - 1)
        limit = t.ppf((1 + LEVEL) / 2, freedom)
        shift = abs(value) / deviation * math.sqrt(count)
        if shift > 30:  # beyond what the noncentral t is computed for, and certain
            return 1.0
        return float(nct.sf(limit, freedom, shift))

    low, high = 1, 2
    while power(high) < POWER:
        low, high = high, 2 * high
        if high > 2 * MOST_SEEDS:
            return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high


def of_answers(first: np.ndarray, second: np.ndarray) -> Difference:
    """Compare two models by their answers to the same images: McNemar's exact test and its interval.

    Args:
        first: booleans (N,), which images the first model names rightly.
        second: the same of the second model.

    Source: Q. McNemar, Note on the sampling error of the difference between correlated proportions or
    percentages, Psychometrika 12 (1947); the interval is Clopper and Pearson's of the images on which one
    model is right and the other wrong.
    """
    from scipy.stats import binomtest

    gained, lost = int((~first & second).sum()), int((first & ~second).sum())
    method = f"the answers to {len(first)} images, {gained} gained and {lost} lost (McNemar)"
    changed = gained + lost
    if not changed:
        return Difference(0.0, 0.0, 0.0, method)
    interval = binomtest(gained, changed).proportion_ci(LEVEL, "exact")
    low, high = ((2 * share - 1) * changed / len(first) for share in (interval.low, interval.high))
    return Difference((gained - lost) / len(first), float(low), float(high), method)


def of_losses(first: np.ndarray, second: np.ndarray) -> Difference:
    """Compare two models by their losses, float64 (N,) each, of the same images: Student's t of the pairs."""
    differences = second - first
    count, value = len(differences), float(differences.mean())
    error = float(differences.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    return _by_t(value, error, max(count - 1, 1), f"the losses of {count} images, paired (Student's t)", None)


def of_counts(first: tuple[int, int], second: tuple[int, int]) -> Difference:
    """Compare (right, all) of two models whose answers are not here: wider than of paired answers.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17 (1998), method 10.
    """
    one, other = first[0] / first[1], second[0] / second[1]
    (low_one, high_one), (low_other, high_other) = wilson_interval(*first), wilson_interval(*second)
    value = other - one
    low = value - math.hypot(other - low_other, high_one - one)
    high = value + math.hypot(high_other - other, one - low_one)
    return Difference(value, low, high, "the numbers of errors alone, as if of different images (Newcombe)")
