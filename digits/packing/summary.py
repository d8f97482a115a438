"""What a folder holds, told before anything is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from digits.decoding.reading import printable
from digits.packing.pack import NAMED, Packed, Pictures
from digits.packing.splitting import NEAR_EMPTY

UNBALANCED = 10
"""Times as many pictures as the smallest class has, from which the largest is named."""


def summary(pictures: Pictures, packed: Packed, before: dict[bytes, str] | None) -> Iterator[str]:
    """Yield the lines that tell what was packed.

    Args:
        pictures: what was read.
        packed: the raw arrays.
        before: the class of each image that was packed before, by its SHA-256, if that can be compared.
    """
    counts = {
        part: np.bincount(labels, minlength=len(pictures.classes)) for part, labels in packed.labels.items()
    }
    yield from _table(pictures.classes, counts)
    yield from _sizes(pictures)
    yield from _warnings(pictures, counts, packed)
    if before is not None:
        yield from _changes(pictures, before)


def unreadable(pictures: Pictures) -> Iterator[str]:
    """Yield a line for each file that cannot be read, of the first ones at least."""
    yield from _some(f"cannot be read: {line}" for line in pictures.unreadable)


def _some(lines: Iterator[str]) -> Iterator[str]:
    """Yield the first of many lines, and how many there are beside them."""
    held = [*lines]
    yield from held[:NAMED]
    if len(held) > NAMED:
        yield f"... and {len(held) - NAMED:,} more"


def _table(classes: list[str], counts: dict[str, np.ndarray]) -> Iterator[str]:
    widest = max(len("class"), *map(len, classes))
    yield f"{'class':<{widest}}  {'train':>7}  {'test':>7}"
    for name, train, test in zip(classes, counts["train"], counts["test"], strict=True):
        yield f"{name:<{widest}}  {train:>7,}  {test:>7,}"
    yield f"{'all':<{widest}}  {counts['train'].sum():>7,}  {counts['test'].sum():>7,}"


def _sizes(pictures: Pictures) -> Iterator[str]:
    ordered = sorted(pictures.sizes, key=lambda size: (size[0] * size[1], size))
    smallest, largest = (f"{width}x{height}" for width, height in (ordered[0], ordered[-1]))
    common, number = pictures.sizes.most_common(1)[0]
    yield f"sizes: {smallest} to {largest}, most often {common[0]}x{common[1]} ({number:,} pictures)"
    modes = sorted(pictures.modes.items(), key=lambda item: (-item[1], item[0]))
    yield f"modes: {', '.join(f'{mode} ({number:,})' for mode, number in modes)}"


def _warnings(pictures: Pictures, counts: dict[str, np.ndarray], packed: Packed) -> Iterator[str]:
    """Name what is likely to disappoint: copies, small classes, unbalanced ones."""
    copies = pictures.copies()
    yield from _some(
        f"copies: {', '.join(printable(entry.name) for entry in group[:4])}"
        + (f" and {len(group) - 4:,} more" if len(group) > 4 else "")
        for group in copies
    )
    in_both = [group for group in copies if len({entry.part for entry in group}) > 1]
    if in_both:
        yield f"{len(in_both):,} pictures are in train/ and in test/: the test accuracy will flatter"
    total = counts["train"] + counts["test"]
    for name, number in zip(pictures.classes, total, strict=True):
        if number < NEAR_EMPTY:
            yield f"near-empty: {name} has {number} pictures, too few to learn much from"
    if total.max() >= UNBALANCED * total.min():
        most, fewest = pictures.classes[int(total.argmax())], pictures.classes[int(total.argmin())]
        yield f"unbalanced: {most} has {total.max() // total.min()} times as many pictures as {fewest}"


def _changes(pictures: Pictures, before: dict[bytes, str]) -> Iterator[str]:
    """Tell which images are there now and were not before, and the reverse."""
    now = {digest: entry.label for digest, entry in zip(pictures.digests, pictures.entries, strict=True)}
    added = Counter(label for digest, label in now.items() if before.get(digest) != label)
    gone = Counter(label for digest, label in before.items() if now.get(digest) != label)
    for what, counter in (("added", added), ("gone", gone)):
        if counter:
            classes = ", ".join(f"{label} ({number:,})" for label, number in sorted(counter.items()))
            yield f"{what} since the last time: {classes}"
    if not added and not gone:
        yield "the same pictures as the last time"
