"""The table of predictions, read back and held against the test set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from digits.errors import DigitsError
from digits.evaluation.predictions import predictions_table, read_predictions
from digits.files import write_table

LABELS = np.array([7, 2, 1], np.uint8)


def table(path: Path, **columns: Sequence[float]) -> Path:
    """Write predictions of the three labels, with other `columns` where a test wants them."""
    columns = {
        "index": [0, 1, 2],
        "actual": [7, 2, 1],
        "predicted": [7, 2, 9],
        "confidence": [1, 0.9, 0.5],
        "uncalibrated": [1, 0.95, 0.75],
        **columns,
    }
    write_table(path / "predictions.csv", columns)
    return path / "predictions.csv"


def test_predictions_are_read_as_integers_and_probabilities(tmp_path: Path) -> None:
    predictions = read_predictions(table(tmp_path), LABELS, classes=10)

    assert [7, 2, 1] == predictions.actual.tolist()
    assert [7, 2, 9] == predictions.predicted.tolist()
    assert [1.0, 0.9, 0.5] == predictions.confidence.tolist()
    assert [1.0, 0.95, 0.75] == predictions.uncalibrated.tolist()
    assert np.int64 == predictions.predicted.dtype


def test_the_table_has_what_was_said_of_each_image(tmp_path: Path) -> None:
    before = np.array([[1, 0, 0], [0, 0.75, 0.25]], np.float32)
    answers = np.array([[0.75, 0.25, 0], [0.25, 0.5, 0.25]], np.float32)
    labels, score, accepted = np.array([0, 2]), np.array([1, 0.25], np.float32), np.array([True, False])
    write_table(tmp_path / "table.csv", predictions_table(labels, before, answers, score, accepted))

    assert [
        "index,actual,predicted,confidence,uncalibrated,score,accepted",
        "0,0,0,0.75,1,1,1",
        "1,2,1,0.5,0.75,0.25,0",
    ] == (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()


def test_predictions_of_another_number_of_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match="3 predictions, but the test set has 2 images"):
        read_predictions(table(tmp_path), LABELS[:2], classes=10)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"index": [0, 2, 1]}, "prediction 1: index is 2, expected its place in the test set"),
        ({"actual": [7, 2, 3]}, "prediction 2: actual is 3, expected the label in the test set"),
        ({"predicted": [7, 2, 10]}, "prediction 2: predicted is 10, expected a label from 0 to 9"),
        ({"predicted": [7, 2.5, 9]}, "prediction 1: predicted is 2.5, expected a label from 0 to 9"),
        ({"predicted": [-1, 2, 9]}, "prediction 0: predicted is -1, expected a label from 0 to 9"),
        ({"confidence": [1, 1.5, 0.5]}, "prediction 1: confidence is 1.5, expected a number from 0 to 1"),
        ({"confidence": [1, float("nan"), 0.5]}, "prediction 1: confidence is nan, expected a number"),
        ({"uncalibrated": [1, 0.5, -1]}, "prediction 2: uncalibrated is -1, expected a number from 0 to 1"),
    ],
)
def test_the_first_wrong_prediction_is_named(
    tmp_path: Path, columns: dict[str, list[float]], message: str
) -> None:
    with pytest.raises(DigitsError, match=message):
        read_predictions(table(tmp_path, **columns), LABELS, classes=10)
