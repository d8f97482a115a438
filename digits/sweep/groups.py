"""What the runs of a sweep say together: a group for each recipe, its seeds beside each other."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from digits.sweep.rows import Row, natural

DRAWS = 10_000


@dataclass(frozen=True)
class Group:
    """The runs whose overrides are the same but for seeds.

    Attributes:
        overrides: that all of its runs have.
        commit: of its runs.
        dirty: whether there were uncommitted changes.
        rows: the runs that ended well, by their seeds.
        failed: those that failed.
    """

    overrides: tuple[str, ...]
    commit: str
    dirty: bool
    rows: list[Row]
    failed: list[Row]

    def values(self, metric: str) -> list[float]:
        """Return a metric of each run that has it."""
        return [row.metrics[metric] for row in self.rows if metric in row.metrics]


def group_rows(rows: Iterable[Row]) -> list[Group]:
    """Return the groups in the order of their overrides; the last row of a run counts."""
    last = {row.id: row for row in rows if not row.check}
    members: dict[tuple[tuple[str, ...], str], list[Row]] = defaultdict(list)
    for row in last.values():
        members[(row.group, row.inputs)].append(row)
    groups = []
    for (overrides, _), runs in members.items():
        runs.sort(key=lambda row: natural(row.seeds))
        good = [row for row in runs if row.error is None]
        bad = [row for row in runs if row.error is not None]
        groups.append(Group(overrides, runs[0].commit, any(row.dirty for row in runs), good, bad))
    return sorted(groups, key=lambda group: (natural(group.overrides), group.commit))


def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    """Return the mean and the standard deviation of a sample (0 for a single value)."""
    mean = math.fsum(values) / len(values)
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / max(1, len(values) - 1))


def mean_interval(values: list[float]) -> tuple[float, float] | None:
    """Return the 95% interval of the mean by Student's t, or None for a single value."""
    from scipy.stats import t

    if len(values) < 2:
        return None
    mean, deviation = mean_and_deviation(values)
    margin = float(t.ppf(0.975, len(values) - 1)) * deviation / math.sqrt(len(values))
    return mean - margin, mean + margin


def best_group(samples: list[list[float]]) -> tuple[int, float | None]:
    """Return which sample has the highest mean, and the probability that its true mean is the highest.

    The true means are drawn from their distribution given the samples, with one variance for all and no
    opinion beforehand (Gelman et al., Bayesian Data Analysis, 3rd edition, section 3.2, for one sample).
    The draws are always the same ones.

    Returns:
        The number of the sample, and the probability; None where no sample has two values, or only one is.
    """
    counts = np.array([len(values) for values in samples])
    means = np.array([np.mean(values) for values in samples])
    best, freedom = int(means.argmax()), int((counts - 1).sum())
    if freedom < 1 or len(samples) < 2:
        return best, None
    random = np.random.Generator(np.random.PCG64(0))
    squares = sum(float(np.square(np.array(values) - np.mean(values)).sum()) for values in samples)
    scales = np.sqrt(squares / random.chisquare(freedom, DRAWS))
    wins = 0
    # A few draws at a time: there may be thousands of samples.
    for some in np.array_split(scales, max(1, len(samples) // 10)):
        drawn = means + some[:, None] * random.standard_normal((len(some), len(samples))) / np.sqrt(counts)
        wins += int((drawn.argmax(axis=1) == best).sum())
    return best, wins / DRAWS
