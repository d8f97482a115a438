"""A digit's ink as MNIST shows it: 20 pixels long, centred by mass, with strokes as strong as there.

Source: http://yann.lecun.com/exdb/mnist, which says how NIST's digits became MNIST's.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

SIDE = 28
"""Pixels of an image's side."""

DIGIT_SIDE = 20
"""Pixels of the longer side of a digit in it."""

STROKE = 2.4
"""Pixels that a stroke of the finished digit is wide at least."""

FULL_PERCENTILE = 85
"""The percentile of the inked pixels that becomes full strength."""


def centred(strength: np.ndarray) -> np.ndarray:
    """Bring the ink of one digit, cropped to it, into MNIST's form.

    Args:
        strength: float32 (h, w) in [0, 1], with ink in it.

    Returns:
        Float32 (28, 28) in [0, 1].
    """
    small = scaled(thickened(strength))
    inked = small[small > 0.1]
    full = float(np.percentile(inked, FULL_PERCENTILE)) if inked.size else 1.0
    small = np.clip(small / max(full, 0.2), 0, 1)
    return placed(small)


def stroke_width(strength: np.ndarray) -> float:
    """Estimate how many pixels the strokes in a strength (h, w) are wide.

    The distance to the nearest pixel without ink is averaged over the ink: a quarter of the width.
    """
    inked = np.pad(strength > 0.5, 1)
    if not inked.any():
        return 1.0
    distance = ndimage.distance_transform_edt(inked)
    return float(max(1.0, 4 * distance[inked].mean() - 1))


def thickened(strength: np.ndarray) -> np.ndarray:
    """Widen strokes that would become thinner than `STROKE` in the finished digit."""
    length = max(strength.shape)
    lacking = STROKE * length / DIGIT_SIDE - stroke_width(strength)
    radius = lacking / 2
    if radius < 0.5:
        return strength
    reach = int(np.ceil(radius))
    down, across = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disk = down**2 + across**2 <= radius**2 + 0.3
    widened: np.ndarray = ndimage.grey_dilation(np.pad(strength, reach), footprint=disk)
    return widened


def scaled(strength: np.ndarray) -> np.ndarray:
    """Scale (h, w) so that its longer side is `DIGIT_SIDE`, its aspect kept and its edges smooth."""
    height, width = strength.shape
    ratio = DIGIT_SIDE / max(height, width)
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    image = Image.fromarray(strength.astype(np.float32))
    # Pillow widens the filter by the ratio when it makes an image smaller.
    small: np.ndarray = np.clip(np.asarray(image.resize(size, Image.Resampling.BICUBIC)), 0, 1)
    return small


def placed(digit: np.ndarray) -> np.ndarray:
    """Put a digit of at most 20 by 20 pixels into 28 by 28, its centre of mass in the middle."""
    height, width = digit.shape
    down, across = ndimage.center_of_mass(digit) if digit.any() else (height / 2, width / 2)
    # Pixel i reaches from i to i + 1; the middle of the image is at 14.
    top = int(np.clip(round(SIDE / 2 - 0.5 - down), 0, SIDE - height))
    left = int(np.clip(round(SIDE / 2 - 0.5 - across), 0, SIDE - width))
    image = np.zeros((SIDE, SIDE), np.float32)
    image[top : top + height, left : left + width] = digit
    return image
