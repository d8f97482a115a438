"""What is gained by refusing unsure answers, and whether two engines answer alike."""

import math

import numpy as np

from digits.errors import DigitsError
from digits.evaluation.intervals import wilson_interval

# Of two networks that differ in nothing but the order of their sums.
ROUNDING = 1e-3


def acceptance(accepted: np.ndarray, correct: np.ndarray) -> dict[str, object]:
    """Measure what is accepted.

    Args:
        accepted: booleans (N,), whether an answer about a digit reached the thresholds.
        correct: booleans (N,), whether it is right.

    Returns:
        The share accepted, and of those the share that is right, None where none is, with its 95% interval.
    """
    count, right = int(accepted.sum()), int((accepted & correct).sum())
    low, high = wilson_interval(right, count) if count else (None, None)
    return {
        "share": count / len(accepted),
        "accuracy": right / count if count else None,
        "accuracy_interval": {"low": low, "high": high},
        "errors": count - right,
    }


def parity(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Compare the probabilities (N, classes) that two engines give the same images.

    The difference is rounded up to a power of ten, since LiteRT's last bits depend on the CPU.

    Raises:
        DigitsError: the answers have different shapes.
    """
    if first.shape != second.shape:
        raise DigitsError(f"answers of shape {first.shape} and {second.shape} cannot be compared")
    largest = float(np.abs(first.astype(np.float64) - second).max(initial=0))
    rounded_up = largest if not largest > 0 else 10.0 ** max(math.ceil(math.log10(largest)), -6)
    return {
        "images": len(first),
        "same_answers": int((first.argmax(axis=1) == second.argmax(axis=1)).sum()),
        "difference_at_most": rounded_up,
    }


def check_parity(first: np.ndarray, second: np.ndarray) -> None:
    """Refuse an export whose probabilities (N, classes) are further off than rounding explains.

    Raises:
        DigitsError: a probability differs by more than `ROUNDING`, or is no number.
    """
    found = parity(first, second)
    if not found["difference_at_most"] <= ROUNDING:
        raise DigitsError(
            f"the exported model answers otherwise: {found['same_answers']} of {found['images']} images are "
            f"named alike, and probabilities differ by up to {found['difference_at_most']:g}"
        )
