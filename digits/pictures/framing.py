"""From a picture to the image that a network reads: its ink found, and framed as the digits of MNIST were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from digits.decoding.colours import Picture
from digits.ink.look import (
    INK,
    OTHERS,
    Box,
    FindInk,
    View,
    around,
    covering,
    found_ink,
    look,
    mosaic,
    whole,
)
from digits.ink.look import SIDE as LOOK_SIDE
from digits.pictures.centring import DIGIT_SIDE, SIDE, centred
from digits.pictures.segmentation import (
    Piece,
    digits_in,
    in_reading_order,
    marks_in,
    share_of_digits,
)

FILLED = 0.62
"""The share of a look's side that a digit is to be long."""

CLOSE_ENOUGH = 0.42
"""The share of a look's side from which on a digit is not looked at closer."""

FILLED_AGAIN = 0.75
"""The share of a look's side that a digit is to be long in the second look at it."""

CLEAR = 0.5
"""The mean share of ink in several digits, below which they are looked at closer."""

MOST_LOOKS, MOST_CANDIDATES = 3, 3
"""At one digit, from the first one on, and of what may be the one digit, the likeliest ones."""

ONE_REACH = 2
"""Pixels of a look that a gap in a stroke of one digit may be wide; several digits may nearly touch."""

ROW_HEIGHT = 48
"""Pixels of a look that digits of a row are to be long."""

MOST_MOSAICS = 3
"""How often several digits are looked at as large as that, since small ones are first seen badly."""

ALIKE = 0.6
"""The share of the longest digit's length from which another piece is a digit of its own."""

SPECK = 0.45
"""The share of the length of most digits of a row below which something is none."""

LEAST_MARK = 0.15
"""The share of the digits' length below which another mark is not told."""

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

    `looks` are float32 (28, 28) in [0, 1], light on 0, from each look at the digit: one, or two, of which
    the second is all 0 where it does not show the digit.
    `box` is (left, top, right, bottom) in pixels of the picture, right and bottom excluded,
    or None where no ink was found and the look is all 0.
    `steps` are the names and float32 arrays (h, w) or (h, w, 3) in [0, 1] of what led there, for a person.
    `reason` says why the answer should not be used, where that is known beforehand, and `hint` what may
    be the cause if the network is not sure. `note` is the picture's.
    """

    looks: tuple[np.ndarray, ...]
    box: Box | None
    steps: Steps
    reason: str = ""
    hint: str = ""
    note: str = ""

    @property
    def image(self) -> np.ndarray:
        """What the digit is framed as from the first look."""
        return self.looks[0]


@dataclass(frozen=True)
class FramedRow:
    """The digits of a picture, in the order of reading: lines from the top, each from the left.

    `other` are the boxes of other marks between and beside them.
    `certainty` is from 0 to 1: the least share of the ink of a digit, or of a mark as large as one, that is
    taken for what the whole is taken for.
    """

    digits: list[Framed]
    other: list[Box]
    certainty: float


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
        Framed((image,), box, (("picture", image), ("framed", image))) if is_alike else None
        for image, box, is_alike in zip(images, boxes, alike.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class Seen:
    """A digit in the answer about a look: `shares` (h, w, 3), and `labels` (h, w) of the pieces."""

    view: View
    shares: np.ndarray
    labels: np.ndarray
    digit: Piece

    @property
    def clearness(self) -> float:
        """The mean share of ink where the digit is."""
        return float(self.shares[..., INK][self.labels == self.digit.label].mean())

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The digit's box in pixels of the picture."""
        return self.view.box(self.digit.box)


def frame_digit(picture: Picture, find: FindInk) -> Framed:
    """Frame the one digit of a picture: look at the whole, and then closer at what may be the digit.

    A picture in MNIST's own form comes back as it is.

    Args:
        picture: as `digits.decoding.reading.read_picture` returns it.
        find: the network that finds ink.
    """
    if as_it_is := _as_it_is(picture):
        return as_it_is
    pixels = picture.pixels
    candidates: list[Seen] = []
    best = None
    for seen_at_first in _seen_at_first(pixels, find, ONE_REACH):
        candidates = sorted([*candidates, *seen_at_first], key=lambda seen: -_worth(seen, pixels))
        closer = [_looked_at_closer(seen, pixels, find) for seen in candidates[:MOST_CANDIDATES]]
        best = max(closer, key=lambda seen: _worth(seen, pixels), default=None)
        if best and best.clearness >= CLEAR:
            break
    if best is None:
        nothing = np.zeros((SIDE, SIDE), np.float32)
        return Framed((nothing,), None, (("picture", _shown(pixels)), ("look", look(pixels, whole(pixels)))))
    steps = (
        ("picture", _shown(pixels)),
        ("look", look(pixels, best.view)),
        ("ink", best.shares[..., INK]),
    )
    again = _looked_at_again(best, pixels, find, ONE_REACH)
    return _framed(picture, best, again, steps, _why_not(best, candidates, pixels))


