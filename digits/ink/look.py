"""Looks at a picture: square views of it, as the network that finds ink sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE = 112
"""Pixels of a look's side."""

INK, OTHERS, CORES = range(3)
"""What is found of a look: the ink of digits, other marks, and the middle of each digit."""

FindInk = Callable[[np.ndarray], np.ndarray]
"""From looks, float32 (N, SIDE, SIDE, 3) in [0, 1], to the shares in each of their pixels of the classes that
`digits.ink.network.CLASSES` counts."""

Box = tuple[int, int, int, int]

MOST_VIEWS = 64
"""Looks at a picture of several digits; of a larger one they are coarser."""

OVERLAP = 0.3
"""The share of a view that the next one shows again."""


@dataclass(frozen=True)
class View:
    """A square of a picture, in the picture's pixels; it may reach beyond the picture."""

    left: float
    top: float
    side: float

    @property
    def scale(self) -> float:
        """Pixels of the picture that one of the look is."""
        return self.side / SIDE

    def box(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Return a box of the look in pixels of the picture."""
        left, top, right, bottom = (value * self.scale for value in box)
        return self.left + left, self.top + top, self.left + right, self.top + bottom


def whole(pixels: np.ndarray) -> View:
    """Return the view of a whole picture (H, W, 3)."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    return View((width - side) / 2, (height - side) / 2, side)


def around(box: tuple[float, float, float, float], side: float, pixels: np.ndarray) -> View:
    """Return the view of a side around a box, moved so that it shows as much of the picture as it can."""
    corners = []
    for first, last, length in (
        (box[0], box[2], pixels.shape[1]),
        (box[1], box[3], pixels.shape[0]),
    ):
        corner = (first + last - side) / 2
        corners.append(min(max(corner, 0), length - side) if side < length else (length - side) / 2)
    return View(corners[0], corners[1], side)


def look(pixels: np.ndarray, view: View) -> np.ndarray:
    """Return what a view shows of a picture, uint8 (H, W, 3): float32 (SIDE, SIDE, 3) in [0, 1].

    Beyond the picture it shows the median colour.
    """
    height, width = pixels.shape[:2]
    left, top = max(view.left, 0.0), max(view.top, 0.0)
    right, bottom = min(view.left + view.side, width), min(view.top + view.side, height)
    first_column, first_row = (
        min(max(0, round((seen - corner) / view.scale)), SIDE - 1)
        for seen, corner in ((left, view.left), (top, view.top))
    )
    columns = min(max(1, round((right - left) / view.scale)), SIDE - first_column)
    rows = min(max(1, round((bottom - top) / view.scale)), SIDE - first_row)
    resampling = Image.Resampling.BILINEAR if view.scale > 1 else Image.Resampling.BICUBIC
    part = Image.fromarray(pixels).resize(
        (columns, rows), resampling, (left, top, right, bottom), reducing_gap=3.0
    )
    shown = np.asarray(part)
    seen = np.empty((SIDE, SIDE, 3), np.uint8)
    if (rows, columns) != (SIDE, SIDE):
        seen[:] = np.median(shown.reshape(-1, 3), axis=0).astype(np.uint8)
    seen[first_row : first_row + rows, first_column : first_column + columns] = shown
    return seen.astype(np.float32) * np.float32(1 / 255)


def of_classes(answer: np.ndarray) -> np.ndarray:
    """Return the shares (..., 3) of ink, other marks and cores, given those of the network's classes."""
    _, digits, others, core, digits_in_core = np.moveaxis(answer, -1, 0)
    return np.stack([digits + digits_in_core, others, core + digits_in_core], axis=-1)


def found_ink(pixels: np.ndarray, view: View, find: FindInk) -> np.ndarray:
    """Return the shares of ink, other marks and cores in a look, float32 (SIDE, SIDE, 3)."""
    return of_classes(find(look(pixels, view)[np.newaxis])[0])


def _found_twice(pixels: np.ndarray, view: View, find: FindInk) -> np.ndarray:
    """Return what `found_ink` does, as the mean of two answers, the second about the look moved by a pixel.

    The network works on squares of 2 by 2 pixels, and a thin stroke that breaks between two of them seldom
    does so in both.
    """
    seen = look(pixels, view)
    first, moved = of_classes(find(np.stack([seen, np.roll(seen, (1, 1), (0, 1))])))
    return np.asarray((first + np.roll(moved, (-1, -1), (0, 1))) * np.float32(0.5))


def mosaic(pixels: np.ndarray, views: list[View], find: FindInk) -> np.ndarray:
    """Put the answers about views of one side together: float32 (h, w, 3), a pixel for each of a look."""
    scale = views[0].scale
    height, width = (max(1, round(length / scale)) for length in pixels.shape[:2])
    total = np.zeros((height, width, 3), np.float32)
    weight = np.full((height, width, 1), 1e-6, np.float32)
    # What lies at a view's edge is better seen by the next.
    ramp = np.minimum(np.minimum(np.arange(SIDE), np.arange(SIDE)[::-1]) + 1, 16).astype(np.float32) / 16
    trust = np.minimum(ramp[:, np.newaxis], ramp)[..., np.newaxis]
    for view in views:
        answer = _found_twice(pixels, view, find)
        row, column = round(view.top / scale), round(view.left / scale)
        inner = (
            slice(max(0, -row), min(SIDE, height - row)),
            slice(max(0, -column), min(SIDE, width - column)),
        )
        outer = tuple(
            slice(part.start + first, part.stop + first)
            for part, first in zip(inner, (row, column), strict=True)
        )
        total[outer] += answer[inner] * trust[inner]
        weight[outer] += trust[inner]
    return np.asarray(total / weight)


def covering(pixels: np.ndarray, side: float) -> list[View]:
    """Return views that show all of a picture, of a side, or of a larger one where they would be too many."""
    while True:
        starts = [_starts(length, side) for length in pixels.shape[:2]]
        if len(starts[0]) * len(starts[1]) <= MOST_VIEWS:
            return [View(left, top, side) for top in starts[0] for left in starts[1]]
        side *= 1.2


def _starts(length: int, side: float) -> list[float]:
    """Return where views begin along a side of a picture."""
    if side >= length:
        return [(length - side) / 2]
    count = 1 + int(np.ceil((length - side) / (side * (1 - OVERLAP))))
    return [number * (length - side) / (count - 1) for number in range(count)]
