"""The table of predictions: a row per test image, in the order of the test set."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.errors import DigitsError
from digits.files import Table, check_column, read_table


@dataclass(frozen=True)
class Predictions:
    """What the figures draw of the table.

    Attributes:
        actual: int64 (N,), the labels.
        predicted: int64 (N,), the classes of highest probability.
        confidence: float64 (N,) in [0, 1], the probability of that class.
        uncalibrated: float64 (N,) in [0, 1], the highest probability before calibration.
    """

    actual: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    uncalibrated: np.ndarray


def predictions_table(
    labels: np.ndarray, before: np.ndarray, probabilities: np.ndarray, score: np.ndarray, accepted: np.ndarray
) -> Table:
    """Return the columns of the table.

    Args:
        labels: integers (N,), the right classes.
        before: float32 (N, classes), the probabilities before calibration.
        probabilities: float32 (N, classes), the calibrated ones, of which the highest is the prediction.
        score: float32 (N,) in [0, 1], the probability that the image is a digit at all.
        accepted: booleans (N,), whether confidence and score reached the thresholds.
    """
    columns = {
        "index": np.arange(len(labels)),
        "actual": labels,
        "predicted": probabilities.argmax(axis=1),
        "confidence": probabilities.max(axis=1),
        "uncalibrated": before.max(axis=1),
        "score": score,
        "accepted": accepted.astype(np.uint8),
    }
    return {name: values.tolist() for name, values in columns.items()} | {
        "loss": losses(probabilities, labels)
    }


def losses(probabilities: np.ndarray, labels: np.ndarray) -> list[float]:
    """Return the negative logarithm of each right class's probability, clipped at 1e-7 as Keras does.

    The arguments are those of `predictions_table`.
    """
    of_right_class = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    # Python's own logarithm: the last bit of NumPy's depends on the CPU.
    return [-math.log(value) for value in np.clip(of_right_class, 1e-7, 1 - 1e-7)]


def read_predictions(path: Path, labels: np.ndarray, classes: int) -> Predictions:
    """Read a table of predictions about the images with these `labels`, integers (N,), below `classes`.

    Raises:
        DigitsError: the table is missing or damaged, or belongs to other images.
    """
    names = ("actual", "predicted", "confidence", "uncalibrated")
    table = read_table(path, names)
    for name in names[1:]:
        check_column(path, table, name, 0, classes - 1 if name == "predicted" else 1)
    columns = {name: np.array(values) for name, values in table.items()}
    if not np.array_equal(columns["actual"], labels):
        count = len(columns["actual"])
        raise DigitsError(f"{path}: {count} predictions that do not belong to the {len(labels)} test images")
    return Predictions(
        columns["actual"].astype(np.int64),
        columns["predicted"].astype(np.int64),
        columns["confidence"],
        columns["uncalibrated"],
    )
