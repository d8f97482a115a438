"""A picture that is being composed: its colours, the ink in it, and how strokes and lines are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from digits.composing.grounds import ACROSS, DOWN, MAKERS, SIDE, even, grain, noise
from digits.composing.shapes import FIELD, LENGTH, UNITS, ZERO, Shapes
from digits.composing.stock import Stock

Window = tuple[slice, slice]


EVERYWHERE: Window = (slice(0, SIDE), slice(0, SIDE))


LEAST_WIDTH = 2.0
"""Pixels that a stroke's ink is wide, however thin the stroke: what is thinner would fall into pieces."""


LEAST_SHARE = 0.12
"""The share of a digit's size that is enough, so that the holes of small digits stay open."""


CORE_LEAST = 0.08
"""The share of a digit's length that its core is wide to either side, at least."""


WHITE, BLACK = np.ones(3, np.float32), np.zeros(3, np.float32)


@dataclass(frozen=True)
class WrittenDigit:
    """A digit that was written.

    `label` is which one it is, and `box` left, top, right and bottom in pixels as if it were not askew.
    `covered` is float32 (h, w), the share of each pixel of a `window` that its strokes cover, and `outline`
    the distances to the outline of its shape, which no pen has drawn yet: see `digits.composing.shapes`.
    """

    label: int
    box: tuple[float, float, float, float]
    covered: np.ndarray
    window: Window
    outline: np.ndarray

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its box, (x, y) in pixels."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


@dataclass
class Scene:
    """A picture that is being composed.

    `colours` are float32 (SIDE, SIDE, 3), about 0 to 1; `digits` and `others` the shares, float32
    (SIDE, SIDE), of each pixel that the ink of digits and of other marks covers, and `cores` those that lie
    in the middle of a digit.
    `turn` is the cosine and the sine of the angle by which the paper lies askew.
    `written` are the digits in it. `seen` is the part of the picture that is seen (left, top, right, bottom),
    and `pixels` the share of its pixels that are its own where it was enlarged.
    """

    random: np.random.Generator
    stock: Stock
    colours: np.ndarray
    digits: np.ndarray
    others: np.ndarray
    cores: np.ndarray
    turn: tuple[float, float]
    written: list[WrittenDigit]
    seen: tuple[int, int, int, int] = (0, 0, SIDE, SIDE)
    pixels: float = 1

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


def _colour(random: np.random.Generator, low: float, high: float, tint: float) -> np.ndarray:
    """Draw a colour about a grey between two levels."""
    grey = random.uniform(low, high)
    colour: np.ndarray = np.clip(grey + random.uniform(-tint, tint, 3), 0, 1).astype(np.float32)
    return colour


def any_ground(random: np.random.Generator) -> np.ndarray:
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


def ink_on(random: np.random.Generator, ground: np.ndarray) -> np.ndarray:
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
        elif kind < 0.95:
            ink = _of_one_luminance(random, ground)
        else:
            ink = BLACK if dark and random.random() < 0.5 else WHITE
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


def begun(random: np.random.Generator, stock: Stock) -> Scene:
    """Begin a scene with a ground."""
    colour = any_ground(random)
    makers = MAKERS[stock.part]
    maker = even if random.random() < 0.35 else makers[int(random.integers(len(makers)))]
    share = random.random()
    strength = np.float32(0.35 * share * share)
    tint = 1 + random.uniform(-0.2, 0.2, 3).astype(np.float32)
    colours = colour + (strength * maker(random))[..., np.newaxis] * tint
    kind = random.random()
    # Up to 10, to 20 or to 2 degrees.
    most = 0.09 if kind < 0.6 else 0.18 if kind < 0.75 else 0.02
    turn = turned(random.uniform(-most, most))
    blank = np.zeros((3, SIDE, SIDE), np.float32)
    return Scene(random, stock, colours.astype(np.float32), blank[0], blank[1], blank[2], turn, [])


