"""What the reader makes of pictures: images in the dataset's form, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.errors import DigitsError
from digits.files import Arrays, read_arrays, write_arrays

NO_DIGIT = -1


@dataclass(frozen=True, eq=False)
class Readings:
    """What the reader made of pictures.

    `looks` are float32 (N, 2, H, W, C) in [0, 1], what each digit was framed as from two looks at it;
    `labels` are int64 (N,), the class, or `NO_DIGIT` where another mark, a line or a shadow was taken for a
    digit.
    """

    looks: np.ndarray
    labels: np.ndarray


def no_readings(shape: tuple[int, int, int]) -> Readings:
    """Return readings of no picture, for images of a shape."""
    return Readings(np.zeros((0, 2, *shape), np.float32), np.zeros(0, np.int64))


def write_readings(path: Path, learn: Readings, choose: Readings) -> None:
    """Write the readings that the detector learns from, and those that the thresholds are chosen by."""
    arrays: Arrays = {}
    for part, readings in (("learn", learn), ("choose", choose)):
        arrays |= {f"{part}_looks": readings.looks, f"{part}_labels": readings.labels}
    write_arrays(path, arrays)


def read_readings(path: Path, shape: tuple[int, int, int]) -> tuple[Readings, Readings]:
    """Read what `write_readings` wrote, for images of a shape.

    Raises:
        DigitsError: the file is missing or damaged, or its images have another shape.
    """
    names = ("learn_looks", "learn_labels", "choose_looks", "choose_labels")
    arrays = read_arrays(path, names)
    for name in names[::2]:
        if arrays[name].shape[2:] != shape:
            raise DigitsError(f"{path}: {name} has images of {arrays[name].shape[2:]}, expected {shape}")
    learn, choose = (
        Readings(arrays[f"{part}_looks"], arrays[f"{part}_labels"]) for part in ("learn", "choose")
    )
    return learn, choose
