"""Pictures of digits as people have them, composed, with the share of ink of every pixel.

What a picture shows is decided by its seed and number alone, and the same on every CPU: see `grounds`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter
from pydantic import Field
from scipy import ndimage

from digits.files import Arrays
from digits.ink.grounds import ACROSS, DOWN, MAKERS, SIDE, clouds, even, grain, noise
from digits.ink.shapes import (
    FIELD,
    LENGTH,
    UNITS,
    ZERO,
    Shapes,
    character_shapes,
    digit_shapes,
    written_shapes,
)
from digits.params import Section

Part = Literal["learn", "choose", "report"]
Kind = Literal["none", "one", "many"]

FONTS: dict[Part, tuple[str, ...]] = {
    "learn": (
        "DejaVuSans",
        "DejaVuSans-Bold",
        "DejaVuSans-Oblique",
        "DejaVuSansMono",
        "DejaVuSerif",
        "DejaVuSerif-Italic",
        "STIXGeneral",
        "cmr10",
        "cmss10",
    ),
    "choose": ("DejaVuSansMono-Bold", "STIXGeneralBol"),
    "report": ("DejaVuSerif-Bold", "STIXGeneralItalic", "cmtt10"),
}
LETTERS = "ACEFHJKLMNPRTUVWXYacdefhjkmnprtuvwxy"
MARKS = ",,,..;:://///---+=()*%#'!?<>||"

Window = tuple[slice, slice]
EVERYWHERE: Window = (slice(0, SIDE), slice(0, SIDE))

LEAST_WIDTH = 2.0
"""Pixels that a stroke's ink is wide, however thin the stroke: what is thinner would fall into pieces."""

LEAST_SHARE = 0.12
"""The share of a digit's size that is enough, so that the holes of small digits stay open."""

WHITE, BLACK = np.ones(3, np.float32), np.zeros(3, np.float32)


@dataclass(frozen=True)
class Stock:
    """What the pictures of one part are composed of; no part shares a digit, a font or a ground."""

    part: Part
    handwritten: Shapes
    written: Shapes
    printed: Shapes
    letters: Shapes
    marks: Shapes

    @classmethod
    def of(cls, part: Part, images: np.ndarray, labels: np.ndarray, seed: int) -> Stock:
        """Measure the shapes of digits, float32 (N, H, W, 1) in [0, 1], and of the part's fonts."""
        fonts = FONTS[part]
        random = np.random.Generator(np.random.PCG64([seed, sorted(MAKERS).index(part)]))
        return cls(
            part,
            digit_shapes(images, labels),
            written_shapes(random, 30),
            character_shapes("0123456789", fonts),
            character_shapes(LETTERS, fonts),
            character_shapes(MARKS, fonts),
        )


class ComposeParams(Section):
    """The section `compose` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    digits: int = Field(ge=1, le=1_000_000)


def stock_of(part: Part, training: Arrays, validation: Arrays, params: ComposeParams) -> Stock:
    """Return what pictures for learning, for choosing or for reporting are composed of.

    Args:
        part: which of them.
        training: `images` float32 (N, H, W, 1) in [0, 1] and `labels`, for learning.
        validation: the same, every other for choosing, and the rest for reporting.
        params: how many digits the part may have, and the seed.
    """
    arrays, first, step = {
        "learn": (training, 0, 1),
        "choose": (validation, 0, 2),
        "report": (validation, 1, 2),
    }[part]
    images, labels = (arrays[name][first::step][: params.digits] for name in ("images", "labels"))
    return Stock.of(part, images, labels, params.seed)


@dataclass
class Scene:
    """A picture that is being composed.

    `colours` are float32 (SIDE, SIDE, 3), about 0 to 1; `digits` and `others` the shares, float32
    (SIDE, SIDE), of each pixel that the ink of digits and of other marks covers.
    `turn` is the cosine and the sine of the angle by which the paper lies askew.
    `labels` are the digits that were written.
    """

    random: np.random.Generator
    stock: Stock
    colours: np.ndarray
    digits: np.ndarray
    others: np.ndarray
    turn: tuple[float, float]
    labels: list[int]

    def paint(self, share: np.ndarray, colour: np.ndarray, window: Window = EVERYWHERE) -> None:
        """Cover a share (h, w) of each pixel of a window with a colour (3,) or colours (h, w, 3)."""
        painted = self.colours[window]
        painted += share[..., np.newaxis] * (colour - painted)

    def places(self, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
        """Return each pixel's distance to the right of a point, and below it, along the paper."""
        cosine, sine = (np.float32(value) for value in self.turn)
        across, down = ACROSS - np.float32(x), DOWN - np.float32(y)
        return cosine * across + sine * down, cosine * down - sine * across

    def chance(self, probability: float) -> bool:
        """Return whether something happens, by chance."""
        return bool(self.random.random() < probability)

    def between(self, low: float, high: float) -> float:
        """Draw a number."""
        return float(self.random.uniform(low, high))

    def skewed(self, low: float, high: float) -> float:
        """Draw a number of which small ones are likelier, as sizes are."""
        share = self.random.random()
        return float(low + (high - low) * share * share)


