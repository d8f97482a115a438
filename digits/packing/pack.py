"""Pack the pictures of a folder into the raw arrays of a dataset."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from digits.data.datasets import BYTE
from digits.decoding.reading import printable
from digits.errors import DigitsError
from digits.files import Stream, write_streams
from digits.packing.gathering import Entry, classes_of
from digits.packing.reading import Form, Read, read_pictures
from digits.packing.splitting import check_numbers, tests_by_content
from digits.packing.storing import Store

NAMED = 20
"""Files that are named one by one, at most; of others there is a number."""


@dataclass
class Pictures:
    """What the pictures of a folder are, without the images, which are in a `Store` in the same order.

    `entries` are those that were read; `sizes` and `modes` count width and height, and Pillow's mode, of what
    is stored; `unreadable` has a line for each file that could not be read.
    """

    classes: list[str]
    entries: list[Entry] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def copies(self) -> list[list[Entry]]:
        """Return the entries of each image that is there more than once."""
        groups: dict[bytes, list[Entry]] = {}
        for digest, entry in zip(self.digests, self.entries, strict=True):
            groups.setdefault(digest, []).append(entry)
        return [group for group in groups.values() if len(group) > 1]


@dataclass(frozen=True)
class Packed:
    """The raw arrays without their bytes.

    `order` has the places in the store of the images of each part, by the array's name without `x_` or `y_`;
    `labels` are theirs; `sha256` is of each array's bytes.
    """

    order: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    sha256: dict[str, str]


def read_folder(folder: Path, entries: list[Entry], form: Form, store: Store) -> Pictures:
    """Read all pictures into `store`, with a progress bar; what cannot be read is noted."""
    pictures = Pictures(classes_of(entries))
    reading = read_pictures(folder, (entry.name for entry in entries), form)
    with tqdm(total=len(entries), desc="reading", unit=" pictures", leave=False, disable=None) as bar:
        for entry, read in zip(entries, reading, strict=True):
            bar.update()
            if isinstance(read, Read):
                pictures.entries.append(entry)
                pictures.digests.append(store.append(read.image))
                pictures.sizes[read.width, read.height] += 1
                pictures.modes[read.mode] += 1
            else:
                pictures.unreadable.append(read)
    return pictures


def check_pictures(pictures: Pictures, skip_unreadable: bool) -> None:
    """Check that all files could be read, and that each picture is of one class.

    Raises:
        DigitsError: a file could not be read, and is not to be skipped; a picture is of two classes.
    """
    if pictures.unreadable and not skip_unreadable:
        first, *others = pictures.unreadable
        more = f" (and {len(others):,} more files cannot be read)" if others else ""
        raise DigitsError(f"{first}{more}; --skip-unreadable leaves out what cannot be read")
    wrong = []
    for group in pictures.copies():
        other = next((entry for entry in group if entry.label != group[0].label), None)
        if other is not None:
            wrong.append((group[0], other))
    if wrong:
        one, other = wrong[0]
        more = f" (and {len(wrong) - 1:,} more pictures are of two classes)" if len(wrong) > 1 else ""
        names = f"{printable(one.name)} and {printable(other.name)}"
        classes = f"{one.label!r} and {other.label!r}"
        raise DigitsError(f"{names} are the same picture under two labels, {classes}{more}")


def pack(pictures: Pictures, store: Store, form: Form, test_share: float, path: Path) -> Packed:
    """Split the pictures into parts, and write their raw arrays to `path`.

    The images of a part stand in the order of their digests: neither names nor places of files change a byte.

    Raises:
        DigitsError: a class has too few pictures, or the disk refuses the file.
    """
    numbers = {name: label for label, name in enumerate(pictures.classes)}
    labels = np.array([numbers[entry.label] for entry in pictures.entries], np.int64)
    digests = np.frombuffer(b"".join(pictures.digests), np.uint8).reshape(-1, 32)
    parts = [entry.part for entry in pictures.entries]
    check_numbers(digests, labels, parts, pictures.classes)
    told = all(parts)
    tests = np.array(parts) == "test" if told else tests_by_content(digests, labels, test_share)
    # Copies of an image have one label, so that their order changes nothing.
    ordered = np.lexsort(digests.T[::-1])
    order = {"train": ordered[~tests[ordered]], "test": ordered[tests[ordered]]}
    label_type = np.dtype(np.uint8 if len(pictures.classes) <= BYTE else "<u2")
    packed = Packed(order, {part: labels[order[part]].astype(label_type) for part in order}, {})
    size = (form.height, form.width) if form.channels == 1 else form[:3]
    streams = {}
    for part, places in order.items():
        images = store.blocks(places.tolist())
        streams[f"x_{part}"] = Stream(
            np.dtype(np.uint8), (len(places), *size), _hashed(images, packed, f"x_{part}")
        )
        content = packed.labels[part].tobytes()
        streams[f"y_{part}"] = Stream(label_type, (len(places),), _hashed([content], packed, f"y_{part}"))
    write_streams(path, streams)
    return packed


def _hashed(blocks: Iterable[bytes], packed: Packed, name: str) -> Iterator[bytes]:
    """Pass blocks on, and note the SHA-256 of all of them."""
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
        yield block
    packed.sha256[name] = digest.hexdigest()
