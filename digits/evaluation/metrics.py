"""How good a classifier is, measured over every test image."""

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from pydantic import Field

from digits.errors import DigitsError
from digits.evaluation.calibration_error import expected_calibration_error
from digits.evaluation.intervals import wilson_interval
from digits.evaluation.predictions import losses
from digits.files import Table
from digits.params import Section

# Classes are balanced while the largest has at most so many times the images of the smallest.
BALANCED = 1.5
# With more classes an answer may be nearly right.
FEW_CLASSES = 10


class Marks(Section):
    """The thresholds of the marks of a good model, beside that of its accuracy, which the dataset has."""

    gap_below: float = Field(ge=0, le=1)
    loss_rise_at_most: float = Field(ge=0)


class EvaluateParams(Section):
    """The section `evaluate` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    calibration_bins: int = Field(ge=1, le=1000)
    marks: Marks


def evaluate(
    probabilities: np.ndarray,
    labels: np.ndarray,
    accepted: np.ndarray,
    history: Table,
    accuracy_above: float,
    params: EvaluateParams,
) -> dict[str, object]:
    """Return the numbers by which two models are compared.

    Args:
        probabilities: float32 (N, classes); a row sums to 1.
        labels: integers (N,) in [0, classes).
        accepted: booleans (N,), whether confidence and score reached the thresholds.
        history: of the training, with the columns accuracy, loss, val_accuracy and val_loss.
        accuracy_above: what the accuracy of a good model is above.
        params: the number of calibration bins and the other thresholds of the marks.

    Returns:
        The metrics, the most important first, rounded to six decimals: 10,000 images tell no more.
        The accuracy of the accepted answers is None where none is accepted. The balanced accuracy is among
        them where classes differ much in their number of images, and top-5 accuracy where classes are many.

    Raises:
        DigitsError: the probabilities do not belong to the labels, or are not finite.
    """
    if probabilities.shape[0] != len(labels) or probabilities.shape[1] <= labels.max():
        raise DigitsError(f"probabilities of shape {probabilities.shape} do not fit {len(labels)} labels")
    if not np.isfinite(probabilities).all():
        raise DigitsError(
            "the model answers nan or infinity: its training has diverged; lower its learning rate"
        )
    correct = probabilities.argmax(axis=1) == labels
    accuracy = float(correct.mean())
    gap = accuracy_gap(history)
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    further = {}
    if counts.max() > BALANCED * counts.min():
        further["balanced_accuracy"] = balanced_accuracy(probabilities, labels)
    if probabilities.shape[1] > FEW_CLASSES:
        further["top_5_accuracy"] = top_accuracy(probabilities, labels, 5)
    return rounded(
        {
            "accuracy": accuracy,
            **further,
            "errors": int((~correct).sum()),
            "loss": cross_entropy(probabilities, labels),
            "calibration_error": calibration_error(probabilities, labels, params),
            "train_validation_gap": gap,
            "accepted": {
                "share": float(accepted.mean()),
                "accuracy": float(correct[accepted].mean()) if accepted.any() else None,
            },
            "marks": {
                "accuracy_high": accuracy > accuracy_above,
                "curves_close": gap < params.marks.gap_below,
                "loss_falling": largest_rise(history["loss"]) <= params.marks.loss_rise_at_most,
            },
        }
    )


def details(
    probabilities: np.ndarray,
    before: np.ndarray,
    labels: np.ndarray,
    accepted: np.ndarray,
    false_accepts: dict[str, float],
    params: EvaluateParams,
) -> dict[str, object]:
    """Return further measurements of the answers, rounded to six decimals.

    The arguments are those of `evaluate`, `before`, the probabilities before calibration, and
    `false_accepts`, the share of accepted answers to images of no class, by the kind of these.
    An interval is one of 95%, None where there is no answer.
    """
    correct = probabilities.argmax(axis=1) == labels
    f1 = class_scores(probabilities, labels)["f1"]
    return rounded(
        {
            "accuracy_interval": _interval(correct),
            "accepted": {
                "accuracy_interval": _interval(correct[accepted]),
                "errors": int((~correct[accepted]).sum()),
            },
            "balanced_accuracy": balanced_accuracy(probabilities, labels),
            "brier_score": brier_score(probabilities, labels),
            "false_accepts": false_accepts,
            "macro_f1": math.fsum(f1) / len(f1),
            "uncalibrated": {
                "calibration_error": calibration_error(before, labels, params),
                "loss": cross_entropy(before, labels),
            },
        }
    )


def _interval(correct: np.ndarray) -> dict[str, float] | None:
    if not len(correct):
        return None
    return dict(zip(("low", "high"), wilson_interval(int(correct.sum()), len(correct)), strict=True))


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, params: EvaluateParams) -> float:
    """Return the expected calibration error of `probabilities` (N, classes)."""
    correct = probabilities.argmax(axis=1) == labels
    return expected_calibration_error(probabilities.max(axis=1), correct, params.calibration_bins)


def class_scores(probabilities: np.ndarray, labels: np.ndarray) -> Table:
    """Return columns with a row per class: images, precision, recall and f1.

    A share is 0 where its denominator is 0. The arguments are those of `evaluate`.
    """
    from sklearn.metrics import precision_recall_fscore_support

    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, images = precision_recall_fscore_support(
        labels, predicted, labels=range(probabilities.shape[1]), zero_division=0
    )
    columns = {"images": images, "precision": precision, "recall": recall, "f1": f1}
    return {name: values.tolist() for name, values in columns.items()}


def balanced_accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over the classes that occur of the share of right answers to their images."""
    right = np.bincount(labels[probabilities.argmax(axis=1) == labels], minlength=probabilities.shape[1])
    images = np.bincount(labels, minlength=probabilities.shape[1])
    occurs = images > 0
    return math.fsum(right[occurs] / images[occurs]) / int(occurs.sum())


def top_accuracy(probabilities: np.ndarray, labels: np.ndarray, places: int) -> float:
    """Return the share of images whose class has one of the `places` highest probabilities.

    Of equal probabilities that of the lower label comes first.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :places]
    return float((order == labels[:, np.newaxis]).any(axis=1).mean())


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of `losses`."""
    return math.fsum(losses(probabilities, labels)) / len(labels)


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean squared distance of the probabilities to the truth, from 0 to 2 (Brier 1950)."""
    truth = np.zeros_like(probabilities, dtype=np.float64)
    truth[np.arange(len(labels)), labels] = 1
    return math.fsum(np.square(probabilities - truth).ravel()) / len(labels)


def accuracy_gap(history: Table) -> float:
    """Return the distance of training and validation accuracy at the epoch of lowest validation loss."""
    best = history["val_loss"].index(min(history["val_loss"]))
    return abs(history["accuracy"][best] - history["val_accuracy"][best])


def largest_rise(values: list[float]) -> float:
    """Return the largest rise from a value to the next: negative where all fall, 0 for a single value."""
    return max((later - earlier for earlier, later in pairwise(values)), default=0.0)


def rounded(values: Mapping[str, object]) -> dict[str, object]:
    """Round the floats in nested dictionaries to six decimals."""
    return {name: _rounded(value) for name, value in values.items()}


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return rounded(value)
    return round(value, 6) if isinstance(value, float) else value
