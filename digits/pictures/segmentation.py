"""Which ink belongs to which digit, and in which order digits are read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import ndimage

from digits.ink.look import CORES, INK, OTHERS, Box

FAINTEST = 0.2
"""The share of ink that the clearest pixels of a picture with a digit have at least."""

CLEAREST = 6
"""How many pixels tell how clear the ink of a picture is."""

LEVEL = 0.45
"""The share of the clearest ink from which a pixel is part of a stroke."""

FAINT_LEVEL, RIDGE, AROUND = 0.1, 2.0, 9
"""The same where it is so many times the mean of a square of so many pixels around it."""

CERTAIN = 0.6
"""The share of the clearest ink that some pixel of every stroke has."""

CORE_LEVEL, CERTAIN_CORE = 0.3, 0.55
"""The shares from which a pixel may lie in the core of a digit, and from which it does."""

SAME = 0.5
"""The share of the smaller of two digits, twice as large as their cores, from which both are one."""

REACH = 1.2
"""How far ink may be from the core of its digit, in lengths of the core, which is half as long as it."""

LEAST_PIXELS = 4
"""Pixels of the least digit, core or mark."""

CONNECTED = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Piece:
    """The ink of a digit or another mark: its label, its box (left, top, right, bottom), its pixels."""

    label: int
    box: Box
    amount: int

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


def digits_in(shares: np.ndarray, reach: int = 0) -> tuple[np.ndarray, list[Piece]]:
    """Tell which ink belongs to which digit.

    Each core that the network sees is a digit's. A stroke is of the digit whose core is nearest to most of
    it; where digits touch, each pixel is of the digit whose core is nearest.

    Args:
        shares: of ink, other marks and cores in each pixel, float32 (H, W, 3).
        reach: pixels without ink that a stroke goes on behind.

    Returns:
        For each pixel the label of its digit (H, W), 0 where there is none, and the digits, largest first.
    """
    strokes, stroke_count = _strokes(shares, reach, of_digits=True)
    mask = strokes > 0
    labels = np.zeros(mask.shape, np.int32)
    if not stroke_count:
        return labels, []
    cores, count = _cores(shares[..., CORES])
    if not count:
        # Where the network sees ink and no core, each stroke may be a digit.
        cores, count = ndimage.label(mask, CONNECTED)
    lengths = np.zeros(count + 1)
    for piece in _pieces(cores, count, 1):
        lengths[piece.label] = piece.length
    owners, near = _nearest(cores, lengths)
    votes = np.zeros((stroke_count + 1, count + 1), np.int64)
    np.add.at(votes, (strokes[near & mask], owners[near & mask]), 1)
    # The stroke that most of a digit is in; several digits touch where they have the same.
    main = votes.argmax(axis=0)
    for stroke, place in enumerate(ndimage.find_objects(strokes), start=1):
        if place is None:
            continue
        own = strokes[place] == stroke
        claiming = [core for core in range(1, count + 1) if main[core] == stroke and votes[stroke, core]]
        if len(claiming) > 1:
            nearest = _nearest(np.where(np.isin(cores, claiming), cores, 0), lengths)[0][place]
            labels[place][own] = nearest[own]
        elif claiming:
            labels[place][own] = claiming[0]
        elif 2 * votes[stroke].max() > own.sum():
            labels[place][own] = votes[stroke].argmax()
    return labels, _pieces(labels, count, LEAST_PIXELS)


def marks_in(shares: np.ndarray) -> tuple[np.ndarray, list[Piece]]:
    """Return which other mark each pixel (H, W) of shares (H, W, 3) is of, and the marks, largest first."""
    labels, count = _strokes(shares, 0, of_digits=False)
    return labels, _pieces(labels, count, LEAST_PIXELS)


def share_of_digits(shares: np.ndarray, labels: np.ndarray, piece: Piece) -> float:
    """Return how much of a piece's ink is taken for that of digits, and not for other marks: from 0 to 1."""
    ink, other = (shares[..., kind][labels == piece.label].sum() for kind in (INK, OTHERS))
    return float(ink / (ink + other))


