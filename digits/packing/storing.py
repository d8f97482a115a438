"""The images of a folder on disk, so that any number of them needs little memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType

import numpy as np

from digits.data.datasets import Dataset
from digits.errors import DigitsError
from digits.files import read_stream

BLOCK = 256
"""Images that are copied at a time."""


class Store:
    """Images in a temporary file without a name: nothing is left of it, however the program ends."""

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        """Use the disk of `folder` for images of `shape`."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = TemporaryFile(dir=folder)  # noqa: SIM115 (closed by `__exit__`)
        except OSError as error:
            raise DigitsError(f"{folder}: cannot be written: {error.strerror or error}") from error
        self._size = int(np.prod(shape))
        self._shape = shape

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def append(self, image: np.ndarray) -> bytes:
        """Add an image, uint8 and of the shape, and return the SHA-256 of its bytes."""
        content = image.tobytes()
        self._file.write(content)
        return hashlib.sha256(content).digest()

    def image(self, number: int) -> np.ndarray:
        """Return the image that was the `number`th to be added."""
        self._file.flush()
        content = os.pread(self._file.fileno(), self._size, number * self._size)
        return np.frombuffer(content, np.uint8).reshape(self._shape)

    def blocks(self, order: Iterable[int]) -> Iterator[bytes]:
        """Yield the bytes of images in this order, some at a time."""
        block = []
        for number in order:
            block.append(self.image(number).tobytes())
            if len(block) == BLOCK:
                yield b"".join(block)
                block = []
        yield b"".join(block)


def packed_images(path: Path, dataset: Dataset) -> dict[bytes, str]:
    """Return the class of each different image that is packed already, by the SHA-256 of the image.

    Raises:
        DigitsError: the file is missing or damaged.
    """
    classes = {}
    for part in ("train", "test"):
        labels = np.concatenate([*read_stream(path, f"y_{part}", BLOCK)]).tolist()
        images = (image for block in read_stream(path, f"x_{part}", BLOCK) for image in block)
        for image, label in zip(images, labels, strict=True):
            classes[hashlib.sha256(image.tobytes()).digest()] = dataset.classes[label]
    return classes
