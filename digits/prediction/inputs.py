"""The pictures that arguments name: files, folders, patterns, and standard input."""

import glob
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digits.errors import DigitsError
from digits.pictures.reading import LARGEST_FILE

# What a folder is searched for; a file that is named itself may end as it likes.
ENDINGS = ("avif", "bmp", "gif", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp")


@dataclass(frozen=True)
class Source:
    """What a picture is called in the answers, and why there is none, where that is known beforehand."""

    name: str
    problem: str = ""

    def picture(self) -> Path | bytes:
        """Give what `read_picture` reads.

        Raises:
            DigitsError: there is a problem, or standard input is a terminal.
        """
        if self.problem:
            raise DigitsError(self.problem)
        return _standard_input() if self.name == "-" else Path(self.name)


def gather(arguments: list[str]) -> list[Source]:
    """List the pictures that `arguments` name, in their order; a folder's and a pattern's by name."""
    return [source for argument in arguments for source in _sources(argument)]


def _sources(argument: str) -> Iterator[Source]:
    if argument == "-" or (os.path.lexists(argument) and not Path(argument).is_dir()):
        yield Source(argument)
    elif Path(argument).is_dir():
        yield from _folder(argument)
    elif glob.has_magic(argument):
        found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (a pattern may begin with /)
        for name in found:
            yield from _sources(name)
        if not found:
            yield Source(argument, f"{argument}: no file has such a name")
    else:
        yield Source(argument)


def _folder(folder: str) -> Iterator[Source]:
    """Walk through `folder`, without hidden files, and without links to folders: they may lead round."""
    refused: list[OSError] = []
    empty = True
    for parent, folders, files in os.walk(folder, onerror=refused.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and name.lower().endswith(tuple(f".{ending}" for ending in ENDINGS)):
                empty = False
                yield Source(os.path.join(parent, name))  # noqa: PTH118 (keeps `./` as it was typed)
    for error in refused:
        empty = False
        yield Source(str(error.filename), f"{error.filename}: {error.strerror}")
    if empty:
        yield Source(folder, f"{folder}: no picture in this folder")


def _standard_input() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise DigitsError("standard input is closed or a terminal; expected the bytes of a picture")
    # One byte more than is allowed, so that the reader of pictures sees that it is too much.
    return sys.stdin.buffer.read(LARGEST_FILE + 1)
