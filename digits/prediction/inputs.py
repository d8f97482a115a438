"""The pictures that the arguments of `digits predict` name: files, folders, patterns, standard input."""

import glob
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digits.decoding.reading import LARGEST_FILE
from digits.errors import DigitsError

# The extensions that count as pictures in a folder; a file named by itself may have any.
ENDINGS = ("avif", "bmp", "gif", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp")


@dataclass(frozen=True)
class Source:
    """The name of a picture in the answers, and the problem, if it is known before reading."""

    name: str
    problem: str = ""

    def picture(self) -> Path | bytes:
        """Return what `read_picture` takes: a path, or the bytes of standard input.

        Raises:
            DigitsError: the problem is known, or standard input is closed or a terminal.
        """
        if self.problem:
            raise DigitsError(self.problem)
        return _standard_input() if self.name == "-" else Path(self.name)


def gather(arguments: list[str]) -> list[Source]:
    """List the pictures that `arguments` name, in order; those of a folder or a pattern by name."""
    return [source for argument in arguments for source in _sources(argument)]


def _sources(argument: str) -> Iterator[Source]:
    if argument == "-" or (os.path.lexists(argument) and not Path(argument).is_dir()):
        yield Source(argument)
    elif Path(argument).is_dir():
        yield from _folder(argument)
    elif glob.has_magic(argument):
        names = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (a pattern may begin with /)
        for name in names:
            yield from _sources(name)
        if not names:
            yield Source(argument, f"{argument}: no file matches this pattern")
    else:
        yield Source(argument)


def _folder(folder: str) -> Iterator[Source]:
    """Walk through `folder`, without hidden files and without links to folders, which may form a circle."""
    unreadable: list[OSError] = []
    empty = True
    for parent, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and name.lower().endswith(tuple(f".{ending}" for ending in ENDINGS)):
                empty = False
                yield Source(os.path.join(parent, name))  # noqa: PTH118 (keeps `./` as typed)
    for error in unreadable:
        empty = False
        yield Source(str(error.filename), f"{error.filename}: {error.strerror}")
    if empty:
        yield Source(folder, f"{folder}: no picture in this folder")


def _standard_input() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise DigitsError("standard input is closed or a terminal; expected the bytes of a picture")
    # One byte above the limit is enough for `read_picture` to refuse it.
    return sys.stdin.buffer.read(LARGEST_FILE + 1)
