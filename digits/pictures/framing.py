"""From a picture to the image that a network reads: its ink found, and framed as the digits of MNIST were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from digits.pictures.centring import DIGIT_SIDE, SIDE, centred
from digits.pictures.look import SIDE as LOOK_SIDE
from digits.pictures.look import (
    DIGITS,
    OTHERS,
    Box,
    FindInk,
    View,
    around,
    covering,
    look,
    mosaic,
    whole,
)
from digits.pictures.reading import Picture
from digits.pictures.segmentation import Piece, in_reading_order, joined, pieces

FILLED = 0.62
"""The share of a look's side that a digit is to be long."""

CLOSE_ENOUGH = 0.42
"""The share of a look's side from which on a digit is not looked at closer."""

MOST_LOOKS = 3
"""At one digit."""

ONE_REACH, MANY_REACH = 2, 0
"""Pixels of a look that a gap in the ink of one digit may be wide; several digits may nearly touch."""

ROW_HEIGHT = 40
"""Pixels of a look that digits of a row are to be long."""

ALIKE = 0.6
"""The share of the longest digit's length from which another piece is a digit of its own."""

TOO_SMALL = 10
"""Pixels of a digit's longer side that can hardly be read."""

ONES = np.ones(SIDE, np.float32)
FROM_MIDDLE = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
"""How far each pixel of a row of MNIST's is from the middle of the row."""

MOST_OFF = 1.03
"""Pixels between the centre of mass and the middle of an image of MNIST, at most."""

LEAST_STRENGTH = 0.9
"""Of the strongest pixel of an image of MNIST."""

Steps = tuple[tuple[str, np.ndarray], ...]


@dataclass(frozen=True)
class Framed:
    """A digit framed as MNIST's are.

    `image` is float32 (28, 28) in [0, 1], light on 0.
    `box` is (left, top, right, bottom) in pixels of the picture, right and bottom excluded,
    or None where no ink was found and `image` is all 0.
    `steps` are the names and float32 arrays (h, w) or (h, w, 3) in [0, 1] of what led there, for a person.
    `reason` says why the answer should not be used, where that is known beforehand, and `hint` what may
    be the cause if the network is not sure. `note` is the picture's.
    """

    image: np.ndarray
    box: Box | None
    steps: Steps
    reason: str = ""
    hint: str = ""
    note: str = ""


def frame_mnist(images: np.ndarray) -> list[Framed | None]:
    """Frame those of float32 images (N, 28, 28) in [0, 1] that have the form which all of MNIST's have.

    It is a digit 19 or 20 pixels long, its centre of mass within about a pixel of the middle.
    Such an image stays as it is.
    """
    count = len(images)
    # Of the rows of each image, and then of the columns.
    sums = np.concatenate([images @ ONES, ONES @ images])
    inked = sums > 0
    first, after = inked.argmax(axis=1), SIDE - inked[:, ::-1].argmax(axis=1)
    length, off = after - first, np.abs(sums @ FROM_MIDDLE) / np.maximum(sums @ ONES, LEAST_STRENGTH)
    length, off = np.maximum(length[:count], length[count:]), np.maximum(off[:count], off[count:])
    alike = (DIGIT_SIDE - 1 <= length) & (length <= DIGIT_SIDE) & (off <= MOST_OFF)
    alike &= images.reshape(count, -1).max(axis=1, initial=0) >= LEAST_STRENGTH
    edges = (first[count:], first[:count], after[count:], after[:count])
    boxes = zip(*(edge.tolist() for edge in edges), strict=True)
    return [
        Framed(image, box, (("picture", image), ("framed", image))) if is_alike else None
        for image, box, is_alike in zip(images, boxes, alike.tolist(), strict=True)
    ]


def frame_digit(picture: Picture, find: FindInk) -> Framed:
    """Frame the one digit of a picture: look at the whole, and then closer at what was found.

    A picture in MNIST's own form comes back as it is.

    Args:
        picture: as `digits.pictures.reading.read_picture` returns it.
        find: the network that finds ink.
    """
    if as_it_is := _as_it_is(picture):
        return as_it_is
    pixels = picture.pixels
    view, shares = _first_look(pixels, find)
    labels, found = pieces(shares[..., DIGITS], ONE_REACH)
    digits = joined(found)
    reason = "more than one digit: `--many` reads them" if _several(digits, pixels, view) else ""
    main = max(digits, key=lambda digit: _prominence(digit, view, pixels), default=None)
    for _ in range(MOST_LOOKS - 1):
        if main is None or main.length >= CLOSE_ENOUGH * len(shares):
            break
        box = view.box(main.box)
        closer = around(box, max(main.length * view.scale / FILLED, 12), pixels)
        if closer.side > 0.9 * view.side:
            break
        seen = find(look(pixels, closer)[np.newaxis])[0]
        labels_then, found = pieces(seen[..., DIGITS], ONE_REACH)
        near = [digit for digit in joined(found) if _shared(closer.box(digit.box), box) > 0]
        if not near:
            break
        view, shares, labels = closer, seen, labels_then
        main = max(near, key=lambda digit: digit.amount * _shared(closer.box(digit.box), box))
    steps = (("picture", _shown(pixels)), ("look", look(pixels, view)), ("ink", shares[..., DIGITS]))
    if main is None:
        return Framed(np.zeros((SIDE, SIDE), np.float32), None, steps)
    return _framed(picture, shares[..., DIGITS], labels, main, view, steps, reason)


