"""Check, scale and split raw arrays."""

import hashlib
import math
from typing import Literal

import numpy as np
from pydantic import Field

from digits.data.datasets import Dataset
from digits.errors import DigitsError
from digits.files import Arrays, check_array
from digits.params import Section

# Axes of an array of grey images.
GREY = 3


class PrepareParams(Section):
    """The section `prepare` of params.yaml."""

    validation_split: float = Field(gt=0, lt=1)


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


def split(raw: Arrays, validation_split: float, how: Literal["last", "stratified"]) -> dict[str, Arrays]:
    """Split training images off for validation.

    Args:
        raw: the raw arrays.
        validation_split: the share of the training images that validates.
        how: `last` takes the last ones, as Keras's `validation_split` does; `stratified` takes the share of
            each class, at least one image, chosen by the SHA-256 of the image's bytes: copies of an image
            stay together.

    Returns:
        `train`, `validation` and `test`: uint8 `images` (N, H, W) or (N, H, W, 3) and `labels` (N,).

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
        "train": {"images": images[trains], "labels": labels[trains]},
        "validation": {"images": images[validates], "labels": labels[validates]},
        "test": {"images": raw["x_test"], "labels": raw["y_test"]},
    }


def _share_of_each_class(images: np.ndarray, labels: np.ndarray, share: float) -> np.ndarray:
    """Return which images are those with the smallest SHA-256 of their class, as bool (N,)."""
    digests = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in images])
    chosen = []
    for label in np.unique(labels):
        different = np.unique(digests[labels == label])
        chosen.append(different[: max(1, math.floor(len(different) * share))])
    return np.isin(digests, np.concatenate(chosen))


def summarize(splits: dict[str, Arrays], classes: tuple[str, ...]) -> dict[str, object]:
    """Count the images of each split and class, and the test images with a pixel-identical training image."""
    seen = {image.tobytes() for name in ("train", "validation") for image in splits[name]["images"]}
    return {
        "images": {name: len(part["labels"]) for name, part in splits.items()},
        "images_per_class": {
            name: dict(
                zip(classes, np.bincount(part["labels"], minlength=len(classes)).tolist(), strict=True)
            )
            for name, part in splits.items()
        },
        "test_images_also_in_training": sum(image.tobytes() in seen for image in splits["test"]["images"]),
    }
