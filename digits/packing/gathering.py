"""The pictures of a folder, the class of each, and its part where the folder says it."""

from __future__ import annotations

import csv
import os
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from digits.data.forms import MOST_CLASSES
from digits.decoding.reading import printable
from digits.errors import DigitsError, reason

LABELS = "labels.csv"
PARTS = ("train", "test")

# What systems and programs leave in folders; what begins with a dot is hidden, and left aside too.
CLUTTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir"}


class Entry(NamedTuple):
    """A file that should be a picture.

    `name` is its path in the folder, with `/`; `part` is `train`, `test` or, where the folder tells none, "".
    """

    name: str
    label: str
    part: str


def gather(folder: Path) -> list[Entry]:
    """List the files of `folder`: by its labels.csv, or its train/ and test/, or a folder for each class.

    Returns:
        The entries in the natural order of their names, whatever the order of the file system and the locale.

    Raises:
        DigitsError: the folder cannot be read, or says of no two classes what belongs to them.
    """
    if not folder.is_dir():
        raise DigitsError(f"{folder}: no such folder")
    names = {entry.name for entry in _listed(folder)}
    if LABELS in names:
        entries = _labelled(folder)
    elif names & {*PARTS}:
        entries = _in_parts(folder, names)
    else:
        entries = [entry for _, found in _classes(folder, "").items() for entry in found]
    _check_classes(folder, entries)
    return sorted(entries, key=lambda entry: natural(entry.name))


def classes_of(entries: list[Entry]) -> list[str]:
    """Return the names of the classes in natural order."""
    return sorted({entry.label for entry in entries}, key=natural)


def natural(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """Return what sorts names as people do: `2` before `10`, and letters of both cases together."""
    pieces = re.split(r"([0-9]+)", name.casefold())
    numbers = [int(piece) if piece.isdecimal() and piece.isascii() else -1 for piece in pieces]
    return [(number < 0, number, piece) for number, piece in zip(numbers, pieces, strict=True) if piece], name


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    """Return the content of a folder without what is hidden."""
    with os.scandir(folder) as found:
        return [
            entry for entry in found if not entry.name.startswith(".") and entry.name.lower() not in CLUTTER
        ]


def _is_folder(found: os.DirEntry[str]) -> bool:
    """Tell whether it is a folder, or a link to one; a link to itself is none."""
    try:
        return found.is_dir()
    except OSError:
        return False


def _in_parts(folder: Path, names: set[str]) -> list[Entry]:
    """List what stands in train/ and test/, which have the same classes."""
    if missing := [part for part in PARTS if part not in names]:
        raise DigitsError(f"{folder}: there is no {missing[0]}/ beside {PARTS[missing[0] == 'train']}/")
    if others := sorted(
        {entry.name for entry in _listed(folder) if _is_folder(entry)} - {*PARTS}, key=natural
    ):
        raise DigitsError(
            f"{folder}: {printable(others[0])}/ stands beside train/ and test/; allowed: only those"
        )
    classes = {part: _classes(folder / part, part) for part in PARTS}
    for part, other in (PARTS, PARTS[::-1]):
        for name in classes[part]:
            if name not in classes[other]:
                raise DigitsError(f"{folder}: the class {name!r} is in {part}/ and not in {other}/")
    return [entry for part in PARTS for found in classes[part].values() for entry in found]


def _classes(folder: Path, part: str) -> dict[str, list[Entry]]:
    """List the files of each class, which is a folder in `folder`."""
    top = folder.parent if part else folder
    classes: dict[str, list[Entry]] = {}
    for found in sorted(_listed(folder), key=lambda found: natural(found.name)):
        if not _is_folder(found):
            continue
        name = _class_name(found.name, folder)
        files = _files(Path(found.path), [_identity(top), _identity(folder)])
        entries = [Entry(path.relative_to(top).as_posix(), name, part) for path in files]
        if name in classes:
            raise DigitsError(f"{folder}: two folders are called {name!r}")
        if not entries:
            raise DigitsError(f"{found.path}: the class {name!r} has no picture")
        classes[name] = entries
    return classes


def _class_name(name: str, where: Path) -> str:
    """Return a class's name composed, as most systems write it: one file system takes letters apart."""
    composed = unicodedata.normalize("NFC", name).strip()
    try:
        composed.encode("utf-8")
    except UnicodeEncodeError:
        raise DigitsError(f"{where}: the name of the class {name!r} is not UTF-8") from None
    if not composed or not composed.isprintable():
        raise DigitsError(f"{where}: {name!r} cannot be the name of a class; expected printable letters")
    return composed


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _files(folder: Path, above: list[tuple[int, int]]) -> Iterator[Path]:
    """Walk through a folder, also by links, with the identities of the folders `above` it."""
    identity = _identity(folder)
    if identity in above:
        raise DigitsError(f"{printable(str(folder))}: a link back to a folder that it stands in")
    for found in _listed(folder):
        if _is_folder(found):
            yield from _files(Path(found.path), [*above, identity])
        else:
            yield Path(found.path)


def _labelled(folder: Path) -> list[Entry]:
    """List the files that labels.csv names, in its columns `file` and `class`."""
    path = folder / LABELS
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Some spreadsheets write semicolons.
            delimiter = ";" if ";" in file.readline() else ","
            file.seek(0)
            reader = csv.DictReader(file, delimiter=delimiter)
            if missing := [name for name in ("file", "class") if name not in (reader.fieldnames or [])]:
                raise DigitsError(f"{path}: no column {missing[0]!r}; expected the columns file, class")
            rows = [(row["file"], row["class"]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DigitsError(f"{path}: not a table in UTF-8 ({reason(error)})") from error
    labels: dict[str, str] = {}
    for number, (name, label) in enumerate(rows, 2):
        if not name or not label:
            raise DigitsError(f"{path}: row {number} lacks {'its class' if name else 'a file'}")
        inside = os.path.normpath(name)
        if Path(inside).is_absolute() or inside.startswith("..") or "\0" in inside:
            raise DigitsError(f"{path}: {name!r} in row {number} is no path in the folder")
        label = _class_name(label, path)
        if labels.setdefault(Path(inside).as_posix(), label) != label:
            raise DigitsError(
                f"{path}: {name!r} in row {number} is of the class {label!r}, and of another before"
            )
    return [Entry(name, label, "") for name, label in labels.items()]


def _check_classes(folder: Path, entries: list[Entry]) -> None:
    """Check that there are two to a thousand classes, whose names differ by more than their case."""
    names = classes_of(entries)
    if not 2 <= len(names) <= MOST_CLASSES:
        found = f"{len(names)} classes" if len(names) != 1 else f"the class {names[0]!r} only"
        way = "a folder for each, or train/ and test/ with one each, or a labels.csv"
        raise DigitsError(f"{folder}: {found}; expected 2 to {MOST_CLASSES}: {way}")
    for one, other in pairwise(names):
        if one.casefold() == other.casefold():
            raise DigitsError(f"{folder}: the classes {one!r} and {other!r} differ by case only")
