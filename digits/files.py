"""The pipeline's files, whole or not there: JSON, named arrays (`.npz`) and tables of numbers (`.csv`).

Equal values give equal bytes, on every machine and under every Python.
"""

import csv
import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo, is_zipfile

import numpy as np

from digits.errors import DigitsError

Arrays = dict[str, np.ndarray]
Table = dict[str, list[float]]

# The columns of data/history.csv, a row per epoch.
HISTORY = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")

# The earliest time that a zip archive can hold.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` after the block has written it.

    Whatever happens in the block, `path` holds all of its old or all of its new content.
    The temporary name has the suffix of `path`, by which many writers choose a format.

    Raises:
        DigitsError: the folder or the disk refuses the file.
    """
    partial = path.with_name(f".partial-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise DigitsError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, with its own line endings on every platform."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON with sorted keys, an indent of two, and a newline at the end."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def fingerprint(paths: Iterable[Path], *values: Any) -> str:
    """Return the SHA-256 of the content of all files and of the values' JSON."""
    digests = {}
    for path in sorted(paths):
        with path.open("rb") as file:
            digests[path.as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(json.dumps([digests, values], sort_keys=True).encode()).hexdigest()


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write `arrays` to `path` in the order of their names.

    They are stored uncompressed, which is fastest to write and read, and with a fixed time.
    `numpy.savez` does the same, but its zip headers differ between Python 3.11.2 and 3.12.
    """
    with whole_file(path) as partial, ZipFile(partial, "w") as archive:
        for name in sorted(arrays):
            entry = ZipInfo(f"{name}.npy", NO_TIME)
            # With the size known beforehand, every Python writes the same header.
            entry.file_size = arrays[name].nbytes
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, arrays[name], allow_pickle=False)


def read_arrays(path: Path, names: tuple[str, ...]) -> Arrays:
    """Read the arrays called `names`, and no others.

    Raises:
        DigitsError: the file is missing, damaged, or lacks one of `names`.
    """
    if not path.exists():
        raise DigitsError(f"{path}: no such file")
    try:
        if not is_zipfile(path):
            raise DigitsError(f"{path}: empty, truncated, or not a .npz archive")
        with ZipFile(path) as archive:
            return {name: _read_array(archive, name) for name in names}
    except KeyError as error:
        raise DigitsError(f"{path}: {error.args[0]}; expected the arrays {', '.join(names)}") from error
    except (ValueError, EOFError, OSError, RuntimeError, MemoryError, BadZipFile, zlib.error) as error:
        raise DigitsError(f"{path}: damaged .npz archive ({error})") from error


def _read_array(archive: ZipFile, name: str) -> np.ndarray:
    """Read an array at once: `numpy.load` makes many small reads, and takes three times as long."""
    array: np.ndarray = np.lib.format.read_array(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
    return array


def pixels(images: np.ndarray) -> np.ndarray:
    """Convert float32 images, scaled from uint8 to [0, 1], back to uint8: a quarter of the memory.

    Raises:
        DigitsError: a value is no whole 255th.
    """
    restored = np.empty(images.shape, np.uint8)
    # A thousand at a time: a copy of all of them would need the memory that this saves.
    for first in range(0, len(images), 1000):
        part = images[first : first + 1000]
        restored[first : first + 1000] = np.rint(part * np.float32(255))
        if not np.array_equal(np.divide(restored[first : first + 1000], np.float32(255)), part):
            raise DigitsError("images: there is a value that is no whole 255th from 0 to 1")
    return restored


def write_table(path: Path, columns: Mapping[str, Sequence[float | str]]) -> None:
    """Write columns of equal length, rounded to six decimals.

    Numbers below 0.001, such as learning rates, keep six significant digits instead.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([value if isinstance(value, str) else shortest(value) for value in row])
    write_text(path, text.getvalue())


def shortest(value: float) -> str:
    """Return `value` as a table shows it: 3 as '3', 0.12345678 as '0.123457'."""
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.6g}" if abs(value) < 0.001 else f"{value:.6f}".rstrip("0").rstrip(".")


def read_table(path: Path, names: tuple[str, ...]) -> Table:
    """Read the columns called `names`, and no others.

    Raises:
        DigitsError: the file is missing, has no row, lacks a column, or holds something other than numbers.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        columns = {name: [float(row[name]) for row in rows] for name in names}
    except FileNotFoundError:
        raise DigitsError(f"{path}: no such file") from None
    except KeyError as error:
        raise DigitsError(f"{path}: no column {error}; expected {', '.join(names)}") from error
    except (TypeError, ValueError, csv.Error) as error:
        raise DigitsError(f"{path}: not a table of numbers ({error})") from error
    if not rows:
        raise DigitsError(f"{path}: no rows")
    return columns