def frame_digits(picture: Picture, find: FindInk) -> tuple[list[Framed], list[Box]]:
    """Frame each digit of a picture, in the order of reading: lines from the top, each from the left.

    Args:
        picture: as `digits.pictures.reading.read_picture` returns it.
        find: the network that finds ink.

    Returns:
        The digits, and the boxes of other marks between and beside them.
    """
    if as_it_is := _as_it_is(picture):
        return [as_it_is], []
    pixels = picture.pixels
    view, shares = _first_look(pixels, find)
    digits = in_reading_order(joined(pieces(shares[..., DIGITS], MANY_REACH)[1]))
    if not digits:
        return [], []
    length = float(np.median([digit.length for digit in digits])) * view.scale
    side = max(length * LOOK_SIDE / ROW_HEIGHT, 24)
    views = covering(pixels, side)
    shares = mosaic(pixels, views, find)
    origin = View(0, 0, views[0].side)
    labels, found = pieces(shares[..., DIGITS], MANY_REACH)
    digits = in_reading_order(joined(found))
    others = joined(pieces(shares[..., OTHERS], MANY_REACH)[1])
    steps = (("picture", _shown(pixels)), ("ink", shares[..., DIGITS]))
    framed = [_framed(picture, shares[..., DIGITS], labels, digit, origin, steps, "") for digit in digits]
    least = SPECK_OTHER * length / origin.scale
    boxes = [_in_picture(origin.box(other.box), picture) for other in others if other.length >= least]
    return framed, boxes


SPECK_OTHER = 0.15
"""The share of the digits' length below which another mark is not told."""


def _as_it_is(picture: Picture) -> Framed | None:
    """Return a picture in MNIST's form unchanged, and nothing for another."""
    return None if picture.grey is None else frame_mnist(picture.grey[np.newaxis])[0]


def _first_look(pixels: np.ndarray, find: FindInk) -> tuple[View, np.ndarray]:
    """Look at the whole picture, and where nothing is found, at its parts; return the view and its answer."""
    view = whole(pixels)
    shares = find(look(pixels, view)[np.newaxis])[0]
    if pieces(shares[..., DIGITS], ONE_REACH)[1]:
        return view, shares
    best, most = (view, shares), 0.0
    for part in covering(pixels, max(min(pixels.shape[:2]) / 2, 24)):
        seen = find(look(pixels, part)[np.newaxis])[0]
        amount = max(
            (piece.amount for piece in pieces(seen[..., DIGITS], ONE_REACH)[1]), default=0.0
        )
        if amount > most:
            best, most = (part, seen), amount
    return best


def _prominence(digit: Piece, view: View, pixels: np.ndarray) -> float:
    """Weigh a piece for being the digit: its amount, less at the border, where neighbours are cut."""
    return digit.amount * (0.3 if _at_border(digit, view, pixels) else 1.0)


def _at_border(digit: Piece, view: View, pixels: np.ndarray) -> bool:
    """Tell whether a piece touches the border of the picture."""
    left, top, right, bottom = view.box(digit.box)
    height, width = pixels.shape[:2]
    slack = view.scale
    return left <= slack or top <= slack or right >= width - slack or bottom >= height - slack


def _several(digits: list[Piece], pixels: np.ndarray, view: View) -> bool:
    """Tell whether a picture shows more than one digit, of much the same size."""
    longest = max((digit.length for digit in digits), default=0)
    alike = [digit for digit in digits if digit.length >= ALIKE * longest]
    return len([digit for digit in alike if not _at_border(digit, view, pixels)]) > 1


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, down)


def _shown(pixels: np.ndarray) -> np.ndarray:
    """Return a picture for a person to look at, no larger than is of use."""
    every = max(1, max(pixels.shape) // 500)
    return pixels[::every, ::every].astype(np.float32) / np.float32(255)


def _framed(
    picture: Picture, ink: np.ndarray, labels: np.ndarray, digit: Piece, view: View, steps: Steps, reason: str
) -> Framed:
    """Crop one digit out of a picture's ink, and bring it into MNIST's form."""
    left, top, right, bottom = digit.box
    window = (slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1))
    own = np.isin(labels[window], digit.labels)
    # The pale rim of a stroke is part of it; what belongs to others is not.
    rim = ndimage.binary_dilation(own, np.ones((3, 3))) & (own | (labels[window] == 0))
    cropped = np.where(rim, ink[window], np.float32(0))
    cropped = cropped[np.ix_(own.any(axis=1), own.any(axis=0))]
    image = centred(cropped)
    box = _in_picture(view.box(digit.box), picture)
    hint = ""
    if digit.length * view.scale * picture.shrunk < TOO_SMALL:
        hint = " (too small)"
    elif _at_border(digit, view, picture.pixels):
        hint = " (cut off at the edge)"
    return Framed(image, box, (*steps, ("digit", cropped), ("framed", image)), reason, hint)


def _in_picture(box: tuple[float, float, float, float], picture: Picture) -> Box:
    """Return a box in whole pixels of the picture as it was stored."""
    height, width = picture.pixels.shape[:2]
    left, top, right, bottom = (
        round(min(max(value, 0), most) * picture.shrunk)
        for value, most in zip(box, (width, height, width, height), strict=True)
    )
    return left, top, right, bottom
