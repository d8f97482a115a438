"""The table of predictions, written, read back and compared with the test set."""

from pathlib import Path

import numpy as np
import pytest

from digits.errors import DigitsError
from digits.evaluation.predictions import predictions_table, read_predictions
from digits.files import write_table

LABELS = np.array([7, 2, 1], np.uint8)


def write_predictions(folder: Path) -> Path:
    columns = {
        "actual": [7, 2, 1],
        "predicted": [7, 2, 9],
        "confidence": [1, 0.9, 0.5],
        "uncalibrated": [1, 0.95, 0.75],
    }
    write_table(folder / "predictions.csv", columns)
    return folder / "predictions.csv"


def test_predictions_are_read_as_integers_and_probabilities(tmp_path: Path) -> None:
    predictions = read_predictions(write_predictions(tmp_path), LABELS, 10)

    assert [7, 2, 1] == predictions.actual.tolist()
    assert [7, 2, 9] == predictions.predicted.tolist()
    assert [1.0, 0.9, 0.5] == predictions.confidence.tolist()
    assert [1.0, 0.95, 0.75] == predictions.uncalibrated.tolist()
    assert np.int64 == predictions.predicted.dtype


def test_the_table_has_a_row_per_image(tmp_path: Path) -> None:
    before = np.array([[1, 0, 0], [0, 0.75, 0.25]], np.float32)
    # The loss of a probability of 0 is that of 1e-7: 7 times the logarithm of 10.
    after = np.array([[0.75, 0.25, 0], [0.5, 0.5, 0]], np.float32)
    labels, score, accepted = np.array([0, 2]), np.array([1, 0.25], np.float32), np.array([True, False])
    write_table(tmp_path / "table.csv", predictions_table(labels, before, after, score, accepted))

    assert [
        "index,actual,predicted,confidence,uncalibrated,score,accepted,loss",
        "0,0,0,0.75,1,1,1,0.287682",
        "1,2,0,0.5,0.75,0.25,0,16.118096",
    ] == (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("labels", [LABELS[:2], np.array([7, 2, 3], np.uint8)])
def test_predictions_about_other_images_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    with pytest.raises(DigitsError, match=r"3 predictions that do not belong to the . test images"):
        read_predictions(write_predictions(tmp_path), labels, 10)
