"""The prepared images and labels that every later stage reads."""

from pathlib import Path

import numpy as np

from digits.errors import DigitsError
from digits.files import Arrays, check_array, read_arrays


def read_prepared(path: Path, classes: int | None = None) -> Arrays:
    """Read a part that the stage `prepare` wrote.

    Args:
        path: its `.npz` archive.
        classes: the number of classes, if it is known.

    Returns:
        `images`, float32 (N, H, W, C) in [0, 1], and `labels`, uint8 or uint16 (N,), below `classes`.

    Raises:
        DigitsError: the file is missing or damaged, or its arrays are something else.
    """
    arrays = read_arrays(path, ("images", "labels"))
    images, labels = arrays["images"], arrays["labels"]
    check_array(f"{path}: images", images, np.float32, ("N", "H", "W", "C"), most=1)
    # One byte, or two of more than 256 classes.
    label_type = np.uint16 if labels.dtype == np.uint16 else np.uint8
    check_array(f"{path}: labels", labels, label_type, ("N",), most=None if classes is None else classes - 1)
    if len(images) != len(labels):
        raise DigitsError(f"{path}: {len(images)} images with {len(labels)} labels")
    return arrays
