"""Read the pictures of a folder, on all cores, in the form of a dataset's images."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from digits.decoding import limits
from digits.decoding.reading import printable, read_content, read_picture
from digits.errors import DigitsError
from digits.pictures.fitting import fitted

AHEAD = 4
"""Batches that are read for each core before the first of them is needed."""

BATCH, BATCH_BYTES = 32, 256 * 1024
"""Files of a batch, and bytes of it, from which it is complete."""


class Form(NamedTuple):
    """What all images of a dataset have in common; `digits.pictures.fitting.fitted` says what each means."""

    height: int
    width: int
    channels: int
    framing: Literal["fit", "crop"]
    ground: Literal["any", "dark"]


class Read(NamedTuple):
    """A picture that was read: the image, and the size and the mode of what is stored.

    `image` is uint8 (height, width), or (height, width, 3) for colours.
    """

    image: np.ndarray
    width: int
    height: int
    mode: str


def read_pictures(folder: Path, names: Iterable[str], form: Form) -> Iterator[Read | str]:
    """Yield what each of the files `names` of `folder` holds, in order, or the line that says what is wrong.

    Only a few pictures are held at a time, however many there are.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as threads:
        waiting: deque[Future[list[Read | str]]] = deque()
        try:
            for batch in _batches(folder, names):
                waiting.append(threads.submit(_read, folder, batch, form))
                if len(waiting) > AHEAD * cores:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)


def _batches(folder: Path, names: Iterable[str]) -> Iterator[list[str]]:
    """Put small files together: to hand one over costs as much time as to decode it."""
    batch: list[str] = []
    size = 0
    for name in names:
        batch.append(name)
        with suppress(OSError):
            size += (folder / name).stat().st_size
        if size >= BATCH_BYTES or len(batch) == BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read(folder: Path, names: list[str], form: Form) -> list[Read | str]:
    """Read a batch; if it exceeds the limits of one picture, each of its pictures by itself."""
    contents: list[tuple[bytes, str] | str] = []
    for name in names:
        shown = printable(name)
        try:
            contents.append((read_content(folder / name, shown), shown))
        except DigitsError as error:
            contents.append(str(error))
    if not limits.elsewhere():
        return read_batch(contents, "", form)
    try:
        return _decoded(contents, form)
    except DigitsError as error:
        if len(contents) == 1:
            return [str(error)]
    result: list[Read | str] = []
    for content in contents:
        try:
            result += _decoded([content], form)
        except DigitsError as error:
            result.append(str(error))
    return result


def _decoded(contents: list[tuple[bytes, str] | str], form: Form) -> list[Read | str]:
    """Decode in another process.

    Raises:
        DigitsError: one of the pictures ended the process; the text has the name of the last one.
    """
    name = next((content[1] for content in reversed(contents) if isinstance(content, tuple)), "")
    result: list[Read | str] = limits.decode(contents, name, f"{__name__}.read_batch", (form,))
    return result


def read_batch(contents: list[tuple[bytes, str] | str], _: str, form: Form) -> list[Read | str]:
    """Decode pictures, each of which is its bytes and its name, or the line that says what is wrong."""
    result: list[Read | str] = []
    for content in contents:
        try:
            result.append(content if isinstance(content, str) else read_fitted(*content, form))
        except DigitsError as error:
            result.append(str(error))
    return result


def read_fitted(content: bytes, name: str, form: Form) -> Read:
    """Decode a picture, within the limits of the process, and bring it to the size of the form.

    Raises:
        DigitsError: it cannot be read.
    """
    picture = read_picture(content, name)
    return Read(fitted(picture.pixels, *form), *picture.size, picture.mode)
