"""Composed pictures that went through the reader: what the network is shown of pictures, right and wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digits.composing.composer import Composed, Kind, compose
from digits.composing.stock import Stock
from digits.decoding.colours import Picture
from digits.ink.look import FindInk
from digits.pictures.framing import Framed, frame_digit, frame_digits

FORM = (28, 28, 1)
"""The shape of what the reader makes of a picture."""

NO_DIGIT = -1

KINDS: tuple[Kind, ...] = ("one", "one", "one", "none", "one", "one", "one", "many")
"""How many digits pictures have, in turn."""


@dataclass(frozen=True, eq=False)
class Read:
    """What the reader made of composed pictures.

    `images` are float32 (N, 28, 28, 1) in [0, 1]; `labels` are int (N,), the digit, or `NO_DIGIT` where
    another mark, a line or a shadow was taken for one.
    """

    images: np.ndarray
    labels: np.ndarray


def read_composed(stock: Stock, find: FindInk, seed: int, count: int) -> Read:
    """Compose pictures and read them, leaving out those which no person can surely read."""
    images, labels = [], []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        composed = compose(stock, seed, number, kind)
        picture = Picture(composed.colours, None)
        if kind == "many":
            found = frame_digits(picture, find)[0]
        elif all(composed.legible):
            found = [frame_digit(picture, find)]
        else:
            continue
        for framed in found:
            label, legible = _digit_at(composed, framed)
            if framed.box is not None and not framed.reason and legible:
                images.append(framed.image)
                labels.append(label)
    return Read(np.array(images, np.float32).reshape(-1, *FORM), np.array(labels, np.int64))


def _digit_at(composed: Composed, framed: Framed) -> tuple[int, bool]:
    """Return which digit stands where one was framed, its middle in the box, and whether it is legible."""
    left, top, right, bottom = framed.box or (0, 0, 0, 0)
    for digit, (x, y), legible in zip(composed.digits, composed.places, composed.legible, strict=True):
        if left <= x <= right and top <= y <= bottom:
            return digit, legible
    return NO_DIGIT, True
