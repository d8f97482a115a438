"""The IDX format, in which MNIST and its relatives are published.

A file holds two zero bytes, a byte for the type of the values, a byte for the number
of dimensions, each dimension as a big-endian 32-bit integer, and then the values in
C order. Source: "The IDX file format", at the end of Yann LeCun, Corinna Cortes and
Christopher J. C. Burges, "The MNIST database", http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import math
import zlib
from collections.abc import Callable, Collection

import numpy as np

from digits.errors import DigitsError
from digits.files import Arrays

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""The published name of each array's file. Some unpackers write a dot before `idx`."""

_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTE = 0x08
_OTHER_TYPES = {0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}


def parse_idx(content: bytes, name: str) -> np.ndarray:
    """Give the values of an IDX file, plain or gzipped, as a read-only uint8 array of its dimensions.

    Nothing is allocated by what the header claims, only by the bytes that are there.

    Args:
        content: the whole file.
        name: what messages call the file.

    Raises:
        DigitsError: the file is truncated, has bytes left over, is no IDX file, or holds another type.
    """
    if content.startswith(_GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DigitsError(f"{name}: damaged gzip file ({error})") from error
    dimensions = _dimensions(content, name)
    start = 4 + 4 * len(dimensions)
    expected = math.prod(dimensions)
    actual = len(content) - start
    if actual != expected:
        problem = "truncated" if actual < expected else "bytes left over at the end"
        raise DigitsError(
            f"{name}: {problem}: {actual} bytes of values; expected {expected} for the shape {dimensions}"
        )
    try:
        return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(dimensions)
    except ValueError as error:
        raise DigitsError(f"{name}: no array has the shape {dimensions} ({error})") from error


def _dimensions(content: bytes, name: str) -> tuple[int, ...]:
    """Give the dimensions that the header states, at least one."""
    if len(content) < 4:
        raise DigitsError(f"{name}: truncated: {len(content)} bytes, fewer than the 4 of an IDX magic number")
    magic = content[:4]
    zeros, type_code, count = magic[:2], magic[2], magic[3]
    if zeros != b"\0\0" or count == 0 or type_code not in (_UNSIGNED_BYTE, *_OTHER_TYPES):
        raise DigitsError(f"{name}: not an IDX file: it starts with {magic.hex(' ')}")
    if type_code != _UNSIGNED_BYTE:
        raise DigitsError(f"{name}: holds {_OTHER_TYPES[type_code]}; expected unsigned bytes (type 0x08)")
    header = content[4 : 4 + 4 * count]
    if len(header) < 4 * count:
        raise DigitsError(f"{name}: truncated: the header of {count} dimensions is incomplete")
    return tuple(int.from_bytes(header[i : i + 4], "big") for i in range(0, 4 * count, 4))


def read_idx_files(names: Collection[str], read: Callable[[str], bytes]) -> Arrays:
    """Give the four arrays from their IDX files, each plain or gzipped.

    Args:
        names: the files that are there.
        read: gives the content of one of `names`.

    Raises:
        DigitsError: a file is missing or damaged.
    """
    found = {array: _find(published, names) for array, published in IDX_FILES.items()}
    missing = [IDX_FILES[array] for array, name in found.items() if name is None]
    if missing:
        raise DigitsError(f"no {', '.join(missing)}, plain or gzipped")
    return {array: parse_idx(read(name), name) for array, name in found.items() if name}


def _find(published: str, names: Collection[str]) -> str | None:
    dotted = published.replace("-idx", ".idx")
    candidates = (published, dotted, f"{published}.gz", f"{dotted}.gz")
    return next((candidate for candidate in candidates if candidate in names), None)
