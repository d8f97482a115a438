"""Which ink belongs to which digit, and in which order digits are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from digits.pictures.look import Box

FAINTEST = 0.2
"""The share of ink that the clearest pixels of a picture with a digit have at least."""

CLEAREST = 6
"""How many pixels tell how clear the ink of a picture is."""

LEVEL = 0.33
"""The share of the clearest ink from which a pixel is part of a stroke."""

FAINT_LEVEL, RIDGE, AROUND = 0.1, 2.0, 9
"""The same where it is so many times the mean of a square of so many pixels around it."""

CERTAIN = 0.6
"""The share of the clearest ink that some pixel of every piece has."""

SPECK = 0.45
"""The share of the length of most digits below which a piece is a comma, a dot or a minus sign."""

LEAST_PIXELS = 6
"""Pixels of the least piece."""


@dataclass(frozen=True)
class Piece:
    """Ink that hangs together: its labels, its box (left, top, right, bottom) and its amount in pixels."""

    labels: tuple[int, ...]
    box: Box
    amount: float

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.box[3] - self.box[1]

    @property
    def length(self) -> int:
        """Pixels of the longer side."""
        return max(self.width, self.height)

    def with_(self, other: Piece) -> Piece:
        """Return both pieces as one."""
        left, top = min(self.box[0], other.box[0]), min(self.box[1], other.box[1])
        right, bottom = max(self.box[2], other.box[2]), max(self.box[3], other.box[3])
        labels = self.labels + other.labels
        return Piece(labels, (left, top, right, bottom), self.amount + other.amount)


def pieces(ink: np.ndarray, reach: int) -> tuple[np.ndarray, list[Piece]]:
    """Label the ink that hangs together in shares (H, W).

    Args:
        ink: the share of each pixel, float32 (H, W).
        reach: pixels without ink that a stroke goes on behind.

    Returns:
        The labels (H, W), 0 where there is no ink, and the pieces, largest amount first.
    """
    clearest = float(np.partition(ink, -CLEAREST, axis=None)[-CLEAREST])
    if clearest < FAINTEST:
        return np.zeros(ink.shape, np.int32), []
    mask = ink > LEVEL * clearest
    # A thin stroke that the network is less sure of still stands out from what is around it, as fog does not.
    mask |= (ink > FAINT_LEVEL * clearest) & (ink > RIDGE * ndimage.uniform_filter(ink, AROUND))
    wide = ndimage.binary_dilation(mask, np.ones((3, 3)), reach) if reach else mask
    labels, count = ndimage.label(wide, structure=np.ones((3, 3)))
    labels *= mask
    amounts = np.bincount(labels.ravel(), minlength=count + 1)
    certain = np.bincount(labels[ink > CERTAIN * clearest].ravel(), minlength=count + 1)
    least = max(LEAST_PIXELS, 0.01 * amounts[1:].max(initial=0))
    found = []
    for label, place in enumerate(ndimage.find_objects(labels, count), start=1):
        if place is not None and amounts[label] >= least and certain[label]:
            rows, columns = place
            box = (columns.start, rows.start, columns.stop, rows.stop)
            found.append(Piece((label,), box, float(amounts[label])))
    return labels, sorted(found, key=lambda piece: (-piece.amount, piece.box))


def joined(found: list[Piece], gap: float) -> list[Piece]:
    """Put pieces together that are strokes of one digit; largest first.

    Args:
        found: pieces, largest first.
        gap: the share of a digit's length that large strokes of it may be apart.
    """
    digits: list[Piece] = []
    for piece in found:
        near = min(
            (digit for digit in digits if _of_one_digit(digit, piece, gap)),
            key=lambda digit: _distance(digit, piece),
            default=None,
        )
        if near is not None:
            digits.remove(near)
            piece = near.with_(piece)
        digits.append(piece)
    return sorted(digits, key=lambda digit: (-digit.amount, digit.box))


def _of_one_digit(one: Piece, other: Piece, gap: float) -> bool:
    """Tell whether the smaller piece, `other`, is a stroke of the digit that `one` is the larger part of."""
    shared = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    apart = _distance(one, other)
    if shared >= 0.4 * min(one.width, other.width):
        # One stands over the other, as the bar of a 5 does; two digits below each other are of one height.
        low = min(one.height, other.height) < 0.55 * max(one.height, other.height)
        return apart <= (0.25 if low else max(0.05, gap)) * one.length
    small = other.length < 0.45 * one.length
    return apart <= (0.16 if small else gap) * one.length


def _distance(one: Piece, other: Piece) -> float:
    """Return how many pixels two boxes are apart."""
    across = max(one.box[0] - other.box[2], other.box[0] - one.box[2], 0)
    down = max(one.box[1] - other.box[3], other.box[1] - one.box[3], 0)
    return float(np.hypot(across, down))


def of_one_size(found: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Tell digits, which are of much the same size, from specks and smaller marks."""
    if not found:
        return [], []
    typical = float(np.percentile([piece.length for piece in found], 75))
    return (
        [piece for piece in found if piece.length >= SPECK * typical],
        [piece for piece in found if piece.length < SPECK * typical],
    )


def in_reading_order(digits: list[Piece]) -> list[Piece]:
    """Order digits: lines from the top, each from the left."""
    lines: list[list[Piece]] = []
    for digit in sorted(digits, key=lambda digit: digit.box[0]):
        for line in lines:
            last = line[-1]
            shared = min(last.box[3], digit.box[3]) - max(last.box[1], digit.box[1])
            if shared >= 0.4 * min(last.height, digit.height):
                line.append(digit)
                break
        else:
            lines.append([digit])
    lines.sort(key=lambda line: np.mean([digit.box[1] + digit.box[3] for digit in line]))
    return [digit for line in lines for digit in line]
