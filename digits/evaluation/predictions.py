"""What the classifier said about each test image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.errors import DigitsError
from digits.files import Table, read_table

COLUMNS = ("index", "actual", "predicted", "confidence", "uncalibrated")


@dataclass(frozen=True)
class Predictions:
    """One prediction per test image, in the order of the test set.

    Attributes:
        actual: int64 (N,), the labels.
        predicted: int64 (N,), the labels that the classifier gave.
        confidence: float64 (N,) in [0, 1], its probability for the label it gave.
        uncalibrated: the same as it was before calibration.
    """

    actual: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    uncalibrated: np.ndarray


def predictions_table(
    labels: np.ndarray, before: np.ndarray, answers: np.ndarray, score: np.ndarray, accepted: np.ndarray
) -> Table:
    """Give the columns of the table, a row per image.

    Args:
        labels: integers (N,), the right answers.
        before: float32 (N, classes), the probabilities before calibration.
        answers: float32 (N, classes), the calibrated ones, by which the label is named.
        score: float32 (N,) in [0, 1], how surely the image is a digit at all.
        accepted: booleans (N,), whether confidence and score reached the thresholds.
    """
    columns = {
        "index": np.arange(len(labels)),
        "actual": labels,
        "predicted": answers.argmax(axis=1),
        "confidence": answers.max(axis=1),
        "uncalibrated": before.max(axis=1),
        "score": score,
        "accepted": accepted.astype(np.uint8),
    }
    return {name: values.tolist() for name, values in columns.items()}


def read_predictions(path: Path, labels: np.ndarray, classes: int) -> Predictions:
    """Read a table of predictions and check that it is about the images with these labels.

    Args:
        path: a table with the `COLUMNS`.
        labels: integers (N,), the test set's labels.
        classes: the number of classes; a label is from 0 to `classes - 1`.

    Raises:
        DigitsError: the table is missing or damaged, or says something about other images.
    """
    columns = {name: np.array(values) for name, values in read_table(path, COLUMNS).items()}
    rows = len(columns["index"])
    if rows != len(labels):
        raise DigitsError(f"{path}: {rows} predictions, but the test set has {len(labels)} images")
    expected = {
        "index": (columns["index"] == np.arange(rows), "its place in the test set"),
        "actual": (columns["actual"] == labels, "the label in the test set"),
        "predicted": (np.isin(columns["predicted"], np.arange(classes)), f"a label from 0 to {classes - 1}"),
        **{
            name: ((columns[name] >= 0) & (columns[name] <= 1), "a number from 0 to 1")
            for name in ("confidence", "uncalibrated")
        },
    }
    for name, (fine, description) in expected.items():
        if not fine.all():
            row = int(np.argmin(fine))
            value = columns[name][row]
            raise DigitsError(f"{path}: prediction {row}: {name} is {value:g}, expected {description}")
    return Predictions(
        columns["actual"].astype(np.int64),
        columns["predicted"].astype(np.int64),
        columns["confidence"],
        columns["uncalibrated"],
    )
