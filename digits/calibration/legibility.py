"""Which digits of a composed picture a person can surely read."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from digits.composing.camera import difference
from digits.composing.composer import Composed
from digits.composing.scene import WrittenDigit
from digits.composing.shapes import ZERO

LEAST_DIFFERENCE, OF_DEVIATION = 16, 0.8
"""Levels of a colour by which ink differs from what is around it, and the share of the deviation of that."""

LEAST_LENGTH = 7
"""Pixels that a digit is long, of those that the picture really has."""

CUT_OFF = 0.05
"""The share of a digit's width or height that may lie outside of what is seen."""


def legible(composed: Composed) -> tuple[bool, ...]:
    """Tell of each digit whether a person can surely read it.

    It is whole, large enough, stands out, and the pen was not so wide that it closed a loop.
    """
    scene = composed.scene
    apart, deviation = difference(composed.colours, composed.shares[..., 0] > 127)
    stands_out = apart >= max(LEAST_DIFFERENCE, OF_DEVIATION * deviation)
    answers = []
    for digit in composed.digits:
        left, top, right, bottom = digit.box
        width, height = right - left, bottom - top
        # The paper may lie askew.
        slack_x, slack_y = CUT_OFF * width + 1, CUT_OFF * height + 1
        whole = left >= scene.seen[0] - slack_x and right <= scene.seen[2] + slack_x
        whole &= top >= scene.seen[1] - slack_y and bottom <= scene.seen[3] + slack_y
        large = max(width, height) * scene.pixels >= LEAST_LENGTH
        answers.append(stands_out and whole and large and _has_its_loops(digit))
    return tuple(answers)


def _has_its_loops(digit: WrittenDigit) -> bool:
    """Tell whether a digit has as many loops, drawn by its pen, as its shape has."""
    drawn = digit.covered > digit.covered.max() / 2
    return _loops(drawn) == _loops(digit.outline < ZERO)


def _loops(strokes: np.ndarray) -> int:
    """Count the parts of the ground that strokes, bool (h, w), enclose."""
    return int(ndimage.label(~np.pad(strokes, 1))[1]) - 1
