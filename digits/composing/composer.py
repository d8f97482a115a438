"""Pictures of digits as people have them, composed, with the share of ink of every pixel.

What a picture shows is decided by its seed and number alone, and the same on every CPU: see `grounds`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import ndimage

from digits.composing.camera import as_it_is, in_few_pixels, light, photographed
from digits.composing.grounds import SIDE
from digits.composing.scene import (
    BLACK,
    WHITE,
    Pen,
    Scene,
    WrittenDigit,
    any_ground,
    any_pen,
    begun,
    colour_at,
    draw_line,
    ink_on,
    rectangle,
    write_digit,
    write_mark,
)
from digits.composing.shapes import LENGTH, Shapes
from digits.composing.stock import Stock
from digits.composing.surroundings import furnish, spill, write_beside

Kind = Literal["none", "one", "many"]


@dataclass(frozen=True)
class Composed:
    """A picture that was composed.

    `colours` are uint8 (SIDE, SIDE, 3). `shares` are uint8 (SIDE, SIDE, 3): 255ths of each pixel that the
    ink of digits, and of other marks, covers, and that lie in the core of a digit. `digits` are those in the
    picture, in the order of reading, and `scene` is what was photographed.
    """

    colours: np.ndarray
    shares: np.ndarray
    digits: tuple[WrittenDigit, ...]
    scene: Scene = field(repr=False)


def compose(stock: Stock, seed: int, number: int, kind: Kind | None = None) -> Composed:
    """Compose a picture of no, of one or of many digits; of which, the number decides unless `kind` does."""
    random = np.random.Generator(np.random.PCG64([seed, number]))
    scene = begun(random, stock)
    chance, how = random.random(), random.random()
    if kind is None:
        kind = "none" if chance < 0.07 else "one" if chance < 0.62 else "many"
    if kind == "none":
        furnish(scene, 56, 56, 50)
        write_beside(scene, 56, 56, scene.between(10, 60))
    elif kind == "many":
        _row_of_digits(scene)
    elif how < 0.06:
        return _composed(scene, *in_few_pixels(scene, _filling_digit(scene)))
    elif how < 0.2:
        _one_digit(scene, plain=True)
        return _composed(scene, *as_it_is(scene))
    else:
        _one_digit(scene)
    light(scene)
    return _composed(scene, *photographed(scene))


def _composed(scene: Scene, colours: np.ndarray, shares: np.ndarray) -> Composed:
    return Composed(colours, shares, tuple(scene.written) if shares[..., 0].any() else (), scene)


def _size(random: np.random.Generator) -> float:
    """Draw the longer side of a digit in pixels: most fill the view by half or more, some are tiny."""
    kind = random.random()
    if kind < 0.47:
        return float(random.uniform(48, 92))
    if kind < 0.64:
        return float(random.uniform(88, 116))
    share = random.random()
    return float(6 + 48 * share * share)


def _one_digit(scene: Scene, plain: bool = False) -> None:
    """Put one digit somewhere, on whatever people have, or plainly on one colour, as in a paint program."""
    random = scene.random
    size = _size(random)
    room = max(0.0, SIDE - size * 0.9) / 2
    x, y = (56 + room * scene.between(-1, 1) * (0.5 if size > 45 else 1) for _ in range(2))
    if plain:
        scene.colours[:] = any_ground(random) if scene.chance(0.3) else BLACK if scene.chance(0.4) else WHITE
    else:
        furnish(scene, x, y, size)
        if scene.chance(0.25):
            write_beside(scene, x, y, size)
    ink = ink_on(random, colour_at(scene, x, y))
    _digit(scene, x, y, size, any_pen(scene, size), ink)
    if not plain and scene.chance(0.18):
        spill(scene, x, y, size, ink)


def _filling_digit(scene: Scene) -> float:
    """Write a digit that fills its frame from edge to edge, and return its size."""
    scene.colours[:] = any_ground(scene.random) if scene.chance(0.5) else BLACK
    size = scene.between(96, 114)
    ink = ink_on(scene.random, colour_at(scene, 56, 56))
    pen = Pen(True, size * scene.between(0.09, 0.24), scene.chance(0.3), scene.between(-0.2, 0.2))
    place = (56 + scene.between(-1, 1) * 4, 56 + scene.between(-1, 1) * 2)
    _digit(scene, *place, size, pen, ink)
    return size


def _shapes(scene: Scene) -> Shapes:
    kind = scene.random.random()
    return (
        scene.stock.handwritten if kind < 0.72 else scene.stock.printed if kind < 0.9 else scene.stock.written
    )


def _digit(scene: Scene, x: float, y: float, size: float, pen: Pen, ink: np.ndarray) -> None:
    """Write a digit."""
    shapes = _shapes(scene)
    number = int(scene.random.integers(len(shapes)))
    share, window = write_digit(scene, shapes, number, x, y, size / LENGTH, pen, ink)
    scene.digits[window] = np.maximum(scene.digits[window], share)


def _row_of_digits(scene: Scene) -> None:
    """Put several digits side by side or below each other, with what stands between them."""
    random = scene.random
    count = int(random.integers(2, 10))
    size = scene.between(24, 60) if scene.chance(0.65) else SIDE / count * scene.between(0.7, 1.6)
    size = min(max(size, 8.0), 90.0)
    column, cells, date = scene.chance(0.15), scene.chance(0.4), scene.chance(0.3)
    gap = size * (
        scene.between(0.12, 0.8)
        if cells
        else scene.between(-0.1, 0.02)
        if not column and scene.chance(0.3)
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
        scene.between(0.25, 0.5) if date else scene.between(0.2, 0.6) if scene.chance(0.4) else 0.0,
        date,
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

    `marks` is the share of places where another mark stands; in a date it is never the first, nor one of two.
    """

    shapes: Shapes
    size: float
    gap: float
    column: bool
    pen: Pen
    ink: np.ndarray
    cell: Cell | None
    marks: float
    date: bool