def frame_digits(picture: Picture, find: FindInk) -> FramedRow:
    """Frame each digit of a picture.

    Args:
        picture: as `digits.decoding.reading.read_picture` returns it.
        find: the network that finds ink.
    """
    if as_it_is := _as_it_is(picture):
        return FramedRow([as_it_is], [], 1.0)
    seen = _looked_at_in_parts(picture.pixels, find)
    if not seen:
        return FramedRow([], [], 1.0)
    view, shares, labels = seen[0].view, seen[0].shares, seen[0].labels
    steps = (("picture", _shown(picture.pixels)), ("ink", shares[..., INK]))
    digits = in_reading_order([each.digit for each in seen])
    framed = []
    for each in (Seen(view, shares, labels, digit) for digit in digits):
        again = _looked_at_again(each, picture.pixels, find, 0)
        framed.append(_framed(picture, each, again, steps))
    mark_labels, marks = marks_in(shares)
    typical = float(np.median([digit.length for digit in digits]))
    of_digits = [share_of_digits(shares, labels, digit) for digit in digits]
    of_marks = [
        1 - share_of_digits(shares, mark_labels, mark) for mark in marks if mark.length >= SPECK * typical
    ]
    told = [mark for mark in marks if mark.length >= LEAST_MARK * typical]
    boxes = [_in_picture(view.box(mark.box), picture) for mark in told]
    return FramedRow(framed, boxes, min(of_digits + of_marks))


def _looked_at_in_parts(pixels: np.ndarray, find: FindInk) -> list[Seen]:
    """Look at all parts of a picture, as large as makes its digits `ROW_HEIGHT` long; return the digits.

    Where several small digits seem to be one, what is seen is unclear, and looked at again, closer.
    """
    clearest = seen = next(filter(None, map(_of_one_size, _seen_at_first(pixels, find, reach=0))), [])
    length = _median_length(seen)
    for number in range(MOST_MOSAICS):
        if not length:
            break
        views = covering(pixels, max(length * LOOK_SIDE / ROW_HEIGHT, 24))
        seen = _of_one_size(_seen(View(0, 0, views[0].side), mosaic(pixels, views, find), reach=0))
        if not number or _mean_clearness(seen) > _mean_clearness(clearest):
            clearest = seen
        is_clear, before, length = _mean_clearness(seen) >= CLEAR, length, _median_length(seen)
        if is_clear and ALIKE <= length / before <= 1 / ALIKE:
            break
        length = length if is_clear else before / 2
    return clearest


def _median_length(seen: list[Seen]) -> float:
    """Return how many pixels of the picture most digits are long, and 0 where there is none."""
    return float(np.median([each.digit.length * each.view.scale for each in seen])) if seen else 0.0


def _mean_clearness(seen: list[Seen]) -> float:
    return float(np.mean([each.clearness for each in seen])) if seen else 0.0


def _of_one_size(seen: list[Seen]) -> list[Seen]:
    """Leave out what is much smaller than most digits, such as a comma or a minus sign."""
    typical = float(np.percentile([each.digit.length for each in seen], 75)) if seen else 0.0
    return [each for each in seen if each.digit.length >= SPECK * typical]


def _as_it_is(picture: Picture) -> Framed | None:
    """Return a picture in MNIST's form unchanged, and nothing for another."""
    return None if picture.grey is None else frame_mnist(picture.grey[np.newaxis])[0]


def _seen_at_first(pixels: np.ndarray, find: FindInk, reach: int) -> Iterator[list[Seen]]:
    """Yield what may be digits in the whole picture, and then what may be small ones in its parts."""
    view = whole(pixels)
    yield _seen(view, found_ink(pixels, view, find), reach)
    small: list[Seen] = []
    for part in covering(pixels, max(min(pixels.shape[:2]) / 2, 24)):
        seen = _seen(part, found_ink(pixels, part, find), reach)
        # What is large in a part is a part itself, of what is larger.
        small += [each for each in seen if each.digit.length < CLOSE_ENOUGH * LOOK_SIDE]
    yield small


def _seen(view: View, shares: np.ndarray, reach: int) -> list[Seen]:
    """Return what may be a digit in the answer about a look."""
    labels, digits = digits_in(shares, reach)
    return [Seen(view, shares, labels, digit) for digit in digits]


