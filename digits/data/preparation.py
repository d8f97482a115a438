"""Check, scale and split raw arrays."""

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from digits.data.datasets import Dataset
from digits.errors import DigitsError
from digits.files import Arrays, Stream, check_array
from digits.params import Section

# Axes of an array of grey images.
GREY = 3

# Bytes of raw images that are scaled at a time, unless a single one has more.
BLOCK = 2**20


class PrepareParams(Section):
    """The section `prepare` of params.yaml."""

    validation_split: float = Field(gt=0, lt=1)


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the raw images, which are not copied: there may be gigabytes of them.

    Attributes:
        raw: uint8 (M, H, W) or (M, H, W, 3).
        places: integers (N,), where the part's images stand in `raw`.
        labels: uint8 or uint16 (N,).
    """

    raw: np.ndarray
    places: np.ndarray
    labels: np.ndarray

    def streams(self) -> dict[str, Stream]:
        """Return `images`, float32 (N, H, W, C) in [0, 1], scaled as they are written, and `labels`."""
        step = max(1, BLOCK // self.raw[0].nbytes)
        steps = range(0, len(self.places), step)
        blocks = (scale(self.raw[self.places[first : first + step]]).tobytes() for first in steps)
        shape = (len(self.places), *scale(self.raw[:1]).shape[1:])
        return {
            "images": Stream(np.dtype(np.float32), shape, blocks),
            "labels": Stream(self.labels.dtype, self.labels.shape, [self.labels.tobytes()]),
        }


def check_raw(raw: Arrays, dataset: Dataset) -> None:
    """Check raw arrays against the dataset's description.

    Raises:
        DigitsError: an array's type or shape is wrong, a label is out of range, or a class has no image.
    """
    for name, shape in dataset.array_shapes.items():
        check_array(name, raw[name], dataset.array_types[name], shape)
    classes = len(dataset.classes)
    for name in ("y_train", "y_test"):
        if raw[name].max() >= classes:
            raise DigitsError(f"{name}: there is a label {raw[name].max()}, expected 0 to {classes - 1}")
        missing = np.flatnonzero(np.bincount(raw[name], minlength=classes) == 0)
        if missing.size:
            raise DigitsError(f"{name}: no image of class {dataset.classes[missing[0]]!r}")


def scale(images: np.ndarray) -> np.ndarray:
    """Scale uint8 images (N, H, W) or (N, H, W, 3) to float32 images (N, H, W, C) in [0, 1]."""
    images = images if images.ndim > GREY else images[..., np.newaxis]
    scaled: np.ndarray = np.divide(images, np.float32(255), dtype=np.float32)
    return scaled


def split(raw: Arrays, validation_split: float, how: Literal["last", "stratified"]) -> dict[str, Part]:
    """Split training images off for validation.

    Args:
        raw: the raw arrays.
        validation_split: the share of the training images that validates.
        how: `last` takes the last ones, as Keras's `validation_split` does; `stratified` takes the share of
            each class, at least one image, chosen by the SHA-256 of the image's bytes: copies of an image
            stay together.

    Returns:
        `train`, `validation` and `test`, each in the order of the raw images.

    Raises:
        DigitsError: one of the two parts would be empty, or training would lack a class.
    """
    images, labels = raw["x_train"], raw["y_train"]
    count = len(images)
    if how == "last":
        validates = np.arange(count) >= math.floor(count * (1 - validation_split))
    else:
        validates = _share_of_each_class(images, labels, validation_split)
    trains = ~validates
    if not trains.any() or not validates.any() or set(labels[trains].tolist()) != set(labels.tolist()):
        where = f"prepare.validation_split: {validation_split} of {count} images"
        raise DigitsError(f"{where} leaves a part empty, or training without a class")
    return {
        "train": Part(images, np.flatnonzero(trains), labels[trains]),
        "validation": Part(images, np.flatnonzero(validates), labels[validates]),
        "test": Part(raw["x_test"], np.arange(len(raw["y_test"])), raw["y_test"]),
    }


def _share_of_each_class(images: np.ndarray, labels: np.ndarray, share: float) -> np.ndarray:
    """Return which images are those with the smallest SHA-256 of their class, as bool (N,)."""
    digests = _digests(images)
    chosen = []
    for label in np.unique(labels):
        different = np.unique(digests[labels == label])
        chosen.append(different[: max(1, math.floor(len(different) * share))])
    return np.isin(digests, np.concatenate(chosen))


def _digests(images: np.ndarray) -> np.ndarray:
    """Return the SHA-256 of each image's bytes, in hexadecimal digits, (N,)."""
    return np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in images], "S64")


def summarize(splits: dict[str, Part], classes: tuple[str, ...]) -> dict[str, object]:
    """Count the images of each split and class, and the test images with a pixel-identical training image."""
    # The training and the validation part share one raw array.
    test, seen = _digests(splits["test"].raw), _digests(splits["train"].raw)
    return {
        "images": {name: len(part.labels) for name, part in splits.items()},
        "images_per_class": {
            name: dict(zip(classes, np.bincount(part.labels, minlength=len(classes)).tolist(), strict=True))
            for name, part in splits.items()
        },
        "test_images_also_in_training": int(np.isin(test, seen).sum()),
    }
