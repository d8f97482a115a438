"""The pictures that the arguments of `digits predict` name: files, folders, patterns, standard input."""

import glob
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from digits.decoding.reading import HEIC_WAY, LARGEST_FILE, heic_can_be_read, printable
from digits.errors import DigitsError

# The extensions that count as pictures in a folder; a file named by itself may have any.
ENDINGS = ("avif", "bmp", "gif", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp")
# Those that another library reads.
HEIC_ENDINGS = ("heic", "heif")
# What systems leave in folders, and nobody put there.
LEFT_BY_SYSTEMS = ("desktop.ini", "thumbs.db")
# Skipped files of a folder that are named.
MOST_NAMED = 5


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


def gather(arguments: list[str]) -> tuple[list[Source], list[str]]:
    """List the pictures that `arguments` name, in order; those of a folder or a pattern by name.

    Returns:
        The pictures, and a line for each folder that has files of other kinds, which are skipped.
    """
    skipped: list[str] = []
    return [source for argument in arguments for source in _sources(argument, skipped)], skipped


def _sources(argument: str, skipped: list[str]) -> Iterator[Source]:
    if argument == "-" or (os.path.lexists(argument) and not Path(argument).is_dir()):
        yield Source(argument)
    elif Path(argument).is_dir():
        yield from _folder(argument, skipped)
    elif glob.has_magic(argument):
        names = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (a pattern may begin with /)
        for name in names:
            yield from _sources(name, skipped)
        if not names:
            yield Source(argument, f"{argument}: no file matches this pattern")
    else:
        yield Source(argument)


def _folder(folder: str, skipped: list[str]) -> Iterator[Source]:
    """Walk through `folder`, without hidden files and without links to folders, which may form a circle."""
    unreadable: list[OSError] = []
    empty = True
    others: dict[str, list[str]] = {"heic": [], "other": []}
    for parent, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            kind = _kind(name)
            if kind == "picture":
                empty = False
                yield Source(os.path.join(parent, name))  # noqa: PTH118 (keeps `./` as typed)
            elif kind != "hidden":
                others[kind].append(os.path.relpath(os.path.join(parent, name), folder))  # noqa: PTH118
    if line := _skipped(others["heic"], others["other"]):
        skipped.append(f"{printable(folder)}: {line}")
    for error in unreadable:
        empty = False
        yield Source(str(error.filename), f"{error.filename}: {error.strerror}")
    if empty:
        yield Source(folder, f"{folder}: no picture in this folder")


def _kind(name: str) -> Literal["picture", "heic", "hidden", "other"]:
    """Tell by its name what a file in a folder is; `heic` is one that no library here reads."""
    ending = name.lower().rpartition(".")[2] if "." in name else ""
    if name.startswith(".") or name.lower() in LEFT_BY_SYSTEMS:
        return "hidden"
    if ending in HEIC_ENDINGS:
        return "picture" if heic_can_be_read() else "heic"
    return "picture" if ending in ENDINGS else "other"


def _skipped(heic: list[str], others: list[str]) -> str:
    """Return the line about the files of a folder that are skipped, or an empty text."""
    parts = [
        f"{len(names):,} {one if len(names) == 1 else several}: {_named(names)}"
        for names, one, several in (
            (others, "file that is no picture", "files that are no pictures"),
            (heic, f"HEIC picture ({HEIC_WAY})", f"HEIC pictures ({HEIC_WAY})"),
        )
        if names
    ]
    return f"skipped {'; and '.join(parts)}" if parts else ""


def _named(names: list[str]) -> str:
    """Name the first of some files."""
    shown = [printable(name) for name in names[:MOST_NAMED]]
    return ", ".join([*shown, "…"] if len(names) > MOST_NAMED else shown)


def _standard_input() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise DigitsError("standard input is closed or a terminal; expected the bytes of a picture")
    # One byte above the limit is enough for `read_picture` to refuse it.
    return sys.stdin.buffer.read(LARGEST_FILE + 1)
