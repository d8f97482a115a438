"""From pictures to the images that a model's network reads, framed as the model's file says."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from digits.classifier.classifier import Classifier
from digits.decoding.reading import printable, read_picture
from digits.errors import DigitsError, reported_as
from digits.ink.look import Box, FindInk
from digits.pictures.centring import SIDE
from digits.pictures.fitting import fitted
from digits.pictures.framing import Framed, FramedRow, frame_digit, frame_digits, frame_mnist

if TYPE_CHECKING:
    import PIL.Image

    from digits.decoding.colours import Picture as Decoded

    Picture: TypeAlias = str | Path | bytes | PIL.Image.Image | np.ndarray

SHOWN_SIDE = 500
"""Pixels of a picture's longer side in the steps that a person looks at; more would be of no use."""


def framed(image: Picture, model: Classifier) -> Framed:
    """Read a picture and frame it as the model's file says.

    Where ink was sought and not found, the `box` of the result is None; without a search for ink it is the
    whole picture, or the part that is not cropped away.

    Raises:
        DigitsError: `image` is not a picture that can be read.
    """
    with reported(image):
        if isinstance(image, np.ndarray) and model.framing != "mnist":
            (known,) = framed_together(image[np.newaxis], model)
            if known:
                return known
        picture = read_picture(image)
        if model.framing == "mnist":
            return replace(frame_digit(picture, _finder(model, image)), note=picture.note)
        return _fitted(picture, model, model.framing)


def framed_digits(image: Picture, model: Classifier) -> FramedRow:
    """Read a picture and frame each of its digits.

    Raises:
        DigitsError: `image` is not a picture that can be read.
    """
    with reported(image):
        picture = read_picture(image)
        row = frame_digits(picture, _finder(model, image))
        return replace(row, digits=[replace(digit, note=picture.note) for digit in row.digits])


def framed_together(images: np.ndarray, model: Classifier) -> Sequence[Framed | None]:
    """Frame those images of an array (N, H, W) or (N, H, W, C) that are prepared like the dataset's.

    They are uint8, or float32 from 0 to 1, and stay as they are: None stands for the others.
    """
    none = [None] * len(images)
    size = model.image_shape
    form = size[:2] if images.ndim == 3 and size[2] == 1 else size
    if images.shape[1:] != form or images.dtype not in (np.uint8, np.float32):
        return none
    if images.dtype == np.uint8:
        images = np.divide(images, np.float32(255), dtype=np.float32)
    # A copy, because the predictions keep it. `read_picture` deals with values that are not from 0 to 1.
    images = images.reshape(-1, *(size[:2] if size[2] == 1 else size)).copy()
    if not (len(images) and images.min() >= 0 and images.max() <= 1):
        return none
    if model.framing == "mnist":
        return frame_mnist(images) if size == (SIDE, SIDE, 1) else none
    box = (0, 0, size[1], size[0])
    return [Framed((image,), box, (("picture", image), ("fitted", image))) for image in images]


def reported(image: Picture) -> AbstractContextManager[None]:
    """Raise whatever goes wrong with a picture as a `DigitsError` that names it."""
    return reported_as(f"{_name(image)}: cannot be read")


def _name(image: Picture) -> str:
    """Return what a message calls a picture."""
    return printable(str(image)) if isinstance(image, str | Path) else "picture"


def _finder(model: Classifier, image: Picture) -> FindInk:
    """Return the model's network that finds ink; without one, whoever asks is told that the image needs it.

    Raises:
        DigitsError: the model reads images of another size than those that ink is framed as.
    """
    if model.image_shape != (SIDE, SIDE, 1):
        raise DigitsError(f"model: takes images {model.image_shape}, and ink is framed as {(SIDE, SIDE, 1)}")

    def refuse(_: np.ndarray) -> np.ndarray:
        raise DigitsError(
            f"{_name(image)}: the model's file has no network that finds ink; it reads images that have "
            f"MNIST's form already, {SIDE} by {SIDE} pixels, light on black, centred by mass"
        )

    return model.find_ink or refuse


def _fitted(picture: Decoded, model: Classifier, framing: Literal["fit", "crop"]) -> Framed:
    """Scale a picture to the size of the model's images; an image of the dataset stays as it is."""
    height, width, channels = model.image_shape
    # Of Fashion-MNIST's own images, one in 200 has a border that is lighter than its middle: none of them has
    # light edges too.
    own = picture.pixels.shape[:2] == (height, width) and not _has_light_edges(picture.pixels)
    ground = "any" if own else model.ground
    image = fitted(picture.pixels, height, width, channels, framing, ground) / np.float32(255)
    every = max(1, max(picture.pixels.shape) // SHOWN_SIDE)
    shown = picture.pixels[::every, ::every] / np.float32(255)
    steps = (("picture", shown), ("fitted", image))
    return Framed((image,), _seen(picture, model), steps, note=picture.note)


def _has_light_edges(pixels: np.ndarray) -> bool:
    """Tell whether most of the outermost pixels of a picture (H, W, 3) are light."""
    edges = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    return bool(np.median(edges) >= 128)


def _seen(picture: Decoded, model: Classifier) -> Box:
    """Return the part of the stored picture that is not cropped away."""
    height, width = picture.pixels.shape[:2]
    left = top = 0.0
    if model.framing == "crop":
        scale = max(model.image_shape[0] / height, model.image_shape[1] / width)
        top = max(0.0, height - model.image_shape[0] / scale) / 2
        left = max(0.0, width - model.image_shape[1] / scale) / 2
    corners = (left, top, width - left, height - top)
    first, second, third, fourth = (round(corner * picture.shrunk) for corner in corners)
    return first, second, third, fourth
