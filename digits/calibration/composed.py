"""Composed pictures that went through the reader: what the network is shown of pictures, right and wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digits.composing.composer import compose
from digits.composing.stock import Stock
from digits.pictures.framing import frame_digit
from digits.pictures.look import FindInk, Picture

FORM = (28, 28, 1)
"""The shape of what the reader makes of a picture."""

NO_DIGIT = -1

DIGITS_PER_NONE = 4
"""Pictures of a digit for each that has none."""


@dataclass(frozen=True, eq=False)
class Read:
    """What the reader made of composed pictures.

    `images` are float32 (N, 28, 28, 1) in [0, 1]; `labels` are int (N,), the digit, or `NO_DIGIT` where
    the picture has none and other marks, lines or shadows were taken for one.
    """

    images: np.ndarray
    labels: np.ndarray


def read_composed(stock: Stock, find: FindInk, seed: int, count: int) -> Read:
    """Compose pictures and read them, leaving out those in which no ink, or more than one digit, is found."""
    images, labels = [], []
    for number in range(count):
        none = number % (DIGITS_PER_NONE + 1) == DIGITS_PER_NONE
        composed = compose(stock, seed, number, "none" if none else "one")
        framed = frame_digit(Picture(composed.colours, None), find)
        if framed.box is not None and not framed.reason:
            images.append(framed.image)
            labels.append(composed.digits[0] if composed.digits else NO_DIGIT)
    return Read(np.array(images, np.float32).reshape(-1, *FORM), np.array(labels, np.int64))
