"""The thresholds: how sure an answer must be to be accepted, for stated shares of what may go wrong."""

import numpy as np

from digits.classifier.metadata import Thresholds

# The thresholds that are tried, lowest first: three decimals are as fine as a person will read.
STEPS = 1000


def choose_thresholds(
    digits: tuple[np.ndarray, np.ndarray],
    correct: np.ndarray,
    others: tuple[np.ndarray, np.ndarray],
    wrong_at_most: float,
    false_accepts_at_most: float,
) -> Thresholds:
    """Choose the lowest confidence, and then the lowest score, that keep two promises.

    Args:
        digits: confidence and score of validation images, each float (N,) in [0, 1].
        correct: booleans (N,), whether the digit that was named is the right one.
        others: confidence and score of images that are no digits, each float (M,) in [0, 1].
        wrong_at_most: the share of the digits that reach the confidence which may be wrong.
        false_accepts_at_most: the share of the others that may reach confidence and score.

    Returns:
        The thresholds; 1 where nothing lower keeps the promise.
    """
    confidence, _ = (np.asarray(values, np.float64) for values in digits)
    other_confidence, other_score = (np.asarray(values, np.float64) for values in others)
    tried = [step / STEPS for step in range(STEPS + 1)]

    def few_are_wrong(threshold: float) -> bool:
        accepted = confidence >= threshold
        return bool(np.count_nonzero(accepted & ~correct) <= wrong_at_most * np.count_nonzero(accepted))

    lowest_confidence = next((value for value in tried if few_are_wrong(value)), 1.0)
    confident = other_confidence >= lowest_confidence

    def few_are_accepted(threshold: float) -> bool:
        accepted = confident & (other_score >= threshold)
        return bool(np.count_nonzero(accepted) <= false_accepts_at_most * len(accepted))

    return Thresholds(lowest_confidence, next((value for value in tried if few_are_accepted(value)), 1.0))
