"""From a picture's luminance to the image that a network reads: framed as the digits of MNIST were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from digits.pictures.background import contrast
from digits.pictures.centring import DIGIT_SIDE, SIDE, centred
from digits.pictures.ink import MASK_LEVEL, strength
from digits.pictures.segmentation import Box, Piece, one_digit, pieces, several_digits

WORKING_SIDE = 500
"""Pixels of the longer side at which one digit is looked for; it is 28 pixels in the end."""

SEVERAL_SIDE = 1200
"""Pixels of the longer side at which several digits are looked for."""

LEAST_SIDE = 64
"""Pixels of the longer side below which a picture is enlarged, so that its edges are not stairs."""

ONES = np.ones(SIDE, np.float32)
FROM_MIDDLE = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
"""How far each pixel of a row of MNIST's is from the middle of the row."""

MOST_OFF = 1.03
"""Pixels between the centre of mass and the middle of an image of MNIST, at most."""

LEAST_STRENGTH = 0.9
"""Of the strongest pixel of an image of MNIST."""

CUT_RIM = 0.05
"""The share of a digit's length that is missing on each side where it fills its picture."""

Steps = tuple[tuple[str, np.ndarray], ...]


@dataclass(frozen=True)
class Framed:
    """A digit framed as MNIST's are.

    `image` is float32 (28, 28) in [0, 1], light on 0.
    `box` is (left, top, right, bottom) in pixels of the picture, right and bottom excluded,
    or None where no ink was found and `image` is all 0.
    `steps` are the names and float32 arrays (h, w) in [0, 1] of what led there, for a person to look at.
    """

    image: np.ndarray
    box: Box | None
    steps: Steps


def is_mnist(luminance: np.ndarray) -> bool:
    """Tell whether a luminance (H, W) has the form of MNIST's images (see `frame_mnist`)."""
    return _as_it_is(luminance) is not None


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


def frame_digit(luminance: np.ndarray) -> Framed:
    """Frame the one digit of a picture.

    A picture in MNIST's own form comes back as it is.

    Args:
        luminance: float32 (H, W) in [0, 1], as `digits.pictures.reading.read_picture` gives it.
    """
    if as_it_is := _as_it_is(luminance):
        return as_it_is
    inked, steps, scale = _inked(luminance, WORKING_SIDE)
    labels, found = pieces(inked)
    digit = one_digit(found, inked.shape)
    if digit is None:
        return Framed(np.zeros((SIDE, SIDE), np.float32), None, steps)
    return _framed(inked, labels, digit, steps, scale)


def frame_digits(luminance: np.ndarray) -> list[Framed]:
    """Frame each digit of a picture, in the order of reading: lines from the top, each from the left.

    Args:
        luminance: float32 (H, W) in [0, 1], as `digits.pictures.reading.read_picture` gives it.
    """
    if as_it_is := _as_it_is(luminance):
        return [as_it_is]
    inked, steps, scale = _inked(luminance, SEVERAL_SIDE)
    labels, found = pieces(inked)
    digits = several_digits(found, inked.shape)
    return [_framed(inked, labels, digit, steps, scale) for digit in digits]


def _as_it_is(luminance: np.ndarray) -> Framed | None:
    """Give a picture in MNIST's form unchanged, and nothing for another."""
    if luminance.shape != (SIDE, SIDE):
        return None
    return frame_mnist(np.array(luminance, np.float32)[np.newaxis])[0]


def _inked(luminance: np.ndarray, side: int) -> tuple[np.ndarray, Steps, float]:
    """Find the ink of a picture, at a size to work with.

    Returns:
        Its strength (h, w), the steps to it, and how many pixels of the picture one of its pixels is.
    """
    sized, ratio = _sized(np.asarray(luminance, np.float32), side)
    standing_out = contrast(sized)
    inked = strength(standing_out)
    steps = (("picture", sized), ("contrast", np.clip(standing_out, 0, 1)), ("ink", inked))
    return inked, steps, ratio * getattr(luminance, "shrunk", 1)


def _sized(luminance: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Scale a luminance whose longer side is beyond `side` or below `LEAST_SIDE`; give it and the ratio."""
    longest = max(luminance.shape)
    wanted = min(max(longest, LEAST_SIDE), side)
    if wanted == longest:
        return luminance, 1.0
    height, width = (max(1, round(length * wanted / longest)) for length in luminance.shape)
    resampling = Image.Resampling.BOX if wanted < longest else Image.Resampling.BICUBIC
    resized = Image.fromarray(luminance).resize((width, height), resampling)
    return np.clip(np.asarray(resized), 0, 1), longest / wanted


def _framed(inked: np.ndarray, labels: np.ndarray, digit: Piece, steps: Steps, scale: float) -> Framed:
    """Crop one digit out of a picture's ink, and bring it into MNIST's form."""
    left, top, right, bottom = digit.box
    window = (slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1))
    own = np.isin(labels[window], digit.labels)
    # The pale rim of a stroke is part of it; what belongs to others is not.
    rim = ndimage.binary_dilation(own, np.ones((3, 3))) & (own | (inked[window] <= MASK_LEVEL))
    cropped = np.where(rim, inked[window], np.float32(0))
    cropped = cropped[np.ix_(own.any(axis=1), own.any(axis=0))]
    if (top == 0 and bottom == len(inked)) or (left == 0 and right == inked.shape[1]):
        # The picture ends where the pale rim of its strokes would be.
        cropped = np.pad(cropped, round(CUT_RIM * max(cropped.shape)))
    image = centred(cropped)
    height, width = (length * scale for length in inked.shape)
    box = (
        max(0, round(left * scale)),
        max(0, round(top * scale)),
        round(min(right * scale, width)),
        round(min(bottom * scale, height)),
    )
    return Framed(image, box, (*steps, ("digit", cropped), ("framed", image)))
