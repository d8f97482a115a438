"""Examples to calibrate by are evenly spaced, checked, and as many as are asked for at most."""

from pathlib import Path

import numpy as np
import pytest

from digits.calibration import examples
from digits.calibration.examples import read_examples
from digits.errors import DigitsError
from digits.files import write_arrays


def part(path: Path, labels: np.ndarray, level: float = 1 / 255) -> Path:
    """Write a part in which each pixel of an image says which one it is."""
    images = np.ones((10, 2, 2, 1), np.float32) * np.arange(10, dtype=np.float32)[:, None, None, None]
    write_arrays(path, {"images": images * np.float32(level), "labels": labels})
    return path


@pytest.mark.parametrize(
    ("most", "expected"), [(100, [*range(10)]), (10, [*range(10)]), (9, [0, 2, 4, 6, 8]), (4, [0, 3, 6, 9])]
)
@pytest.mark.parametrize("block", [1, 4, 1000])
def test_every_nth_image_is_read_whatever_is_read_at_a_time(
    most: int, expected: list[int], block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "BLOCK", block)
    path = part(tmp_path / "train.npz", np.arange(10, dtype=np.uint8))

    read = read_examples(path, most, classes=10)

    assert expected == read["labels"].tolist()
    assert expected == np.rint(read["images"][:, 0, 0, 0] * 255).astype(int).tolist()


@pytest.mark.parametrize(
    ("labels", "level", "message"),
    [
        (np.zeros(9, np.uint8), 0.1, "10 images with 9 labels"),
        (np.full(10, 10, np.uint8), 0.1, "labels: the values reach from 10 to 10, expected 0 to 9"),
        (np.zeros(10, np.uint8), 1.0, "images: the values reach from 0 to 9, expected 0 to 1"),
        (np.zeros(10, np.int64), 0.1, "labels: the type is int64, expected uint8"),
    ],
)
def test_a_part_that_is_something_else_is_one_line(
    labels: np.ndarray, level: float, message: str, tmp_path: Path
) -> None:
    path = part(tmp_path / "train.npz", labels, level)
    with pytest.raises(DigitsError, match=message) as caught:
        read_examples(path, 100, classes=10)

    assert str(caught.value).startswith(f"{path}: ")
