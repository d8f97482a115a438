"""Composed pictures that go through the reader: what the network is shown of pictures, right and wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from digits.calibration.legibility import legible
from digits.calibration.readings import NO_DIGIT, Readings
from digits.composing.composer import Kind, compose
from digits.composing.scene import WrittenDigit
from digits.composing.stock import Stock
from digits.decoding.colours import Picture
from digits.ink.look import Box, FindInk
from digits.params import Section
from digits.pictures.framing import frame_digit, frame_digits

FORM = (28, 28, 1)
"""The shape of what the reader makes of a picture."""

KINDS: tuple[Kind, ...] = ("one", "one", "one", "none", "one", "one", "one", "many")
"""How many digits pictures have, in turn."""


class ReadParams(Section):
    """The section `read` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    pictures: int = Field(ge=0, le=10_000_000)


def read_composed(stock: Stock, find: FindInk, seed: int, count: int) -> Readings:
    """Compose pictures and read them, leaving out those which no person can surely read."""
    looks, labels = [], []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        composed = compose(stock, seed, number, kind)
        can_be_read = legible(composed)
        picture = Picture(composed.colours, None)
        if kind == "many":
            found = frame_digits(picture, find).digits
        elif all(can_be_read):
            found = [frame_digit(picture, find)]
        else:
            continue
        for framed in found:
            if framed.box is None or framed.reason:
                continue
            label, is_legible = _digit_in(framed.box, composed.digits, can_be_read)
            if is_legible:
                looks.append(np.stack(framed.looks))
                labels.append(label)
    return Readings(np.array(looks, np.float32).reshape(-1, 2, *FORM), np.array(labels, np.int64))


def _digit_in(box: Box, digits: Sequence[WrittenDigit], can_be_read: Sequence[bool]) -> tuple[int, bool]:
    """Return which digit was framed, and whether it can be read: in the box, nearest to its middle."""
    left, top, right, bottom = box
    inside = []
    for digit, is_legible in zip(digits, can_be_read, strict=True):
        x, y = digit.middle
        if left <= x <= right and top <= y <= bottom:
            away = math.hypot(x - (left + right) / 2, y - (top + bottom) / 2)
            inside.append((away, digit.label, is_legible))
    return min(inside)[1:] if inside else (NO_DIGIT, True)
