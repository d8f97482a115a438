"""The luminance of images and arrays: what an eye sees of them, at a size to work with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

from digits.errors import DigitsError

MOST_PIXELS = 2**26
"""Pixels of a picture that is read; those of the largest common cameras, and 256 MiB once decoded."""

SHORTEST_SIDE = 3
"""Pixels: no digit can be drawn on less."""

WORKING_PIXELS = 1_000_000
"""Pixels beyond which a picture is made smaller by a whole factor before it is looked at."""

STRIP_PIXELS = 4_000_000
"""Pixels that are converted at a time, so that no second copy of a large picture is made."""

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
"""What red, green and blue add to luminance: ITU-R BT.601, which Pillow uses too."""

ROUNDING = 0.01
"""By how much a float array may leave its range: resampling and sums do so."""


class Luminance(np.ndarray):
    """Float32 (H, W) in [0, 1] that knows by which whole factor it is smaller than the picture."""

    shrunk: int

    @classmethod
    def of(cls, values: np.ndarray, shrunk: int) -> Luminance:
        """Give `values` (H, W) as float32 luminance of a picture that was `shrunk` times as wide."""
        seen: Luminance = np.asarray(values, dtype=np.float32).view(cls)
        seen.shrunk = shrunk
        return seen

    def __reduce__(self) -> tuple[Any, ...]:
        return Luminance.of, (np.asarray(self), self.shrunk)

    def __array_finalize__(self, source: Any) -> None:
        self.shrunk = getattr(source, "shrunk", 1)


def check_size(width: int, height: int, name: str) -> None:
    """Check that a picture is neither too small nor too large.

    Raises:
        DigitsError: it is.
    """
    if min(width, height) < SHORTEST_SIDE:
        raise DigitsError(f"{name}: {width} by {height} pixels, each side needs at least {SHORTEST_SIDE}")
    if width * height > MOST_PIXELS:
        allowed = f"at most {MOST_PIXELS / 1e6:.0f} million are read"
        raise DigitsError(f"{name}: {width} by {height} pixels, {allowed}")


def shrinking(width: int, height: int) -> int:
    """Give the whole factor that brings a picture down to `WORKING_PIXELS`."""
    return max(1, math.ceil(math.sqrt(width * height / WORKING_PIXELS)))


def of_image(image: Image.Image, factor: int, name: str) -> Luminance:
    """Convert an image, strip by strip, to luminance `factor` times as small.

    Raises:
        DigitsError: its values are none of a picture.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return of_array(_whole_array(image), name)
    mode = "RGBA" if image.has_transparency_data else "L"
    small = Image.new(mode, (math.ceil(image.width / factor), math.ceil(image.height / factor)))
    image.load()
    rows = factor * max(1, STRIP_PIXELS // (image.width * factor))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(_converted(strip, mode).reduce(factor), (0, top // factor))
    values = np.divide(np.asarray(small), np.float32(255), dtype=np.float32)
    return Luminance.of(_seen(values) if mode == "RGBA" else values, factor)


def _whole_array(image: Image.Image) -> np.ndarray:
    """Return the values of an image; `np.asarray` would hold it three times."""
    width, height = image.size
    rows = max(1, STRIP_PIXELS // width)
    strips = (image.crop((0, top, width, min(top + rows, height))) for top in range(0, height, rows))
    array = np.empty((height, width), np.asarray(image.crop((0, 0, 1, 1))).dtype)
    for number, strip in enumerate(strips):
        array[number * rows : (number + 1) * rows] = np.asarray(strip)
    return array


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """Convert to greyscale or to colours with alpha; colours that have no direct way go through RGB."""
    if image.mode == mode:
        return image
    direct = image.mode in ("1", "L", "RGB", "RGBA", "LA", "P")
    if not direct and mode == "L":
        image = image.convert("RGB")
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    return image.convert(mode)


def of_array(array: np.ndarray, name: str) -> Luminance:
    """Take an array (H, W[, 1, 3 or 4]) of bool, integers or floats as luminance.

    Raises:
        DigitsError: its type, its shape or its values are none of a picture.
    """
    if array.dtype.kind not in "buif":
        raise DigitsError(f"{name}: the type is {array.dtype}, expected bool, integer or float")
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        allowed = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
        raise DigitsError(f"{name}: the shape is {array.shape}, expected {allowed}")
    height, width = array.shape[:2]
    check_size(width, height, name)
    white = _white(array, name)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    factor = shrinking(width, height)
    if factor > 1:
        whole = array if array.dtype == np.uint8 and white == 255 else _eight_bits(array, white)
        return of_image(Image.fromarray(whole), factor, name)
    values = np.divide(array, np.float32(white), dtype=np.float32, casting="unsafe")
    if array.dtype.kind == "f":
        values = np.clip(values, 0, 1)
    return Luminance.of(_seen(values) if values.ndim == 3 else values, 1)


def _white(array: np.ndarray, name: str) -> int:
    """Tell by an array's largest value which value is white: 1, 255 or 65535."""
    if array.dtype.kind == "b":
        return 1
    smallest, largest = float(array.min()), float(array.max())
    if not math.isfinite(smallest) or not math.isfinite(largest):
        raise DigitsError(f"{name}: there is a value that is not finite, expected 0 to 1 or 0 to 255")
    slack = ROUNDING if array.dtype.kind == "f" else 0
    for white in (1, 255) if array.dtype.kind == "f" else (1, 255, 65535):
        if smallest >= -slack * white and largest <= white * (1 + slack):
            return white
    found = f"the values reach from {smallest:g} to {largest:g}"
    raise DigitsError(f"{name}: {found}, expected 0 to 1, 0 to 255 or, for integers, 0 to 65535")


def _eight_bits(array: np.ndarray, white: int) -> np.ndarray:
    """Bring an array to 0 to 255, strip by strip."""
    whole = np.empty(array.shape, np.uint8)
    rows = max(1, STRIP_PIXELS // (array.size // len(array)))
    for top in range(0, len(array), rows):
        strip = array[top : top + rows].astype(np.float32) * np.float32(255 / white)
        whole[top : top + rows] = np.clip(np.rint(strip), 0, 255)
    return whole


def _seen(colours: np.ndarray) -> np.ndarray:
    """Give the luminance of float32 (H, W, 3 or 4) in [0, 1].

    What is transparent shows white, as paper would.
    Where all that is visible is light, it is the ink, which nobody sees on white: it is shown on black.
    """
    grey: np.ndarray = colours[..., :3] @ GREY_WEIGHTS
    if colours.shape[2] == 3:
        return _clipped(grey)
    alpha = colours[..., 3]
    visible = grey[alpha > 0.5]
    all_light = visible.size > 0 and alpha.min() < 0.5 and np.percentile(visible, 1) > 0.5
    ground = np.float32(0 if all_light else 1)
    return _clipped(grey * alpha + ground * (1 - alpha))


def _clipped(values: np.ndarray) -> np.ndarray:
    """Bring what rounding left outside of [0, 1] back into it."""
    clipped: np.ndarray = np.clip(values, 0, 1)
    return clipped