def turned(tangent: float) -> tuple[float, float]:
    """Return cosine and sine of twice the angle of a tangent, by arithmetic that every CPU rounds alike."""
    square = tangent * tangent
    return (1 - square) / (1 + square), 2 * tangent / (1 + square)


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
    scene = _ground(random, stock)
    chance = random.random()
    if kind is None:
        kind = "none" if chance < 0.08 else "one" if chance < 0.58 else "many"
    if kind == "none":
        _furniture(scene, 56, 56, 50)
        _beside(scene, 56, 56, scene.between(10, 60))
    elif kind == "one":
        _one_digit(scene)
    else:
        _row_of_digits(scene)
    _light(scene)
    return Composed(*_photographed(scene), tuple(scene.labels))


def _colour(random: np.random.Generator, low: float, high: float, tint: float) -> np.ndarray:
    """Draw a colour about a grey between two levels."""
    grey = random.uniform(low, high)
    colour: np.ndarray = np.clip(grey + random.uniform(-tint, tint, 3), 0, 1).astype(np.float32)
    return colour


def _any_ground(random: np.random.Generator) -> np.ndarray:
    """Draw the colour of something to write on: mostly paper."""
    kind = random.random()
    if kind < 0.3:
        return _colour(random, 0.9, 1, 0.03) if random.random() < 0.6 else WHITE
    if kind < 0.55:
        return _colour(random, 0.45, 0.95, 0.06)
    if kind < 0.7:
        return _colour(random, 0, 0.3, 0.05) if random.random() < 0.6 else BLACK
    return (
        random.uniform(0, 1, 3).astype(np.float32)
        if random.random() < 0.6
        else _colour(random, 0.3, 0.9, 0.15)
    )