def _strokes(shares: np.ndarray, reach: int, *, of_digits: bool) -> tuple[np.ndarray, int]:
    """Label the strokes of digits, or of other marks, in shares (H, W, 3); return them and the highest label.

    A stroke is a digit's where more of it is taken for the ink of digits than for other marks.
    """
    ink, other = shares[..., INK], shares[..., OTHERS]
    either = ink + other
    clearest = float(np.partition(either, -CLEAREST, axis=None)[-CLEAREST])
    if clearest < FAINTEST:
        return np.zeros(ink.shape, np.int32), 0
    # A thin stroke that the network is less sure of still stands out from what is around it, as fog does not.
    faint = (either > FAINT_LEVEL * clearest) & (either > RIDGE * ndimage.uniform_filter(either, AROUND))
    mask = faint | (either > LEVEL * clearest)
    wide = ndimage.binary_dilation(mask, CONNECTED, reach) if reach else mask
    strokes, count = ndimage.label(wide, CONNECTED)
    strokes *= mask
    certain = np.zeros(count + 1, bool)
    certain[strokes[either > CERTAIN * clearest]] = True
    certain[0] = False
    more = np.bincount(strokes.ravel(), (ink - other).ravel(), count + 1) > 0
    return np.where((certain & (more == of_digits))[strokes], strokes, 0), count


def _cores(core: np.ndarray) -> tuple[np.ndarray, int]:
    """Label the cores (H, W): those that are certain, and others that no certain one is part of."""
    certain, count = ndimage.label(core > CERTAIN_CORE, CONNECTED)
    likely, likely_count = ndimage.label(core > CORE_LEVEL, CONNECTED)
    known = np.zeros(likely_count + 1, bool)
    known[likely[certain > 0]] = True
    known[0] = True
    others, other_count = ndimage.label(~known[likely], CONNECTED)
    return _united(np.where(others > 0, others + count, certain)), count + other_count


def _united(cores: np.ndarray) -> np.ndarray:
    """Unite cores (H, W) that are parts of one: the digits that they would have lie on each other."""
    places = ndimage.find_objects(cores)
    spans = np.array([[(part.start, part.stop) for part in place] for place in places], np.float64).reshape(
        -1, 2, 2
    )
    middles, lengths = spans.mean(axis=2), 2 * (spans[..., 1] - spans[..., 0])
    united = np.arange(len(places) + 1)
    for one, other in combinations(range(len(places)), 2):
        apart = np.abs(middles[one] - middles[other])
        shared = np.minimum(
            (lengths[one] + lengths[other]) / 2 - apart, np.minimum(lengths[one], lengths[other])
        )
        if shared.min() > 0 and shared.prod() > SAME * min(lengths[one].prod(), lengths[other].prod()):
            united[united == united[other + 1]] = united[one + 1]
    return np.asarray(united[cores])


def _nearest(cores: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which core is nearest to each pixel (H, W), and whether it is near enough for its length."""
    distance, (rows, columns) = ndimage.distance_transform_edt(cores == 0, return_indices=True)
    owners = cores[rows, columns]
    return owners, distance <= REACH * lengths[owners]


def _pieces(labels: np.ndarray, count: int, least: int) -> list[Piece]:
    """Return the pieces of so many labels (H, W) that have so many pixels, largest first."""
    amounts = np.bincount(labels.ravel(), minlength=count + 1)
    found = []
    for label, place in enumerate(ndimage.find_objects(labels, count), start=1):
        if place is not None and amounts[label] >= least:
            rows, columns = place
            box = (columns.start, rows.start, columns.stop, rows.stop)
            found.append(Piece(label, box, int(amounts[label])))
    return sorted(found, key=lambda piece: (-piece.amount, piece.box))


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
