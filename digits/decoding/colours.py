"""The colours of images and arrays, as an eye sees them on paper, at a size to work with."""

from __future__ import annotations

import math
from dataclasses import dataclass

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

MNIST_SIZE = (28, 28)
"""A picture of this size may have the form of MNIST's images, and keeps its exact greys."""

ROUNDING = 0.01
"""By how much a float array may leave its range: resampling and sums do so."""

NARROW = 0.5
"""Deep pictures (16 bits, float) that use less than this share of their range are stretched to all of it."""

FLOAT_GAP = 16.0
"""The largest value below which a float array above 1 is no picture from 0 to 255."""


@dataclass(frozen=True)
class Picture:
    """A picture to look at.

    `pixels` are uint8 (H, W, 3), upright, on white where the picture is transparent, or on black where
    all that is visible is light. `grey` is the exact luminance, float32 (28, 28) in [0, 1], of a picture of
    that size, and None for others. The stored picture is `shrunk` times as large.
    `note` names the frame or page that was read, where there are several.
    `size` and `mode` are width, height and Pillow's mode of what is stored, where it is a file.
    """

    pixels: np.ndarray
    grey: np.ndarray | None
    shrunk: int = 1
    note: str = ""
    size: tuple[int, int] = (0, 0)
    mode: str = ""


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
    """Return the whole factor that brings a picture down to `WORKING_PIXELS`."""
    return max(1, math.ceil(math.sqrt(width * height / WORKING_PIXELS)))


def of_image(image: Image.Image, factor: int, name: str) -> Picture:
    """Convert an image, strip by strip, to colours `factor` times as small.

    Raises:
        DigitsError: its values are none of a picture.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return of_array(_whole_array(image), name, from_file=True)
    mode = "RGBA" if image.has_transparency_data else "L" if image.mode in ("1", "L") else "RGB"
    small = Image.new(mode, (math.ceil(image.width / factor), math.ceil(image.height / factor)))
    image.load()
    rows = factor * max(1, STRIP_PIXELS // (image.width * factor))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(_converted(strip, mode).reduce(factor), (0, top // factor))
    values = np.asarray(small)
    if values.shape[:2] == MNIST_SIZE:
        exact = small if mode == "RGBA" else _converted(image, "L")
        grey = _grey(np.divide(np.asarray(exact), np.float32(255), dtype=np.float32))
        return Picture(_on_paper(values), grey, factor)
    return Picture(_on_paper(values), None, factor)


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
    """Convert to greyscale or to colours with or without alpha; what has no direct way goes through RGB."""
    if image.mode == mode:
        return image
    direct = image.mode in ("1", "L", "RGB", "RGBA", "LA", "P")
    if not direct and mode == "L":
        image = image.convert("RGB")
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    return image.convert(mode)


def of_array(array: np.ndarray, name: str, from_file: bool = False) -> Picture:
    """Take an array (H, W[, 1, 3 or 4]) of bool, integers or floats as a picture.

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
    white = _white(array, name, from_file)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    bytes_already = array.dtype == np.uint8 and white == 255
    whole = array if bytes_already else _eight_bits(array, *_range(array, white))
    picture = of_image(Image.fromarray(whole), shrinking(width, height), name)
    if picture.grey is None or bytes_already:
        return picture
    values = np.divide(array, np.float32(white), dtype=np.float32, casting="unsafe")
    return Picture(picture.pixels, _grey(np.clip(values, 0, 1)))


def _white(array: np.ndarray, name: str, from_file: bool) -> int:
    """Tell by an array's largest value which value is white: 1, 255 or 65535."""
    if array.dtype.kind == "b":
        return 1
    smallest, largest = float(array.min()), float(array.max())
    if not math.isfinite(smallest) or not math.isfinite(largest):
        raise DigitsError(f"{name}: there is a value that is not finite, expected 0 to 1 or 0 to 255")
    is_float = array.dtype.kind == "f"
    slack = ROUNDING if is_float else 0
    ambiguous = is_float and (smallest < -slack or 1 + slack < largest < FLOAT_GAP)
    for white in (1, 255) if is_float and not from_file else (1, 255, 65535):
        if not ambiguous and smallest >= -slack * white and largest <= white * (1 + slack):
            return white
    found = f"the values reach from {smallest:g} to {largest:g}"
    raise DigitsError(f"{name}: {found}, expected 0 to 1, 0 to 255 or, for integers, 0 to 65535")


def _range(array: np.ndarray, white: int) -> tuple[float, float]:
    """Return which values become black and white: the ends of what a deep picture uses of its range."""
    low, high = float(array.min()), float(array.max())
    deep = array.dtype.kind == "f" or white == 65535
    if deep and high > low and high - low < NARROW * white:
        return low, high
    return 0.0, float(white)


def _eight_bits(array: np.ndarray, low: float, high: float) -> np.ndarray:
    """Bring an array from `low` to `high` to 0 to 255, strip by strip."""
    whole = np.empty(array.shape, np.uint8)
    rows = max(1, STRIP_PIXELS // (array.size // len(array)))
    for top in range(0, len(array), rows):
        strip = array[top : top + rows].astype(np.float32) - np.float32(low)
        whole[top : top + rows] = np.clip(np.rint(strip * np.float32(255 / (high - low))), 0, 255)
    return whole


def _on_paper(values: np.ndarray) -> np.ndarray:
    """Return uint8 (H, W), (H, W, 3) or (H, W, 4) as colours (H, W, 3), what is transparent on `_paper`."""
    if values.ndim == 2:
        return np.repeat(values[..., np.newaxis], 3, axis=2)
    if values.shape[2] == 3:
        return values
    colours = values.astype(np.float32) / np.float32(255)
    alpha = colours[..., 3:]
    laid = colours[..., :3] * alpha + _paper(colours) * (1 - alpha)
    return np.asarray(np.rint(laid * np.float32(255)), np.uint8)


def _grey(values: np.ndarray) -> np.ndarray:
    """Return the luminance of float32 (H, W), (H, W, 3) or (H, W, 4) in [0, 1], shown on `_paper`."""
    if values.ndim == 2:
        return values
    grey: np.ndarray = values[..., :3] @ GREY_WEIGHTS
    if values.shape[2] == 4:
        grey = grey * values[..., 3] + _paper(values) * (1 - values[..., 3])
    clipped: np.ndarray = np.clip(grey, 0, 1)
    return clipped


def _paper(colours: np.ndarray) -> np.float32:
    """Return what shows where float32 (H, W, 4) is transparent: white, as paper would.

    Where all that is visible is light, it is the ink, which nobody sees on white: it is shown on black.
    """
    alpha = colours[..., 3]
    visible = (colours[..., :3] @ GREY_WEIGHTS)[alpha > 0.5]
    all_light = visible.size > 0 and alpha.min() < 0.5 and np.percentile(visible, 1) > 0.5
    return np.float32(0 if all_light else 1)
