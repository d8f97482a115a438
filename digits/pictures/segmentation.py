"""Which ink belongs to which digit, and in which order digits are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from digits.pictures.ink import MASK_LEVEL

Box = tuple[int, int, int, int]

SPECK_HEIGHT = 0.25
"""The share of the largest digit's height below which a piece alone is a speck."""

GAP = 0.35
"""The share of the largest piece's height that pieces of one digit may be apart."""

OVERLAP = 0.4
"""The share of the narrower piece's width that pieces of one digit overlap."""


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

    def with_(self, other: Piece) -> Piece:
        """Give both pieces as one."""
        left, top = min(self.box[0], other.box[0]), min(self.box[1], other.box[1])
        right, bottom = max(self.box[2], other.box[2]), max(self.box[3], other.box[3])
        labels = self.labels + other.labels
        return Piece(labels, (left, top, right, bottom), self.amount + other.amount)


def pieces(strength: np.ndarray) -> tuple[np.ndarray, list[Piece]]:
    """Label the ink that hangs together in a strength (H, W).

    Returns:
        The labels (H, W), 0 where there is no ink, and the pieces, largest amount first.
    """
    labels, count = ndimage.label(strength > MASK_LEVEL, structure=np.ones((3, 3)))
    amounts = np.bincount(labels.ravel(), minlength=count + 1)
    least = max(2, 0.005 * amounts[1:].max(initial=0))
    found = []
    for label, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        if amounts[label] >= least:
            box = (columns.start, rows.start, columns.stop, rows.stop)
            found.append(Piece((label,), box, float(amounts[label])))
    return labels, sorted(found, key=lambda piece: (-piece.amount, piece.box))


def one_digit(found: list[Piece], shape: tuple[int, ...]) -> Piece | None:
    """Choose the pieces of the one digit in a picture of `shape` (H, W): the main one and those near it."""
    if not found:
        return None
    main = max(found, key=lambda piece: _prominence(piece, shape))
    rest = [piece for piece in found if piece is not main]
    reach = GAP * max(main.height, main.width)
    digit = main
    for piece in rest:
        if _distance(digit, piece) <= reach and piece.amount >= 0.02 * main.amount:
            wide = max(piece.width, piece.height) <= 1.5 * max(main.width, main.height)
            if wide and (_at_border(main, shape) or not _at_border(piece, shape)):
                digit = digit.with_(piece)
    return digit


def _prominence(piece: Piece, shape: tuple[int, ...]) -> float:
    """Weigh a piece for being the digit: its amount, less at the border, as edges and shadows lie there."""
    return piece.amount * (0.1 if _at_border(piece, shape) else 1.0)


def _at_border(piece: Piece, shape: tuple[int, ...]) -> bool:
    """Tell whether a piece touches the border of a picture of `shape` (H, W)."""
    left, top, right, bottom = piece.box
    return left == 0 or top == 0 or right == shape[1] or bottom == shape[0]


def _distance(one: Piece, other: Piece) -> float:
    """Give how many pixels two boxes are apart."""
    across = max(one.box[0] - other.box[2], other.box[0] - one.box[2], 0)
    down = max(one.box[1] - other.box[3], other.box[1] - one.box[3], 0)
    return float(np.hypot(across, down))


def several_digits(found: list[Piece], shape: tuple[int, ...]) -> list[Piece]:
    """Put pieces together to digits, and order them: lines from the top, each from the left."""
    inner = [piece for piece in found if not _at_border(piece, shape)] or found
    digits: list[Piece] = []
    for piece in inner:
        near = next((digit for digit in digits if _of_one_digit(digit, piece)), None)
        if near is not None:
            digits.remove(near)
            piece = near.with_(piece)
        digits.append(piece)
    if not digits:
        return []
    typical = float(np.percentile([digit.height for digit in digits], 75))
    digits = [digit for digit in digits if digit.height >= SPECK_HEIGHT * typical]
    return [digit for line in _lines(digits) for digit in sorted(line, key=lambda digit: digit.box[0])]


def _of_one_digit(one: Piece, other: Piece) -> bool:
    """Tell whether two pieces are strokes of one digit: one stands over the other, close by."""
    shared = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    down = max(one.box[1] - other.box[3], other.box[1] - one.box[3], 0)
    close = down <= 0.25 * max(one.height, other.height)
    both = max(one.box[3], other.box[3]) - min(one.box[1], other.box[1])
    small = min(one.height, other.height) < 0.6 * both
    return shared >= OVERLAP * min(one.width, other.width) and close and small


def _lines(digits: list[Piece]) -> list[list[Piece]]:
    """Group digits to lines: a digit belongs to a line whose last digit stands beside it."""
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
    return sorted(lines, key=lambda line: np.mean([digit.box[1] + digit.box[3] for digit in line]))
