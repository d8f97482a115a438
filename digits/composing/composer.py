"""Pictures of digits as people have them, composed, with the share of ink of every pixel.

What a picture shows is decided by its seed and number alone, and the same on every CPU: see `grounds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from digits.composing.camera import light, photographed
from digits.composing.grounds import SIDE
from digits.composing.scene import (
    Pen,
    Scene,
    any_ground,
    any_pen,
    begun,
    colour_at,
    draw_line,
    drawn_shape,
    ink_on,
    paint_ink,
    rectangle,
    write_mark,
)
from digits.composing.shapes import LENGTH, Shapes
from digits.composing.stock import Stock
from digits.composing.surroundings import furnish, spill, write_beside

Kind = Literal["none", "one", "many"]


@dataclass(frozen=True)
class Composed:
    """A picture that was composed.

    `colours` are uint8 (SIDE, SIDE, 3). `shares` are uint8 (SIDE, SIDE, 2): 255ths of each pixel that the
    ink of digits, and of other marks, covers. `digits` are those in the picture, in the order of reading.
    """

    colours: np.ndarray
    shares: np.ndarray
    digits: tuple[int, ...]


def compose(stock: Stock, seed: int, number: int, kind: Kind | None = None) -> Composed:
    """Compose a picture of no, of one or of many digits; of which, the number decides unless `kind` does."""
    random = np.random.Generator(np.random.PCG64([seed, number]))
    scene = begun(random, stock)
    chance = random.random()
    if kind is None:
        kind = "none" if chance < 0.08 else "one" if chance < 0.64 else "many"
    if kind == "none":
        furnish(scene, 56, 56, 50)
        write_beside(scene, 56, 56, scene.between(10, 60))
    elif kind == "one":
        _one_digit(scene)
    else:
        _row_of_digits(scene)
    light(scene)
    colours, shares = photographed(scene)
    return Composed(colours, shares, tuple(scene.labels) if shares[..., 0].any() else ())


def _size(random: np.random.Generator) -> float:
    """Draw the longer side of a digit in pixels: most fill the view by half or more, some are tiny."""
    kind = random.random()
    if kind < 0.5:
        return float(random.uniform(48, 92))
    if kind < 0.64:
        return float(random.uniform(88, 116))
    share = random.random()
    return float(6 + 48 * share * share)


def _one_digit(scene: Scene) -> None:
    """Put one digit somewhere, on whatever people have."""
    random = scene.random
    size = _size(random)
    room = max(0.0, SIDE - size * 0.9) / 2
    x, y = (56 + room * scene.between(-1, 1) * (0.5 if size > 45 else 1) for _ in range(2))
    furnish(scene, x, y, size)
    if scene.chance(0.25):
        write_beside(scene, x, y, size)
    ink = ink_on(random, colour_at(scene, x, y))
    _digit(scene, x, y, size, any_pen(scene, size), ink)
    if scene.chance(0.08):
        spill(scene, x, y, size, ink)


def _shapes(scene: Scene) -> Shapes:
    kind = scene.random.random()
    return (
        scene.stock.handwritten if kind < 0.72 else scene.stock.printed if kind < 0.9 else scene.stock.written
    )


def _digit(scene: Scene, x: float, y: float, size: float, pen: Pen, ink: np.ndarray) -> None:
    """Write a digit."""
    shapes = _shapes(scene)
    number = int(scene.random.integers(len(shapes)))
    drawn, share, window = drawn_shape(scene, shapes, number, x, y, size / LENGTH, pen)
    paint_ink(scene, drawn, window, pen, ink)
    scene.digits[window] = np.maximum(scene.digits[window], share)
    scene.labels.append(int(shapes.labels[number]))


def _row_of_digits(scene: Scene) -> None:
    """Put several digits side by side or below each other, with what stands between them."""
    random = scene.random
    count = int(random.integers(2, 10))
    size = scene.between(24, 60) if scene.chance(0.65) else SIDE / count * scene.between(0.7, 1.6)
    size = min(max(size, 10.0), 90.0)
    column, cells = scene.chance(0.12), scene.chance(0.45)
    gap = size * (
        scene.between(0.12, 0.8)
        if cells
        else scene.between(-0.1, 0.02)
        if scene.chance(0.2)
        else scene.skewed(0, 0.8)
    )
    rows = 2 if scene.chance(0.25) and size < 50 else 1
    x, y = scene.between(2, 30) if size * count < 90 else scene.between(-size / 2, 14), scene.between(40, 72)
    if column:
        x, y = y, x
    furnish(scene, 56, 56, 1.5 * size)
    row = Row(
        _shapes(scene),
        size,
        gap,
        column,
        any_pen(scene, size),
        ink_on(random, colour_at(scene, 56, 56)),
        _cells(scene, size) if cells else None,
        scene.between(0.2, 0.6) if scene.chance(0.5) else 0.0,
    )
    near = np.zeros((SIDE, SIDE), np.float32)
    for number in range(rows):
        across = (number - (rows - 1) / 2) * size * 1.5
        _write_row(scene, row, (x, y), across, count + 2, near)
    if scene.chance(0.2):
        write_beside(scene, 56, y, size)


@dataclass(frozen=True)
class Row:
    """How digits of a row are written: shapes, size and gaps in pixels, and what is between and about them.

    `cell` are the height, the width of the wall, the colour of the wall and that of a filled cell, if it is.
    `marks` is the share of places where another mark stands.
    """

    shapes: Shapes
    size: float
    gap: float
    column: bool
    pen: Pen
    ink: np.ndarray
    cell: tuple[float, float, np.ndarray, np.ndarray | None] | None
    marks: float


def _cells(scene: Scene, size: float) -> tuple[float, float, np.ndarray, np.ndarray | None]:
    """Draw how the cells of a row look."""
    ground = colour_at(scene, 56, 56)
    filled = any_ground(scene.random) if scene.chance(0.5) else None
    return size * scene.between(1.15, 1.8), scene.skewed(0.7, 3.5), ink_on(scene.random, ground), filled


def _write_row(
    scene: Scene, row: Row, start: tuple[float, float], across: float, count: int, near: np.ndarray
) -> None:
    """Write digits from a point on, beside the line by `across`; `near` is where there are digits nearby."""
    random, size = scene.random, row.size
    (x, y), (cosine, sine), along = start, scene.turn, 0.0
    # The same distance from cell to cell, or the same gap from digit to digit.
    step = size * 0.8 + row.gap if row.cell and scene.chance(0.7) else None
    apart = 0.0 if scene.chance(0.5) else scene.between(1, 4) if scene.chance(0.5) else max(1, row.gap / 2)
    ink = row.ink
    if row.cell and row.cell[3] is not None:
        ink = ink_on(random, row.cell[3])
    for number in random.integers(0, len(row.shapes), count).tolist():
        left, top, right, bottom = row.shapes.boxes[number].tolist()
        length = ((bottom - top) if row.column else (right - left)) * size / LENGTH
        taken = max(step or length + row.gap, length + 2)
        middle, aside = along + taken / 2, across + size * scene.between(-0.05, 0.05)
        along += taken
        right_by, down_by = (aside, middle) if row.column else (middle, aside)
        place = (x + cosine * right_by - sine * down_by, y + sine * right_by + cosine * down_by)
        if min(place) < -0.1 * size or max(place) > SIDE + 0.1 * size:
            continue
        if row.cell:
            _cell(scene, place, taken - apart, row)
        if scene.chance(row.marks):
            narrow = _mark_pen(scene, row.pen, size)
            shapes = scene.stock.marks if scene.chance(0.85) else scene.stock.letters
            write_mark(scene, shapes, *place, size, narrow, ink)
            continue
        drawn, share, window = drawn_shape(scene, row.shapes, number, *place, size / LENGTH, row.pen)
        paint_ink(scene, drawn, window, row.pen, ink)
        # Where two digits touch, the ink is neither's, so that they come apart.
        wide = ndimage.grey_dilation(share, (3, 3))
        both = np.minimum(near[window], wide) > 0.4
        scene.digits[window] = np.where(both, 0, np.maximum(scene.digits[window], share))
        near[window] = np.maximum(near[window], wide)
        scene.labels.append(int(row.shapes.labels[number]))


def _mark_pen(scene: Scene, pen: Pen, size: float) -> Pen:
    """Draw how marks between digits are written: as the digits are, or finer, or as in print."""
    if scene.chance(0.3):
        return Pen(False, scene.between(-0.03, 0.01) * size, False, scene.between(-0.1, 0.1))
    width = pen.width * scene.between(0.5, 1.1) if pen.along_line else pen.width
    return Pen(pen.along_line, width, False, scene.between(-0.3, 0.3))


def _cell(scene: Scene, place: tuple[float, float], length: float, row: Row) -> None:
    """Draw the cell of a digit of a row: its wall, and its ground if that has a colour of its own."""
    assert row.cell is not None
    across, width, wall, filled = row.cell
    edge = rectangle(scene, *place, *((across, length) if row.column else (length, across)))
    if filled is not None:
        scene.paint(np.clip(np.float32(0.5) - edge, 0, 1), filled)
    if filled is None or scene.chance(0.5):
        draw_line(scene, edge, width, wall, 1)