def colour_at(scene: Scene, x: float, y: float) -> np.ndarray:
    """Return the mean colour of the ground about a point."""
    left, top = (int(min(max(value - 4, 0), SIDE - 8)) for value in (x, y))
    patch = np.rint(np.clip(scene.colours[top : top + 8, left : left + 8], 0, 1) * 255).astype(np.int64)
    return np.asarray(patch.sum(axis=(0, 1)) / (64 * 255), np.float32)


@dataclass(frozen=True)
class Pen:
    """How strokes are drawn: along the middle line with a width in pixels, or the outline moved outwards."""

    along_line: bool
    width: float
    pressure: bool
    slant: float


def any_pen(scene: Scene, size: float) -> Pen:
    """Draw how a digit of a size is written."""
    along_line = scene.chance(0.65)
    width = size * scene.skewed(0.015, 0.24) if along_line else size * scene.between(-0.01, 0.03)
    if along_line and scene.chance(0.3):
        # A pen as thin as a pixel.
        width = scene.between(0.6, 1.6)
    return Pen(along_line, width, scene.chance(0.3), scene.between(-0.25, 0.25))


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


def drawn_shape(
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


def write_digit(
    scene: Scene, shapes: Shapes, number: int, x: float, y: float, scale: float, pen: Pen, ink: np.ndarray
) -> tuple[np.ndarray, Window]:
    """Write a digit, note it, and mark its core: an ellipse in its middle of half of its size.

    Returns what a stroke of at least a pixel covers of each pixel of a window, and the window.
    """
    drawn, share, window = drawn_shape(scene, shapes, number, x, y, scale, pen)
    paint_ink(scene, drawn, window, pen, ink)
    left, top, right, bottom = (float(edge) * scale for edge in shapes.boxes[number])
    least = CORE_LEAST * max(right - left, bottom - top)
    half_width, half_height = (np.float32(max(length / 4, least)) for length in (right - left, bottom - top))
    across, down = scene.places(x, y)
    across, down = (across + np.float32(pen.slant) * down) / half_width, down / half_height
    inside = (1 - np.sqrt(across * across + down * down)) * min(half_width, half_height)
    scene.cores = np.maximum(scene.cores, np.clip(inside + np.float32(0.5), 0, 1))
    box = (x - (right - left) / 2, y - (bottom - top) / 2, x + (right - left) / 2, y + (bottom - top) / 2)
    label, outline = int(shapes.labels[number]), shapes.outlines[number]
    scene.written.append(WrittenDigit(label, box, drawn, window, outline))
    return share, window


def paint_ink(scene: Scene, share: np.ndarray, window: Window, pen: Pen, ink: np.ndarray) -> None:
    """Paint what a shape covers with ink, paler where the pen was pressed less."""
    if pen.pressure:
        worn = (noise(scene.random, 12, 12) if scene.chance(0.6) else grain(scene.random))[window]
        share = share * np.clip(np.float32(0.85) + np.float32(scene.between(0.2, 0.9)) * worn, 0.25, 1)
    scene.paint(share, ink, window)


def write_mark(
    scene: Scene,
    shapes: Shapes,
    x: float,
    y: float,
    size: float,
    pen: Pen,
    ink: np.ndarray,
    among: Sequence[int] | None = None,
) -> None:
    """Write a letter or another mark, which stands as it does beside digits of a size."""
    among = range(len(shapes)) if among is None else among
    number = among[int(scene.random.integers(len(among)))]
    _, top, _, bottom = shapes.boxes[number]
    # The box's place in its line, which for a comma is low.
    down = ((top + bottom) / 2 - (FIELD - 10 - LENGTH / 2)) * size / LENGTH
    drawn, share, window = drawn_shape(scene, shapes, number, x, y + float(down), size / LENGTH, pen)
    paint_ink(scene, drawn, window, pen, ink)
    scene.others[window] = np.maximum(scene.others[window], share)


def draw_line(scene: Scene, distances: np.ndarray, width: float, colour: np.ndarray, strength: float) -> None:
    """Draw a line by the distances of the pixels to its middle."""
    scene.paint(np.float32(strength) * _covered(np.abs(distances), width), colour)


def rectangle(scene: Scene, x: float, y: float, wide: float, high: float, radius: float = 0) -> np.ndarray:
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
