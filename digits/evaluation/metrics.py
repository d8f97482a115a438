"""How good a classifier's answers are, counted over every example."""

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from pydantic import Field

from digits.errors import DigitsError
from digits.evaluation.calibration_error import expected_calibration_error
from digits.evaluation.intervals import wilson_interval
from digits.files import Table
from digits.params import Section


class Marks(Section):
    """The thresholds of the article's marks of a good model."""

    accuracy_above: float = Field(ge=0, le=1)
    gap_below: float = Field(ge=0, le=1)
    loss_rise_at_most: float = Field(ge=0)


class EvaluateParams(Section):
    """The section `evaluate` of params.yaml."""

    calibration_bins: int = Field(ge=1, le=1000)
    marks: Marks


def evaluate(
    probabilities: np.ndarray, labels: np.ndarray, history: Table, params: EvaluateParams
) -> dict[str, object]:
    """Measure answers against labels.

    Args:
        probabilities: float32 (N, classes), each row the probabilities of one example.
        labels: integers (N,) in [0, classes).
        history: of the training, with the columns accuracy, loss, val_accuracy and val_loss.
        params: the number of calibration bins and the thresholds of the marks.

    Returns:
        The metrics, shares rounded to six decimals, which is more than 10,000 examples can tell.

    Raises:
        DigitsError: the probabilities do not belong to the labels.
    """
    if probabilities.shape[0] != len(labels) or probabilities.shape[1] <= labels.max():
        raise DigitsError(f"probabilities of shape {probabilities.shape} do not fit {len(labels)} labels")
    if not np.isfinite(probabilities).all():
        raise DigitsError(
            "the model answers nan or infinity: its training has diverged; lower its learning rate"
        )
    predicted = probabilities.argmax(axis=1)
    correct = predicted == labels
    count, right = len(labels), int(correct.sum())
    low, high = wilson_interval(right, count)
    gap = accuracy_gap(history)
    rise = largest_rise(history["loss"])
    metrics = {
        "accuracy": right / count,
        "accuracy_interval": {"low": low, "high": high},
        "brier_score": brier_score(probabilities, labels),
        "errors": count - right,
        **calibration_error(probabilities, labels, params.calibration_bins),
        "train_validation_gap": gap,
        "marks": {
            "accuracy_high": right / count > params.marks.accuracy_above,
            "curves_close": gap < params.marks.gap_below,
            "loss_falling": rise <= params.marks.loss_rise_at_most,
        },
        **per_class(labels, predicted, probabilities.shape[1]),
    }
    return rounded(metrics)


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int) -> dict[str, float]:
    """Give the expected calibration error and the loss of `probabilities` (N, classes)."""
    correct = probabilities.argmax(axis=1) == labels
    return {
        "expected_calibration_error": expected_calibration_error(probabilities.max(axis=1), correct, bins),
        "loss": cross_entropy(probabilities, labels),
    }


def per_class(labels: np.ndarray, predicted: np.ndarray, classes: int) -> dict[str, object]:
    """Give precision, recall and F1 of each class, 0 where there is nothing to divide by, and the mean F1."""
    from sklearn.metrics import precision_recall_fscore_support

    names = ("precision", "recall", "f1")
    scores = precision_recall_fscore_support(labels, predicted, labels=range(classes), zero_division=0)[:3]
    return {
        "macro_f1": math.fsum(scores[2]) / classes,
        "per_class": {
            str(label): {name: float(score[label]) for name, score in zip(names, scores, strict=True)}
            for label in range(classes)
        },
    }


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Give the mean negative logarithm of the probability of the right class, as Keras clips it (at 1e-7)."""
    of_right_class = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return -math.fsum(math.log(value) for value in np.clip(of_right_class, 1e-7, 1 - 1e-7)) / len(labels)


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Give the mean squared distance of the probabilities to the truth, from 0 to 2 (Brier 1950)."""
    truth = np.zeros_like(probabilities, dtype=np.float64)
    truth[np.arange(len(labels)), labels] = 1
    return math.fsum(np.square(probabilities - truth).ravel()) / len(labels)


def accuracy_gap(history: Table) -> float:
    """Give the distance of training and validation accuracy at the epoch of lowest validation loss."""
    best = history["val_loss"].index(min(history["val_loss"]))
    return abs(history["accuracy"][best] - history["val_accuracy"][best])


def largest_rise(values: list[float]) -> float:
    """Give the largest rise from a value to the next; a negative number where all fall, 0 for one value."""
    return max((later - earlier for earlier, later in pairwise(values)), default=0.0)


def rounded(metrics: Mapping[str, object]) -> dict[str, object]:
    """Round the floats in nested dictionaries to six decimals."""
    return {name: _rounded(value) for name, value in metrics.items()}


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return rounded(value)
    return round(value, 6) if isinstance(value, float) else value
