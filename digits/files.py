"""The pipeline's files, whole or not there: JSON, named arrays (`.npz`) and tables of numbers (`.csv`).

Equal values give equal bytes, on every machine and under every Python.
"""

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile, ZipInfo, is_zipfile

import numpy as np

from digits.errors import DigitsError, reason, reported_as

Arrays = dict[str, np.ndarray]
Table = dict[str, list[float]]

# The columns of data/history.csv, a row per epoch.
HISTORY = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")

# Bytes of an array's header, at most.
LONGEST_HEADER = 10_000

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


class Stream(NamedTuple):
    """An array that need not be in memory at once: type, shape, and its bytes in C order, in blocks."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    blocks: Iterable[bytes]


def write_streams(path: Path, streams: Mapping[str, Stream]) -> None:
    """Write to `path` what `write_arrays` writes of the same arrays."""
    with whole_file(path) as partial, ZipFile(partial, "w") as archive:
        for name, (dtype, shape, blocks) in sorted(streams.items()):
            entry = ZipInfo(f"{name}.npy", NO_TIME)
            entry.file_size = dtype.itemsize * math.prod(shape)
            header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            with archive.open(entry, "w") as file:
                np.lib.format.write_array_header_1_0(file, header)
                for block in blocks:
                    file.write(block)


def read_stream(path: Path, name: str, records: int) -> Iterator[np.ndarray]:
    """Yield the array `name` of a `.npz` archive, at most `records` entries of its first axis at a time.

    Raises:
        DigitsError: the archive is missing or damaged.
    """
    check_file(path)
    damaged = reported_as(f"{path}: damaged .npz archive")
    with damaged, ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        size = dtype.itemsize * math.prod(shape[1:])
        while block := file.read(records * size):
            yield np.frombuffer(block, dtype).reshape(-1, *shape[1:])


def check_file(path: Path) -> None:
    """Check that `path` is a file: a pipe in its place would never end.

    Raises:
        DigitsError: it is missing, or something else.
    """
    if not path.exists():
        raise DigitsError(f"{path}: no such file")
    if not path.is_file():
        raise DigitsError(f"{path}: not a regular file")


def read_arrays(path: Path, names: tuple[str, ...], largest: int | None = None) -> Arrays:
    """Read the arrays called `names`, and no others.

    Args:
        path: a `.npz` archive.
        names: the arrays.
        largest: bytes that an array may have; a small archive can hold any number.

    Raises:
        DigitsError: the file is missing, damaged, or lacks one of `names`; an array is too large.
    """
    check_file(path)
    if not is_zipfile(path):
        raise DigitsError(f"{path}: empty, truncated, or not a .npz archive")
    with reported_as(f"{path}: damaged .npz archive"), ZipFile(path) as archive:
        if missing := [name for name in names if f"{name}.npy" not in archive.namelist()]:
            raise DigitsError(f"{path}: no array {missing[0]!r}; expected the arrays {', '.join(names)}")
        return {name: _read_array(archive, name, path, largest) for name in names}


def _read_array(archive: ZipFile, name: str, path: Path, largest: int | None) -> np.ndarray:
    """Read an array at once: `numpy.load` makes many small reads, and takes three times as long."""
    entry = archive.getinfo(f"{name}.npy")
    if largest is not None and entry.file_size > largest + LONGEST_HEADER:
        raise DigitsError(f"{path}: {name} has {entry.file_size} bytes, expected at most {largest}")
    array: np.ndarray = np.lib.format.read_array(io.BytesIO(archive.read(entry)), allow_pickle=False)
    return array


def check_array(
    name: str,
    array: np.ndarray,
    dtype: type | np.dtype[Any],
    shape: tuple[int | str, ...],
    most: float | None = None,
) -> None:
    """Check what an array is.

    Args:
        name: what the message calls it.
        array: any array.
        dtype: its type.
        shape: its lengths; a text stands for any length but 0.
        most: the largest value, where 0 is the smallest; NaN is neither.

    Raises:
        DigitsError: it is something else.
    """
    if array.dtype != dtype:
        raise DigitsError(f"{name}: the type is {short_type(array)}, expected {np.dtype(dtype)}")
    fits = len(array.shape) == len(shape) and all(
        actual == wanted or (isinstance(wanted, str) and actual > 0)
        for actual, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        expected = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
        raise DigitsError(f"{name}: the shape is {array.shape}, expected {expected}")
    if most is not None and not (array.min() >= 0 and array.max() <= most):
        values = f"{float(array.min()):g} to {float(array.max()):g}"
        raise DigitsError(f"{name}: the values reach from {values}, expected 0 to {most:g}")


def short_type(array: np.ndarray) -> str:
    """Return the name of an array's type; that of a structured one may be of any length."""
    return str(array.dtype)[:80]


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
    check_file(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        columns = {name: [float(row[name]) for row in rows] for name in names}
    except KeyError as error:
        raise DigitsError(f"{path}: no column {error}; expected {', '.join(names)}") from error
    except (TypeError, ValueError, csv.Error, MemoryError) as error:
        raise DigitsError(f"{path}: not a table of numbers ({reason(error)})") from error
    if not rows:
        raise DigitsError(f"{path}: no rows")
    for name in names:
        check_column(path, columns, name, -math.inf, math.inf)
    return columns


def check_column(path: Path, columns: Table, name: str, low: float, high: float) -> None:
    """Check that the column `name` has finite numbers from `low` to `high`.

    Raises:
        DigitsError: it has another; the text has its row.
    """
    for row, value in enumerate(columns[name], 1):
        if not (math.isfinite(value) and low <= value <= high):
            limits = f"from {low:g} to {high:g}".replace(" to inf", "").replace("from -inf", "")
            expected = f"expected a finite number {limits}".rstrip()
            raise DigitsError(f"{path}: {name} in row {row} is {value:g}, {expected}")


def read_history(path: Path) -> Table:
    """Read the history of a training, with the columns of `HISTORY`.

    Raises:
        DigitsError: the file is missing or damaged, or an accuracy is no share, or a loss below 0.
    """
    history = read_table(path, HISTORY)
    for name in HISTORY:
        check_column(path, history, name, 0, 1 if name.endswith("accuracy") else math.inf)
    return history
