"""One answer about a thing from the answers about several looks at it."""

from collections.abc import Sequence

import numpy as np


def mean_of_looks(values: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Return the mean over the looks at each thing.

    Args:
        values: float32 (L, ...), of all looks at the first thing, then of those at the second, and so on.
        counts: how many looks there are at each of N things, at least one; they sum to L.

    Returns:
        Float32 (N, ...).
    """
    if not len(counts):
        return values
    first = np.cumsum([0, *counts[:-1]])
    number = np.reshape(counts, (-1, *[1] * (values.ndim - 1))).astype(np.float32)
    return np.asarray(np.add.reduceat(values, first, axis=0) / number)