def _looked_at_closer(seen: Seen, pixels: np.ndarray, find: FindInk) -> Seen:
    """Look closer at a digit, until it is large enough."""
    for _ in range(MOST_LOOKS - 1):
        if seen.digit.length >= CLOSE_ENOUGH * LOOK_SIDE:
            break
        view = around(seen.box, max(seen.digit.length * seen.view.scale / FILLED, 12), pixels)
        if view.side > 0.9 * seen.view.side:
            break
        near = _seen(view, found_ink(pixels, view, find), ONE_REACH)
        # What is seen may lie beside what was seen from further away, but not apart from it.
        near = [other for other in near if _shared(other.box, seen.box) > 0]
        if not near:
            break
        box = seen.box
        seen = max(near, key=lambda other: other.digit.amount * _shared(other.box, box))
    return seen


def _looked_at_again(seen: Seen, pixels: np.ndarray, find: FindInk, reach: int) -> np.ndarray:
    """Look at a digit once more, from close to it, and frame it: all 0 where it is not seen there."""
    view = around(seen.box, max(seen.digit.length * seen.view.scale / FILLED_AGAIN, 12), pixels)
    near = _seen(view, found_ink(pixels, view, find), reach)
    same = max(near, key=lambda other: _overlap(other.box, seen.box), default=None)
    if same is None or not _overlap(same.box, seen.box):
        return np.zeros((SIDE, SIDE), np.float32)
    return centred(_cropped(same))


def _worth(seen: Seen, pixels: np.ndarray) -> float:
    """Weigh a piece for being the digit: how long and how clear it is, and whether it is cut off."""
    clearness = seen.clearness
    inside = 0.3 if _at_border(seen, pixels) else 1.0
    return inside * clearness * clearness * clearness * seen.digit.length * seen.view.scale


def _at_border(seen: Seen, pixels: np.ndarray) -> bool:
    """Tell whether a piece touches the border of the picture, or of what was seen of it."""
    if min(seen.digit.box) <= 0 or max(seen.digit.box[2:]) >= max(seen.shares.shape[:2]):
        return True
    left, top, right, bottom = seen.box
    height, width = pixels.shape[:2]
    slack = seen.view.scale
    return left <= slack or top <= slack or right >= width - slack or bottom >= height - slack


def _why_not(best: Seen, candidates: list[Seen], pixels: np.ndarray) -> str:
    """Say why the answer about a digit should not be used: there is another one of much the same size."""
    length, worth = best.digit.length * best.view.scale, _worth(best, pixels)
    rivals = [
        other
        for other in candidates
        if other.digit.length * other.view.scale >= ALIKE * length
        and _worth(other, pixels) >= ALIKE * worth
        and not _shared(other.box, best.box)
        and not _at_border(other, pixels)
    ]
    return "more than one digit: `--many` reads them" if rivals else ""


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, down)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the area that two boxes share, as a share of all that they cover."""
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    shared = _shared(one, other)
    return shared / (areas - shared)


def _shown(pixels: np.ndarray) -> np.ndarray:
    """Return a picture for a person to look at, no larger than is of use."""
    every = max(1, max(pixels.shape) // 500)
    return pixels[::every, ::every].astype(np.float32) / np.float32(255)


def _framed(picture: Picture, seen: Seen, again: np.ndarray, steps: Steps, reason: str = "") -> Framed:
    """Crop one digit out of a picture's ink, and bring it into MNIST's form."""
    cropped = _cropped(seen)
    image = centred(cropped)
    hint = ""
    if seen.digit.length * seen.view.scale * picture.shrunk < TOO_SMALL:
        hint = " (too small)"
    elif _at_border(seen, picture.pixels):
        hint = " (cut off at the edge)"
    box = _in_picture(seen.box, picture)
    return Framed((image, again), box, (*steps, ("digit", cropped), ("framed", image)), reason, hint)


def _cropped(seen: Seen) -> np.ndarray:
    """Crop a digit out of the ink of what was seen: float32 (h, w) in [0, 1]."""
    ink = seen.shares[..., INK] + seen.shares[..., OTHERS]
    left, top, right, bottom = seen.digit.box
    window = (slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1))
    labels = seen.labels[window]
    own = labels == seen.digit.label
    # The pale rim of a stroke is part of it; what belongs to others is not.
    rim = ndimage.binary_dilation(own, np.ones((3, 3))) & (own | (labels == 0))
    cropped = np.where(rim, ink[window], np.float32(0))
    return np.asarray(cropped[np.ix_(own.any(axis=1), own.any(axis=0))])


def _in_picture(box: tuple[float, float, float, float], picture: Picture) -> Box:
    """Return a box in whole pixels of the picture as it was stored."""
    height, width = picture.pixels.shape[:2]
    left, top, right, bottom = (
        round(min(max(value, 0), most) * picture.shrunk)
        for value, most in zip(box, (width, height, width, height), strict=True)
    )
    return left, top, right, bottom
