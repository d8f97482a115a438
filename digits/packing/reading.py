"""Read the pictures of a folder, on all cores, in the form of a dataset's images."""

from __future__ import annotations

import io
import os
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from digits.decoding import limits
from digits.decoding.reading import FORMATS, printable, read_content, read_picture
from digits.errors import DigitsError
from digits.pictures.fitting import fitted

AHEAD = 4
"""Pictures that are read for each core before the first of them is needed."""


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
        waiting: deque[Future[Read | str]] = deque()
        try:
            for name in names:
                waiting.append(threads.submit(_read, folder, name, form))
                if len(waiting) > AHEAD * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)


def _read(folder: Path, name: str, form: Form) -> Read | str:
    shown = printable(name)
    try:
        content = read_content(folder / name, shown)
        if limits.elsewhere():
            read: Read = limits.decode(content, shown, f"{__name__}.read_fitted", tuple(form))
            return read
        return read_fitted(content, shown, *form)
    except DigitsError as error:
        return str(error)


def read_fitted(
    content: bytes,
    name: str,
    height: int,
    width: int,
    channels: int,
    framing: Literal["fit", "crop"],
    ground: Literal["any", "dark"],
) -> Read:
    """Decode a picture, within the limits of the process, and bring it to the size of the form.

    Raises:
        DigitsError: it cannot be read.
    """
    picture = read_picture(content, name)
    image = fitted(picture.pixels, height, width, channels, framing, ground)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as stored:
                return Read(image, stored.width, stored.height, stored.mode)
    except Exception:
        # A format that another library decodes tells no more than what it gave.
        rows, columns = picture.pixels.shape[:2]
        return Read(image, columns * picture.shrunk, rows * picture.shrunk, "HEIC")
