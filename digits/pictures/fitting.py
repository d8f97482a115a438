"""Bring a picture to the size of a dataset's images: the same way when packed and when read.

All of it is integer arithmetic on 8 bits, which gives the same bytes on every CPU.
"""

from typing import Literal

import numpy as np
from PIL import Image

BORDER = 8
"""The border is an eighth of a picture on each side, where its ground is told from its middle."""

FILTER = Image.Resampling.BILINEAR
"""Each pixel is a weighted mean of all that it covers; of what Pillow has, only LANCZOS needs a sine."""


def fitted(
    pixels: np.ndarray,
    height: int,
    width: int,
    channels: int,
    framing: Literal["fit", "crop"],
    ground: Literal["any", "dark"],
) -> np.ndarray:
    """Scale a picture to `height` by `width`; one that has this size and these channels stays as it is.

    Args:
        pixels: uint8 (H, W) or (H, W, 3), upright.
        height: of the result.
        width: of the result.
        channels: 1 (grey, the luminance of colours) or 3 (red, green, blue).
        framing: `fit` shows all of the picture, in the middle of bars of one colour, the median of the scaled
            picture's outermost pixels; `crop` shows the largest part of its middle that has the right shape.
        ground: `dark` inverts a picture whose border is lighter than its middle; `any` inverts none.

    Returns:
        uint8 (height, width), or (height, width, 3) where `channels` is 3.
    """
    image = _with_channels(pixels, channels)
    if ground == "dark" and _is_on_light_ground(np.asarray(image.convert("L"))):
        image = image.point(lambda value: 255 - value)
    return _cropped(image, height, width) if framing == "crop" else _padded(image, height, width)


def _with_channels(pixels: np.ndarray, channels: int) -> Image.Image:
    image = Image.fromarray(pixels)
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _is_on_light_ground(grey: np.ndarray) -> bool:
    """Tell whether the mean of the border is above that of what it surrounds."""
    height, width = grey.shape
    rows, columns = max(1, height // BORDER), max(1, width // BORDER)
    middle = grey[rows : height - rows, columns : width - columns]
    if middle.size == 0:
        return False
    total, inside = int(grey.sum(dtype=np.int64)), int(middle.sum(dtype=np.int64))
    return (total - inside) * middle.size > inside * (grey.size - middle.size)


def _padded(image: Image.Image, height: int, width: int) -> np.ndarray:
    """Scale to fit, and fill the bars beside or above and below."""
    if image.width * height >= image.height * width:
        size = width, max(1, _rounded(image.height * width, image.width))
    else:
        size = max(1, _rounded(image.width * height, image.height)), height
    scaled = np.asarray(image.resize(size, FILTER))
    if size == (width, height):
        return np.array(scaled)
    edge = np.concatenate([scaled[0], scaled[-1], scaled[:, 0], scaled[:, -1]])
    result = np.empty((height, width, *scaled.shape[2:]), np.uint8)
    # The upper of the two middle values, as the mean of both may be no whole number.
    result[...] = np.sort(edge, axis=0)[len(edge) // 2]
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    result[top : top + size[1], left : left + size[0]] = scaled
    return result


def _cropped(image: Image.Image, height: int, width: int) -> np.ndarray:
    """Crop to the shape, and then scale: to scale a long picture first could take any amount of memory."""
    if image.width * height >= image.height * width:
        part = min(image.width, max(1, _rounded(image.height * width, height))), image.height
    else:
        part = image.width, min(image.height, max(1, _rounded(image.width * height, width)))
    left, top = (image.width - part[0]) // 2, (image.height - part[1]) // 2
    middle = image.crop((left, top, left + part[0], top + part[1]))
    return np.array(middle.resize((width, height), FILTER))


def _rounded(numerator: int, denominator: int) -> int:
    """Return the integer that is nearest to a fraction."""
    return (2 * numerator + denominator) // (2 * denominator)
