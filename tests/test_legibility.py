"""Which digits of a composed picture a person can surely read."""

from dataclasses import replace

import numpy as np
import pytest

from digits.calibration.legibility import legible
from digits.composing.composer import Composed
from digits.composing.grounds import SIDE
from digits.composing.scene import Scene, WrittenDigit, begun
from digits.composing.shapes import FIELD, UNITS, ZERO
from digits.composing.stock import Stock

# A bar of 10 by 30 pixels, which stands for a one.
LEFT, TOP, RIGHT, BOTTOM = BAR = (50, 40, 60, 70)


@pytest.fixture
def scene() -> Scene:
    stock = Stock.of("learn", np.ones((1, 28, 28, 1), np.float32), np.array([1]), seed=0)
    return begun(np.random.Generator(np.random.PCG64(0)), stock)


def written(scene: Scene, ink: int = 20, down: int = 0) -> Composed:
    """Return a picture of the bar in an ink on light paper, so many pixels below its place."""
    window = (slice(TOP + down, BOTTOM + down), slice(LEFT, RIGHT))
    colours, shares = np.full((SIDE, SIDE, 3), 200, np.uint8), np.zeros((SIDE, SIDE, 3), np.uint8)
    colours[window], shares[(*window, 0)] = ink, 255
    box = (float(LEFT), float(TOP + down), float(RIGHT), float(BOTTOM + down))
    outline = np.full((FIELD, FIELD), ZERO + 9 * UNITS, np.uint8)
    outline[10:54, 25:39] = ZERO - UNITS
    covered = np.ones(shares[(*window, 0)].shape, np.float32)
    return Composed(colours, shares, (WrittenDigit(1, box, covered, window, outline),), scene)


def test_what_is_whole_and_stands_out_is_legible(scene: Scene) -> None:
    assert (True,) == legible(written(scene))


def test_what_is_pale_is_not_legible(scene: Scene) -> None:
    assert (False,) == legible(written(scene, ink=195))


def test_what_is_cut_off_is_not_legible(scene: Scene) -> None:
    assert (False,) == legible(written(scene, down=55))


def test_what_a_wide_pen_makes_another_digit_is_not_legible(scene: Scene) -> None:
    bar = written(scene)
    outline = bar.digits[0].outline.copy()
    outline[20:30, 30:34] = ZERO + UNITS
    with_a_loop = replace(bar, digits=(replace(bar.digits[0], outline=outline),))

    assert (False,) == legible(with_a_loop)


def test_a_loop_in_thin_pen_is_legible(scene: Scene) -> None:
    ring = np.zeros((30, 10), np.float32)
    ring[0], ring[-1], ring[:, 0], ring[:, -1] = 0.4, 0.4, 0.4, 0.4
    bar = written(scene)
    outline = bar.digits[0].outline.copy()
    outline[20:44, 30:34] = ZERO + UNITS

    assert (True,) == legible(replace(bar, digits=(replace(bar.digits[0], covered=ring, outline=outline),)))


def test_what_has_few_pixels_of_its_own_is_not_legible(scene: Scene) -> None:
    scene.pixels = 6 / 30

    assert (False,) == legible(written(scene))