@dataclass(frozen=True)
class Cell:
    """How cells of a row look: height and width of the wall in pixels (0 for none), its colour, the ground's.

    `apart` are the pixels from one to the next.
    """

    height: float
    wall: float
    colour: np.ndarray
    filled: np.ndarray | None
    apart: float


def _cells(scene: Scene, size: float) -> Cell:
    """Draw how the cells of a row look: a form's, or the drums of a meter."""
    random = scene.random
    wall = ink_on(random, colour_at(scene, 56, 56))
    if scene.chance(0.35):
        dark = BLACK + np.float32(scene.between(0, 0.25)) if scene.chance(0.6) else any_ground(random)
        return Cell(size * scene.between(1.1, 1.7), 0.0, wall, dark, size * scene.between(0.02, 0.3))
    apart = (
        0.0
        if scene.chance(0.5)
        else scene.between(1, 4)
        if scene.chance(0.4)
        else size * scene.skewed(0.05, 0.5)
    )
    filled = any_ground(random) if scene.chance(0.35) else None
    width = 0.0 if filled is not None and scene.chance(0.5) else scene.skewed(0.7, 3.5)
    return Cell(size * scene.between(1.1, 1.8), width, wall, filled, apart)


def _write_row(
    scene: Scene, row: Row, start: tuple[float, float], across: float, count: int, near: np.ndarray
) -> None:
    """Write digits from a point on, beside the line by `across`; `near` is where there are digits nearby."""
    random, size = scene.random, row.size
    (x, y), (cosine, sine), along = start, scene.turn, 0.0
    # The same distance from cell to cell, or the same gap from digit to digit.
    step = size * 0.8 + row.gap if row.cell and scene.chance(0.7) else None
    apart = row.cell.apart if row.cell else 0.0
    ink, after_mark = row.ink, True
    if row.cell and row.cell.filled is not None:
        ink = ink_on(random, row.cell.filled)
        if scene.chance(0.5):
            ink = WHITE * np.float32(scene.between(0.8, 1)) if row.cell.filled.max() < 0.6 else ink
    for number in random.integers(0, len(row.shapes), count).tolist():
        left, top, right, bottom = row.shapes.boxes[number].tolist()
        length = ((bottom - top) if row.column else (right - left)) * size / LENGTH
        taken = max(step or length + row.gap, length + 2 if row.cell else 2) + apart
        middle, aside = along + taken / 2, across + size * scene.between(-0.05, 0.05)
        along += taken
        right_by, down_by = (aside, middle) if row.column else (middle, aside)
        place = (x + cosine * right_by - sine * down_by, y + sine * right_by + cosine * down_by)
        if min(place) < -0.1 * size or max(place) > SIDE + 0.1 * size:
            continue
        if row.cell:
            _cell(scene, place, taken - apart, row)
        if not (row.date and after_mark) and scene.chance(row.marks):
            _write_between(scene, row, place, ink)
            after_mark = True
            continue
        after_mark = False
        share, window = write_digit(scene, row.shapes, number, *place, size / LENGTH, row.pen, ink)
        # Where two digits touch, the ink is neither's, so that they come apart.
        wide = ndimage.grey_dilation(share, (3, 3))
        both = np.minimum(near[window], wide) > 0.4
        scene.digits[window] = np.where(both, 0, np.maximum(scene.digits[window], share))
        near[window] = np.maximum(near[window], wide)


def _write_between(scene: Scene, row: Row, place: tuple[float, float], ink: np.ndarray) -> None:
    """Write another mark in the place of a digit of a row: in a date, a slash, a line, a comma or a dot."""
    pen, stock = _mark_pen(scene, row.pen, row.size), scene.stock
    if row.date:
        slash = "/" if scene.chance(0.7) else "-,.:"
        size = row.size * (scene.between(1.0, 1.6) if slash == "/" else 1)
        if slash == "/":
            # Thinner than the digits, or nobody could tell it from a one.
            thin = pen.along_line and scene.chance(0.6)
            width = scene.between(0.3, 0.8) * row.pen.width if thin else scene.between(-0.03, 0) * row.size
            pen = Pen(thin, max(0.7, width) if thin else width, False, scene.between(-0.1, 0.3))
        write_mark(scene, stock.marks, *place, size, pen, ink, stock.marks_of(slash))
        return
    write_mark(scene, stock.marks if scene.chance(0.85) else stock.letters, *place, row.size, pen, ink)


def _mark_pen(scene: Scene, pen: Pen, size: float) -> Pen:
    """Draw how marks between digits are written: as the digits are, or finer, or as in print."""
    if scene.chance(0.3):
        return Pen(False, scene.between(-0.03, 0.01) * size, False, scene.between(-0.1, 0.1))
    width = pen.width * scene.between(0.5, 1.1) if pen.along_line else pen.width
    return Pen(pen.along_line, width, False, scene.between(-0.3, 0.3))


def _cell(scene: Scene, place: tuple[float, float], length: float, row: Row) -> None:
    """Draw the cell of a digit of a row: its wall, and its ground if that has a colour of its own."""
    assert row.cell is not None
    cell = row.cell
    edge = rectangle(scene, *place, *((cell.height, length) if row.column else (length, cell.height)))
    if cell.filled is not None:
        # The last drum of a meter is often red.
        other = scene.chance(0.12)
        filled = scene.random.uniform(0, 0.6, 3).astype(np.float32) if other else cell.filled
        scene.paint(np.clip(np.float32(0.5) - edge, 0, 1), filled)
    if cell.wall:
        draw_line(scene, edge, cell.wall, cell.colour, 1)