def _ink_on(random: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    """Draw the colour of ink that an eye tells from the ground."""
    dark = _luminance(ground) > 0.45
    kind = random.random()
    for _ in range(30):
        if kind < 0.4:
            ink = _colour(random, 0, 0.25, 0.05) if dark else _colour(random, 0.75, 1, 0.05)
        elif kind < 0.55:
            ink = _pencil(random, ground, dark)
        elif kind < 0.72:
            ink = random.uniform(0, 1, 3).astype(np.float32)
        elif kind < 0.86:
            # Blue, black and red pens.
            ink = np.array(
                [(0.1, 0.15, 0.6), (0.8, 0.1, 0.1), (0.1, 0.1, 0.1)][int(random.integers(3))], np.float32
            )
            ink = np.clip(ink + random.uniform(-0.1, 0.15, 3), 0, 1).astype(np.float32)
        elif kind < 0.93:
            ink = _of_one_luminance(random, ground)
        else:
            ink = BLACK if dark else WHITE
        difference = np.abs(ink - ground)
        if difference.max() > (0.05 if 0.4 <= kind < 0.55 else 0.3):
            return ink
        kind = random.random()
    return BLACK if dark else WHITE


def _luminance(colour: np.ndarray) -> float:
    red, green, blue = (float(value) for value in colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _pencil(random: np.random.Generator, ground: np.ndarray, dark: bool) -> np.ndarray:
    """Draw a pale colour: the ground, a little darker, or lighter on a dark one."""
    strength = np.float32(random.uniform(0.06, 0.45))
    return ground * (1 - strength) if dark else ground + (1 - ground) * strength


def _of_one_luminance(random: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    """Draw a colour as light as the ground."""
    ink = random.uniform(0, 1, 3).astype(np.float32)
    light = _luminance(ground)
    for _ in range(4):
        ink = np.clip(ink + np.float32(light - _luminance(ink)), 0, 1)
    return ink


def _ground(random: np.random.Generator, stock: Stock) -> Scene:
    """Begin a scene with a ground."""
    colour = _any_ground(random)
    makers = MAKERS[stock.part]
    maker = even if random.random() < 0.35 else makers[int(random.integers(len(makers)))]
    share = random.random()
    strength = np.float32(0.35 * share * share)
    tint = 1 + random.uniform(-0.2, 0.2, 3).astype(np.float32)
    colours = colour + (strength * maker(random))[..., np.newaxis] * tint
    turn = turned(random.uniform(-0.09, 0.09) if random.random() < 0.7 else random.uniform(-0.02, 0.02))
    blank = np.zeros((2, SIDE, SIDE), np.float32)
    return Scene(random, stock, colours.astype(np.float32), blank[0], blank[1], turn, [])


def _at(scene: Scene, x: float, y: float) -> np.ndarray:
    """Return the mean colour of the ground about a point."""
    left, top = (int(min(max(value - 4, 0), SIDE - 8)) for value in (x, y))
    patch = np.rint(np.clip(scene.colours[top : top + 8, left : left + 8], 0, 1) * 255).astype(np.int64)
    return np.asarray(patch.sum(axis=(0, 1)) / (64 * 255), np.float32)


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
    _furniture(scene, x, y, size)
    if scene.chance(0.25):
        _beside(scene, x, y, size)
    ink = _ink_on(random, _at(scene, x, y))
    _digit(scene, x, y, size, _pen(scene, size), ink)
    if scene.chance(0.08):
        _stains(scene, x, y, size, ink)


@dataclass(frozen=True)
class Pen:
    """How strokes are drawn: along the middle line with a width in pixels, or the outline moved outwards."""

    along_line: bool
    width: float
    pressure: bool
    slant: float


def _pen(scene: Scene, size: float) -> Pen:
    along_line = scene.chance(0.6)
    width = size * scene.skewed(0.015, 0.24) if along_line else size * scene.between(-0.01, 0.03)
    if along_line and scene.chance(0.15):
        # A pen as thin as a pixel.
        width = scene.between(0.6, 1.6)
    return Pen(along_line, width, scene.chance(0.3), scene.between(-0.25, 0.25))


def _shapes(scene: Scene) -> Shapes:
    kind = scene.random.random()
    return (
        scene.stock.handwritten if kind < 0.72 else scene.stock.printed if kind < 0.9 else scene.stock.written
    )


def _distances(
    scene: Scene, field: np.ndarray, x: float, y: float, scale: float, slant: float, box: np.ndarray
) -> tuple[np.ndarray, Window]:
    """Lay the middle of a field's box on a point; return the distances in pixels, and their window."""
    cosine, sine = scene.turn
    reach = 0.62 * scale * FIELD * (1 + abs(slant)) + 1
    (left, right), (top, bottom) = (
        (int(min(max(0, middle - reach), SIDE - 1)), int(min(max(1, middle + reach + 1), SIDE)))
        for middle in (x, y)
    )
    middle_x, middle_y = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    # From a pixel to the paper, through the slant, to the field.
    a, b = cosine / scale, sine / scale
    c, d = -sine / scale, cosine / scale
    a, b = a + slant * c, b + slant * d
    moved = (
        *(a, b, middle_x - a * (x - left) - b * (y - top)),
        *(c, d, middle_y - c * (x - left) - d * (y - top)),
    )
    levels = Image.fromarray(field).transform(
        (right - left, bottom - top), Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR, fillcolor=255
    )
    distances = (np.asarray(levels).astype(np.float32) - np.float32(ZERO)) * np.float32(scale / UNITS)
    return distances, (slice(top, bottom), slice(left, right))


def _covered(distances: np.ndarray, width: float) -> np.ndarray:
    """Return the share of each pixel that a stroke of a width covers, by the distance to its middle line."""
    return np.clip(np.float32(width / 2 + 0.5) - distances, 0, np.float32(min(1.0, max(0.0, width))))


def _shape(
    scene: Scene, shapes: Shapes, number: int, x: float, y: float, scale: float, pen: Pen
) -> tuple[np.ndarray, np.ndarray, Window]:
    """Draw a shape: what it covers of each pixel of a window, and what a stroke of at least a pixel would."""
    field = (shapes.lines if pen.along_line else shapes.outlines)[number]
    distances, window = _distances(scene, field, x, y, scale, pen.slant, shapes.boxes[number])
    if pen.along_line:
        wide = max(pen.width, min(LEAST_WIDTH, max(1.2, LEAST_SHARE * scale * LENGTH)))
        return _covered(distances, pen.width), _covered(distances, wide), window
    drawn = np.clip(np.float32(pen.width + 0.5) - distances, 0, 1)
    return drawn, drawn, window


def _inked(scene: Scene, share: np.ndarray, window: Window, pen: Pen, ink: np.ndarray) -> None:
    """Paint what a shape covers with ink, paler where the pen was pressed less."""
    if pen.pressure:
        worn = (noise(scene.random, 12, 12) if scene.chance(0.6) else grain(scene.random))[window]
        share = share * np.clip(np.float32(0.85) + np.float32(scene.between(0.2, 0.9)) * worn, 0.25, 1)
    scene.paint(share, ink, window)


def _digit(scene: Scene, x: float, y: float, size: float, pen: Pen, ink: np.ndarray) -> None:
    """Write a digit."""
    shapes = _shapes(scene)
    number = int(scene.random.integers(len(shapes)))
    drawn, share, window = _shape(scene, shapes, number, x, y, size / LENGTH, pen)
    _inked(scene, drawn, window, pen, ink)
    scene.digits[window] = np.maximum(scene.digits[window], share)
    scene.labels.append(int(shapes.labels[number]))


def _mark(scene: Scene, shapes: Shapes, x: float, y: float, size: float, pen: Pen, ink: np.ndarray) -> None:
    """Write a letter or another mark, which stands as it does beside digits of a size."""
    number = int(scene.random.integers(len(shapes)))
    _, top, _, bottom = shapes.boxes[number]
    # The box's place in its line, which for a comma is low.
    down = ((top + bottom) / 2 - (FIELD - 10 - LENGTH / 2)) * size / LENGTH
    drawn, share, window = _shape(scene, shapes, number, x, y + float(down), size / LENGTH, pen)
    _inked(scene, drawn, window, pen, ink)
    scene.others[window] = np.maximum(scene.others[window], share)


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
    _furniture(scene, 56, 56, 1.5 * size)
    row = Row(
        _shapes(scene),
        size,
        gap,
        column,
        _pen(scene, size),
        _ink_on(random, _at(scene, 56, 56)),
        _cells(scene, size) if cells else None,
        scene.between(0.2, 0.6) if scene.chance(0.5) else 0.0,
    )
    near = np.zeros((SIDE, SIDE), np.float32)
    for number in range(rows):
        across = (number - (rows - 1) / 2) * size * 1.5
        _write_row(scene, row, (x, y), across, count + 2, near)
    if scene.chance(0.2):
        _beside(scene, 56, y, size)


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
    ground = _at(scene, 56, 56)
    filled = _any_ground(scene.random) if scene.chance(0.5) else None
    return size * scene.between(1.15, 1.8), scene.skewed(0.7, 3.5), _ink_on(scene.random, ground), filled


def _write_row(
    scene: Scene, row: Row, start: tuple[float, float], across: float, count: int, near: np.ndarray
) -> None:
    """Write digits from a point on, beside the line by `across`; `near` is where there are digits nearby."""
    random, size = scene.random, row.size
    (x, y), (cosine, sine), along = start, scene.turn, 0.0
    # The same distance from cell to cell, or the same gap from digit to digit.
    step = size * 0.8 + row.gap if row.cell and scene.chance(0.7) else None
    joined = scene.chance(0.5)
    ink = row.ink
    if row.cell and row.cell[3] is not None:
        ink = _ink_on(random, row.cell[3])
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
            _cell(scene, place, taken if joined else taken - 0.5 * max(2, row.gap), row)
        if scene.chance(row.marks):
            narrow = _mark_pen(scene, row.pen, size)
            shapes = scene.stock.marks if scene.chance(0.85) else scene.stock.letters
            _mark(scene, shapes, *place, size, narrow, ink)
            continue
        drawn, share, window = _shape(scene, row.shapes, number, *place, size / LENGTH, row.pen)
        _inked(scene, drawn, window, row.pen, ink)
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


def _line(scene: Scene, distances: np.ndarray, width: float, colour: np.ndarray, strength: float) -> None:
    """Draw a line by the distances of the pixels to its middle."""
    scene.paint(np.float32(strength) * _covered(np.abs(distances), width), colour)


def _rectangle(scene: Scene, x: float, y: float, wide: float, high: float, radius: float = 0) -> np.ndarray:
    """Return the distances to a rectangle's edge, negative inside."""
    across, down = scene.places(x, y)
    right, below = (
        np.abs(across) - np.float32(wide / 2 - radius),
        np.abs(down) - np.float32(high / 2 - radius),
    )
    if not radius:
        return np.asarray(np.maximum(right, below))
    outside = np.sqrt(
        np.maximum(right, 0) * np.maximum(right, 0) + np.maximum(below, 0) * np.maximum(below, 0)
    )
    return np.asarray(outside + np.minimum(np.maximum(right, below), 0) - np.float32(radius))


def _cell(scene: Scene, place: tuple[float, float], length: float, row: Row) -> None:
    """Draw the cell of a digit of a row: its wall, and its ground if that has a colour of its own."""
    assert row.cell is not None
    across, width, wall, filled = row.cell
    edge = _rectangle(scene, *place, *((across, length) if row.column else (length, across)))
    if filled is not None:
        scene.paint(np.clip(np.float32(0.5) - edge, 0, 1), filled)
    if filled is None or scene.chance(0.5):
        _line(scene, edge, width, wall, 1)


def _furniture(scene: Scene, x: float, y: float, size: float) -> None:
    """Draw what digits are written on and in: sheets, lines, boxes, axes, borders."""
    if scene.chance(0.3):
        _sheet(scene, x, y, size)
    for kind, probability in (
        (_ruled, 0.22),
        (_box, 0.2),
        (_border, 0.2),
        (_axes, 0.06),
        (_things, 0.25),
    ):
        if scene.chance(probability):
            kind(scene, x, y, size)


def _sheet(scene: Scene, x: float, y: float, size: float) -> None:
    """Lay a sheet, a note, a tile or a board on the ground."""
    random = scene.random
    wide, high = (size * scene.skewed(1.15, 3.5) for _ in range(2))
    if scene.chance(0.4):
        high = wide
    radius = min(wide, high) * scene.between(0.02, 0.5) if scene.chance(0.35) else 0
    shift_x, shift_y = ((length - size * 1.1) / 2 * scene.between(-1, 1) * 0.8 for length in (wide, high))
    edge = _rectangle(scene, x + shift_x, y + shift_y, wide, high, radius)
    if scene.chance(0.4):
        shadow = np.clip(
            1 - np.maximum(edge + scene.between(-2, 3), 0) / np.float32(scene.between(2, 12)), 0, 1
        )
        scene.paint(shadow * np.float32(scene.between(0.1, 0.6)), BLACK)
    paper = _any_ground(random)
    textured = paper + np.float32(scene.skewed(0, 0.15)) * clouds(random)[..., np.newaxis]
    scene.paint(np.clip(np.float32(0.5) - edge, 0, 1), textured.astype(np.float32))
    if scene.chance(0.25):
        _line(scene, edge + 2, scene.between(0.7, 4), _ink_on(random, paper), 1)


def _ruled(scene: Scene, x: float, y: float, size: float) -> None:
    """Rule lines, or squares, and perhaps a margin."""
    across, down = scene.places(x, y)
    spacing = np.float32(max(4.0, size * scene.skewed(0.15, 2.2)))
    width, strength = scene.between(0.4, 1.8), scene.between(0.3, 1)
    colour = _ink_on(scene.random, _at(scene, x, y))
    phase = spacing * np.float32(scene.random.random())
    directions = [down, across] if scene.chance(0.45) else [down] if scene.chance(0.8) else [across]
    for along in directions:
        _line(scene, (along + phase) % spacing - spacing / 2, width, colour, strength)
    if scene.chance(0.2):
        margin = across + np.float32(size * scene.between(0.5, 1))
        _line(scene, margin, width, _ink_on(scene.random, _at(scene, x, y)), 1)


def _box(scene: Scene, x: float, y: float, size: float) -> None:
    """Draw a box or a circle about the place of a digit, or cells of a grid."""
    colour = _ink_on(scene.random, _at(scene, x, y))
    wide, high = (size * scene.between(1.08, 1.9) for _ in range(2))
    width = max(0.7, size * scene.skewed(0.01, 0.12))
    off_x, off_y = (scene.between(-1, 1) * (length - size * 1.05) / 2 for length in (wide, high))
    kind = scene.random.random()
    if kind < 0.15:
        across, down = scene.places(x, y)
        radius = np.float32(size * scene.between(0.72, 1.1))
        _line(scene, np.sqrt(across * across + down * down) - radius, width, colour, 1)
        return
    steps = (-1, 0, 1) if kind < 0.5 else (0,)
    for step_x in steps:
        for step_y in steps if kind < 0.35 else (0,):
            place = (x + off_x + step_x * wide, y + off_y + step_y * high)
            _line(scene, _rectangle(scene, *place, wide, high), width, colour, 1)
            if (step_x or step_y) and scene.chance(0.4):
                pen = Pen(True, max(1.0, size * 0.08), False, 0)
                _mark(scene, scene.stock.letters, *place, size * 0.8, pen, colour)


def _border(scene: Scene, x: float, y: float, size: float) -> None:
    """Frame the picture along its edge, whole or at some sides: frames, letterbox bars, bars of a screen."""
    colour = _any_ground(scene.random) if scene.chance(0.5) else _ink_on(scene.random, _at(scene, x, y))
    widths = [max(0.0, scene.skewed(-6, 24)) if scene.chance(0.6) else 0.0 for _ in range(4)]
    if scene.chance(0.3):
        widths = [scene.skewed(1, 12)] * 4
    left, top, right, bottom = (np.float32(width) for width in widths)
    distance = np.minimum(
        np.minimum(ACROSS - left, SIDE - right - ACROSS), np.minimum(DOWN - top, SIDE - bottom - DOWN)
    )
    scene.paint(np.clip(np.float32(0.5) - distance, 0, 1), colour)


def _axes(scene: Scene, x: float, y: float, size: float) -> None:
    """Draw the axes of a plot, with ticks and numbers that are no digit of the picture."""
    across, down = scene.places(x, y)
    reach = np.float32(size * scene.between(0.6, 0.95))
    colour = BLACK if scene.chance(0.8) else WHITE
    width = scene.between(0.7, 2)
    frame = np.maximum(np.abs(across), np.abs(down)) - reach
    _line(scene, frame, width, colour, 1)
    spacing = np.float32(max(4.0, size / scene.between(3, 6)))
    ticks = np.abs(across % spacing - spacing / 2)
    outside = (down > reach) & (down < reach + 4)
    _line(scene, np.where(outside, ticks, np.float32(9)), width, colour, 1)
    ticks = np.abs(down % spacing - spacing / 2)
    outside = (across < -reach) & (across > -reach - 4)
    _line(scene, np.where(outside, ticks, np.float32(9)), width, colour, 1)
    pen = Pen(True, 1.0, False, 0)
    for step in range(-2, 3):
        _small_number(scene, x + float(spacing) * step, y + float(reach) + 9, pen, colour)
        _small_number(scene, x - float(reach) - 8, y + float(spacing) * step, pen, colour)


def _small_number(scene: Scene, x: float, y: float, pen: Pen, colour: np.ndarray) -> None:
    shapes = scene.stock.printed
    number = int(scene.random.integers(len(shapes)))
    drawn, _, window = _shape(scene, shapes, number, x, y, 6 / LENGTH, pen)
    scene.paint(drawn, colour, window)


def _things(scene: Scene, x: float, y: float, size: float) -> None:
    """Put down what lies about: a pen, a thumb, a hole, a staple, a fold, tape."""
    across, down = scene.places(*scene.random.uniform(0, SIDE, 2))
    colour = _any_ground(scene.random)
    kind = scene.random.random()
    if kind < 0.2:
        # Something long that comes in from outside.
        _line(scene, across + np.float32(scene.between(-0.5, 0.5)) * down, scene.between(3, 20), colour, 1)
    elif kind < 0.4:
        # A pen, or a bar.
        along, beside = (across, down) if scene.chance(0.5) else (down, across)
        half = np.float32(scene.between(8, 60))
        _line(scene, np.maximum(np.abs(beside), np.abs(along) - half), scene.between(1.5, 9), colour, 1)
    elif kind < 0.55:
        edge_x, edge_y = ((0, SIDE)[int(scene.random.integers(2))] for _ in range(2))
        across, down = scene.places(edge_x, edge_y)
        radius = np.float32(scene.between(8, 35))
        scene.paint(np.clip(radius - np.sqrt(across * across + down * down), 0, 1), colour)
    elif kind < 0.7:
        radius = np.float32(scene.between(2, 8))
        scene.paint(np.clip(radius - np.sqrt(across * across + down * down), 0, 1), colour)
    elif kind < 0.85:
        length = np.float32(scene.between(3, 12))
        _line(scene, np.maximum(np.abs(down), np.abs(across) - length), scene.between(1, 2.5), colour, 1)
    else:
        shade = np.clip(1 - np.abs(across) / np.float32(scene.between(1, 6)), 0, 1)
        scene.paint(shade * np.float32(scene.between(0.1, 0.5)), BLACK if scene.chance(0.7) else WHITE)


def _beside(scene: Scene, x: float, y: float, size: float) -> None:
    """Write letters, commas and other marks beside the place of a digit, but not on it."""
    random = scene.random
    ink = _ink_on(random, _at(scene, x, y))
    pen = Pen(
        scene.chance(0.7),
        max(0.7, size * scene.skewed(0.02, 0.12)),
        scene.chance(0.2),
        scene.between(-0.2, 0.2),
    )
    if not pen.along_line:
        pen = Pen(False, 0.0, pen.pressure, pen.slant)
    if scene.chance(0.4):
        # A line of print.
        small = max(4.0, size * scene.between(0.1, 0.4))
        line = y + (size * 0.6 + small) * (1 if scene.chance(0.5) else -1)
        thin = Pen(False, -0.1, False, 0)
        for step in range(int(random.integers(2, 14))):
            _mark(scene, scene.stock.letters, 4 + step * small * 0.95, line, small, thin, ink)
        return
    for _ in range(int(random.integers(1, 4))):
        side = 1 if scene.chance(0.5) else -1
        shapes = scene.stock.marks if scene.chance(0.5) else scene.stock.letters
        scale = size * scene.between(0.4, 1.1)
        if scene.chance(0.7):
            place = (x + side * (size + scale) * scene.between(0.5, 0.9), y + size * scene.between(-0.3, 0.3))
        else:
            place = (
                x + size * scene.between(-0.5, 0.5),
                y + side * (size + scale) * scene.between(0.52, 0.8),
            )
        _mark(scene, shapes, *place, scale, pen, ink)


def _stains(scene: Scene, x: float, y: float, size: float, ink: np.ndarray) -> None:
    """Spill something over the digit, through which it can be seen, or spatter ink about it."""
    random = scene.random
    if scene.chance(0.5):
        stain = np.clip((noise(random, 4, 4) - np.float32(scene.between(0, 0.2))) * 8, 0, 1)
        scene.paint(stain * np.float32(scene.between(0.2, 0.6)), random.uniform(0, 1, 3).astype(np.float32))
        return
    for _ in range(int(random.integers(1, 8))):
        across, down = scene.places(*random.uniform(0, SIDE, 2))
        radius = np.float32(scene.skewed(0.8, max(1.2, size * 0.08)))
        spot = np.clip(radius - np.sqrt(across * across + down * down), 0, 1) * (scene.digits == 0)
        scene.paint(spot, ink)


def _light(scene: Scene) -> None:
    """Let light fall unevenly: a slope, soft or sharp shadows, glare, darker corners."""
    random = scene.random
    if scene.chance(0.3):
        across, down = ((values - 56) / np.float32(112) for values in (ACROSS, DOWN))
        slope = np.float32(scene.between(-0.6, 0.6)) * across + np.float32(scene.between(-0.6, 0.6)) * down
        scene.colours *= np.clip(1 + slope, 0.2, 1.6)[..., np.newaxis]
    if scene.chance(0.22):
        edge = (
            clouds(random)
            if scene.chance(0.4)
            else sum(
                np.float32(part) * (values - np.float32(scene.between(10, 102))) / np.float32(112)
                for part, values in zip(random.uniform(-1, 1, 2), (ACROSS, DOWN), strict=True)
            )
        )
        shadow = np.clip(edge * np.float32(scene.skewed(1.2, 40)) + np.float32(0.5), 0, 1)
        depth = scene.between(0.15, 0.75)
        scene.colours *= (1 - np.float32(depth) * shadow)[..., np.newaxis]
    if scene.chance(0.1):
        across, down = (values - np.float32(scene.between(0, SIDE)) for values in (ACROSS, DOWN))
        spot = 1 - (across * across + down * down) / np.float32(scene.between(10, 60) ** 2)
        scene.paint(np.clip(spot, 0, 1) * np.float32(scene.between(0.3, 0.9)), WHITE)
    if scene.chance(0.15):
        across, down = ((values - 56) / np.float32(56) for values in (ACROSS, DOWN))
        corners = np.float32(scene.between(0.1, 0.45)) * (across * across + down * down)
        scene.colours *= np.clip(1 - corners, 0.1, 1)[..., np.newaxis]


def _photographed(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Take the picture: blurred, small, noisy, compressed, cut, turned, grey or negative."""
    random = scene.random
    if scene.chance(0.06):
        scene.colours = 1 - scene.colours
    if scene.chance(0.12):
        low, high = scene.between(0, 0.4), scene.between(0.6, 1)
        scene.colours = np.float32(low) + np.float32(high - low) * np.clip(scene.colours, 0, 1)
    if scene.chance(0.3):
        scene.colours = np.repeat(
            scene.colours[..., :1] * np.float32(0.3)
            + scene.colours[..., 1:2] * np.float32(0.6)
            + scene.colours[..., 2:] * np.float32(0.1),
            3,
            axis=2,
        )
    picture = Image.fromarray(_bytes(scene.colours))
    if scene.chance(0.45):
        picture = picture.filter(ImageFilter.BoxBlur(scene.skewed(0.2, 2.2)))
    if scene.chance(0.3):
        picture = _small(scene, picture)
    if scene.chance(0.45):
        amplitude = scene.skewed(2, 40)
        drawn = random.integers(-128, 128, (2, SIDE, SIDE, 1 if scene.chance(0.5) else 3), np.int16)
        noisy = np.asarray(picture).astype(np.float32) + (drawn[0] + drawn[1]).astype(
            np.float32
        ) * np.float32(amplitude / 128)
        picture = Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    if scene.chance(0.25):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(random.integers(5, 90)))
        picture = Image.open(file)
    colours = np.asarray(picture.convert("RGB"))
    shares = _bytes(np.stack([scene.digits, np.where(scene.digits > 0.3, 0, scene.others)], axis=-1))
    if scene.chance(0.15):
        colours, shares = _cut(scene, colours, shares)
    return np.ascontiguousarray(colours), np.ascontiguousarray(shares)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 1) * np.float32(255)), np.uint8)


def _small(scene: Scene, picture: Image.Image) -> Image.Image:
    """Make a picture small and large again, as one of few pixels looks when it is enlarged."""
    side = int(scene.random.integers(20, 64)) if scene.chance(0.9) else int(scene.random.integers(10, 20))
    ways = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.NEAREST)
    small = picture.resize((side, side), ways[int(scene.random.integers(3))])
    return small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _cut(scene: Scene, colours: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blank the sides, as the look at a picture that is not square does: with the colour in its middle."""
    first = int(scene.skewed(1, 40))
    last = SIDE - first - int(scene.random.integers(2))
    colours, shares = colours.copy(), shares.copy()
    if scene.chance(0.5):
        colours, shares = colours.transpose(1, 0, 2), shares.transpose(1, 0, 2)
    middle = np.median(colours[first:last].reshape(-1, 3), axis=0).astype(np.uint8)
    for part in (slice(0, first), slice(last, SIDE)):
        colours[part], shares[part] = middle, 0
    return colours, shares
