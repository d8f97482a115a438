"""Which pictures test, by their content: more pictures move none of them, and copies stay together."""

from __future__ import annotations

import numpy as np

from digits.errors import DigitsError

FEWEST = {"": 3, "train": 2, "test": 1}
"""Different pictures of a class, at least, to train, to validate and to test; and those of each part."""

NEAR_EMPTY = 20
"""Pictures of a class below which it is named: a network learns little from so few."""


def tests_by_content(digests: np.ndarray, labels: np.ndarray, share: float) -> np.ndarray:
    """Tell for each picture whether it tests.

    A picture tests where its digest, as a share of the largest one, is below `share`. Of a class in which
    that leaves none to test, or too few to train, those with the smallest digests test.

    Args:
        digests: SHA-256 of each image, as bytes (N, 32).
        labels: integers (N,); each class has three different images.
        share: from 0 to 1.

    Returns:
        Bool (N,).
    """
    keys = digests.view(">u8").reshape(len(digests), -1)[:, 0]
    result = np.zeros(len(keys), bool)
    limit = np.uint64(share * 2.0**64)
    for label in np.unique(labels):
        members = labels == label
        different = np.unique(keys[members])
        number = int(np.searchsorted(different, limit))
        number = min(max(number, FEWEST["test"]), len(different) - FEWEST["train"])
        result[members] = keys[members] < different[number]
    return result


def check_numbers(digests: np.ndarray, labels: np.ndarray, parts: list[str], classes: list[str]) -> None:
    """Check that each class has enough different pictures in each part.

    Args:
        digests: SHA-256 of each image, as bytes (N, 32).
        labels: integers (N,).
        parts: `train`, `test`, or "" where the folder does not tell them apart, of each image.
        classes: the name of each label.

    Raises:
        DigitsError: a class has too few.
    """
    keys = digests.view(">u8").reshape(len(digests), -1)[:, 0]
    names = np.array(parts)
    for part in sorted(set(parts)) or [""]:
        for label, name in enumerate(classes):
            different = len(np.unique(keys[(labels == label) & (names == part)]))
            if different < FEWEST[part]:
                where = f" in {part}/" if part else ""
                needed = (
                    "one each to train, to validate and to test" if not part else f"{FEWEST[part]} at least"
                )
                found = f"{different} different picture{'s' * (different != 1)}"
                raise DigitsError(f"the class {name!r} has {found}{where} that can be read; needed: {needed}")
