"""Digits and characters as distances to their strokes, from which a stroke of any width can be drawn.

A field is uint8 (`FIELD`, `FIELD`): the distance of each pixel's centre to a line or an outline,
in pixels of the field, as `ZERO` + `UNITS` for each pixel; negative distances are inside of an outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

FIELD = 64
LENGTH = 44
"""Pixels of the longer side of a handwritten digit, and of the height of a printed one, in a field."""

ZERO, UNITS = 128, 8
BASELINE = 54
"""The row of a field on which printed characters stand."""

# Written strokes that MNIST's writers seldom make, as lines through points from (0, 0) to (1, 1).
STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "1": (((0.25, 0.25), (0.55, 0), (0.55, 1)), ((0.2, 1), (0.9, 1))),
    "4": (((0.15, 0), (0.1, 0.6), (0.9, 0.6)), ((0.75, 0.1), (0.72, 1))),
    "7": (((0.1, 0.05), (0.9, 0), (0.4, 1)), ((0.3, 0.5), (0.85, 0.48))),
}


@dataclass(frozen=True)
class Shapes:
    """Fields of N shapes: the distances to their middle lines, and to their outlines.

    `boxes` are int (N, 4): left, top, right and bottom of the shape in the field.
    `labels` are int (N,): which digit it is, and for characters the place in their list.
    """

    lines: np.ndarray
    outlines: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


def digit_shapes(images: np.ndarray, labels: np.ndarray) -> Shapes:
    """Return the shapes of digits, float32 (N, H, W, 1) in [0, 1], light on dark, without blank images."""
    masks = [_enlarged(image[..., 0]) for image in images]
    inked = [number for number, mask in enumerate(masks) if mask is not None]
    return _shapes(np.array([masks[number] for number in inked]), labels[inked])


def written_shapes(random: np.random.Generator, count: int) -> Shapes:
    """Return `count` shapes drawn from `STROKES`, each point moved a little."""
    masks, names = [], sorted(STROKES)
    for number in range(count):
        picture = Image.new("L", (FIELD, FIELD))
        draw = ImageDraw.Draw(picture)
        width = int(random.integers(22, 36))
        for stroke in STROKES[names[number % len(names)]]:
            moved = [
                (32 + width * (x - 0.5) + random.uniform(-2, 2), 10 + LENGTH * y + random.uniform(-2, 2))
                for x, y in stroke
            ]
            draw.line(moved, 255, 4, "curve")
        masks.append(np.asarray(picture) > 127)
    return _shapes(np.array(masks), np.array([int(names[number % len(names)]) for number in range(count)]))


def character_shapes(characters: str, fonts: tuple[str, ...]) -> Shapes:
    """Return the shapes of `characters`, each printed in each of the fonts of matplotlib."""
    masks = [_printed(character, font) for font in fonts for character in characters]
    return _shapes(np.array(masks), np.tile(np.arange(len(characters)), len(fonts)))


def _enlarged(image: np.ndarray) -> np.ndarray | None:
    """Crop an image to its ink and enlarge it into a field: bool (FIELD, FIELD)."""
    grey = np.rint(image * np.float32(255)).astype(np.uint8)
    rows, columns = (np.flatnonzero((grey > 60).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    ink = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(3, length * LENGTH // max(ink.shape)) for length in ink.shape)
    enlarged = Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC)
    field = np.zeros((FIELD, FIELD), bool)
    top, left = (FIELD - height) // 2, (FIELD - width) // 2
    field[top : top + height, left : left + width] = np.asarray(enlarged) > 110
    return field if field.any() else None


def _printed(character: str, name: str) -> np.ndarray:
    """Print one character on the baseline of a field, as tall as its font's digits are `LENGTH`."""
    import matplotlib

    path = str(Path(matplotlib.get_data_path()) / f"fonts/ttf/{name}.ttf")
    _, top, _, bottom = ImageFont.truetype(path, 100, layout_engine=ImageFont.Layout.BASIC).getbbox("0")
    points = max(1, round(100 * LENGTH / max(1, bottom - top)))
    font = ImageFont.truetype(path, points, layout_engine=ImageFont.Layout.BASIC)
    picture = Image.new("L", (FIELD, FIELD))
    ImageDraw.Draw(picture).text((FIELD / 2, BASELINE), character, 255, font, anchor="ms")
    return np.asarray(picture) > 127


def _shapes(masks: np.ndarray, labels: np.ndarray) -> Shapes:
    """Measure the distances for masks, bool (N, FIELD, FIELD)."""
    lines, outlines, boxes = [], [], []
    # Some hundred at a time, each as often as they need.
    thin_masks = [thin for first in range(0, len(masks), 200) for thin in thinned(masks[first : first + 200])]
    for mask, thin in zip(masks, thin_masks, strict=True):
        outside = ndimage.distance_transform_edt(~mask)
        inside = ndimage.distance_transform_edt(mask)
        lines.append(_levels(ndimage.distance_transform_edt(~thin)))
        outlines.append(_levels(outside - inside))
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        boxes.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) if len(rows) else (31, 31, 33, 33))
    return Shapes(np.array(lines), np.array(outlines), np.array(boxes), labels.astype(np.int64))


def _levels(distances: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.rint(distances * UNITS + ZERO), 0, 255), np.uint8)


def thinned(masks: np.ndarray) -> np.ndarray:
    """Thin masks, bool (N, H, W), to lines one pixel wide that hang together as they do.

    Source: Zhang and Suen (1984), "A fast parallel algorithm for thinning digital patterns".
    """
    ink = np.pad(masks, ((0, 0), (1, 1), (1, 1)))
    middle = (slice(None), slice(1, -1), slice(1, -1))
    while True:
        before = int(ink.sum())
        for first in (True, False):
            n, e, s, w = ink[:, :-2, 1:-1], ink[:, 1:-1, 2:], ink[:, 2:, 1:-1], ink[:, 1:-1, :-2]
            ne, se, sw, nw = ink[:, :-2, 2:], ink[:, 2:, 2:], ink[:, 2:, :-2], ink[:, :-2, :-2]
            around = (n, ne, e, se, s, sw, w, nw)
            count = sum(neighbour.view(np.uint8) for neighbour in around)
            changes = sum(
                (~one & other).view(np.uint8)
                for one, other in zip(around, (*around[1:], around[0]), strict=True)
            )
            open_side = (~n | ~e | ~s) & (~e | ~s | ~w) if first else (~n | ~e | ~w) & (~n | ~s | ~w)
            ink[middle] &= ~((count >= 2) & (count <= 6) & (changes == 1) & open_side)
        if int(ink.sum()) == before:
            return np.asarray(ink[middle])
