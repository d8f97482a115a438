"""Evenly spaced examples of a prepared part: as many to calibrate by, however many there are."""

from pathlib import Path

import numpy as np

from digits.errors import DigitsError
from digits.files import Arrays, check_array, read_arrays, read_stream

# Images that are in memory at a time beside those that are kept.
BLOCK = 1000


def read_examples(path: Path, most: int, classes: int) -> Arrays:
    """Read every example of a part that the stage `prepare` wrote, or every second, third and so on.

    Args:
        path: its `.npz` archive.
        most: how many may be read.
        classes: the number of classes.

    Returns:
        `images`, float32 (N, H, W, C) in [0, 1], and `labels`, uint8 or uint16 (N,), below `classes`.

    Raises:
        DigitsError: the file is missing or damaged, or its arrays are something else.
    """
    labels = read_arrays(path, ("labels",))["labels"]
    step = max(1, -(-len(labels) // most))
    kept, count = [], 0
    for block in read_stream(path, "images", BLOCK):
        kept.append(block[-count % step :: step].copy())
        count += len(block)
    if not count or count != len(labels):
        raise DigitsError(f"{path}: {count} images with {len(labels)} labels")
    images, labels = np.concatenate(kept), labels[::step]
    check_array(f"{path}: images", images, np.float32, ("N", "H", "W", "C"), most=1)
    label_type = np.uint16 if labels.dtype == np.uint16 else np.uint8
    check_array(f"{path}: labels", labels, label_type, ("N",), most=classes - 1)
    return {"images": images, "labels": labels}
