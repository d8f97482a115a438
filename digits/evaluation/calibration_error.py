"""The calibration error: how far a classifier's confidence is from its accuracy."""

import math

import numpy as np


def calibration_bins(
    confidence: np.ndarray, correct: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort examples by confidence into bins of equal width: bin i is (i / bins, (i + 1) / bins].

    Args:
        confidence: floats (N,) in [0, 1]; a confidence of exactly 0 belongs to bin 0.
        correct: booleans (N,), whether each prediction was right.
        bins: number of bins, at least 1.

    Returns:
        For each bin the number of examples, int64 (bins,), their mean confidence and their
        accuracy, float64 (bins,) in [0, 1]; the last two are nan where a bin is empty.

    Raises:
        ValueError: a confidence is outside [0, 1] or nan, or the lengths differ.
    """
    counts, confidence_sums, correct_counts = _bin_sums(confidence, correct, bins)
    divisor = np.where(counts > 0, counts, np.nan)
    return counts, confidence_sums / divisor, correct_counts / divisor


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int) -> float:
    """Return the mean over all examples of the gap between mean confidence and accuracy in their bin.

    The arguments and errors are those of `calibration_bins`, and there must be an example.
    The value is in [0, 1] and does not depend on the order of the examples.

    Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 5.
    """
    _, confidence_sums, correct_counts = _bin_sums(confidence, correct, bins)
    return math.fsum(np.abs(confidence_sums - correct_counts)) / len(confidence)


def _bin_sums(
    confidence: np.ndarray, correct: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each bin's number of examples, sum of confidences and number of correct examples."""
    confidence = np.asarray(confidence, dtype=np.float64)
    correct = np.asarray(correct, dtype=bool)
    if confidence.shape != correct.shape:
        raise ValueError(f"{confidence.shape} confidences for {correct.shape} examples")
    if not np.all((confidence >= 0) & (confidence <= 1)):
        raise ValueError("a confidence is outside [0, 1]")
    upper_edges = np.arange(1, bins + 1) / bins
    bin_of = np.searchsorted(upper_edges, confidence, side="left")
    counts = np.bincount(bin_of, minlength=bins)
    correct_counts = np.bincount(bin_of[correct], minlength=bins)
    # An exact sum does not depend on the order of the examples.
    confidence_sums = np.array([math.fsum(confidence[bin_of == number]) for number in range(bins)])
    return counts, confidence_sums, correct_counts
