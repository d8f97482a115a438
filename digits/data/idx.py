"""The IDX format, in which MNIST and its relatives are published.

A file holds two zero bytes, a byte for the type of the values, a byte for the number
of dimensions, each dimension as a big-endian 32-bit integer, and then the values in
C order. Source: "The IDX file format", at the end of Yann LeCun, Corinna Cortes and
Christopher J. C. Burges, "The MNIST database", http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import io
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

# Four bytes, and four for each of up to 255 dimensions.
LONGEST_HEADER = 4 + 4 * 255

_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTES = b"\0\0\x08"


def parse_idx(content: bytes, name: str, largest: int | None = None) -> np.ndarray:
    """Return the values of an IDX file, plain or gzipped, as a read-only uint8 array of its dimensions.

    Memory is allocated for the bytes that are there, not for what the header claims.

    Args:
        content: the whole file.
        name: what messages call the file.
        largest: bytes of values that it may have; a small gzipped file can hold any number.

    Raises:
        DigitsError: the file is truncated, has bytes left over, or is no IDX file of unsigned bytes.
    """
    try:
        if content.startswith(_GZIP_MAGIC):
            with gzip.open(io.BytesIO(content)) as file:
                content = file.read(-1 if largest is None else largest + LONGEST_HEADER + 1)
        if largest is not None and len(content) > largest + LONGEST_HEADER:
            raise DigitsError(f"{name}: more than the {largest} bytes of values that are expected")
        if content[:3] != _UNSIGNED_BYTES or content[3:4] in (b"", b"\0"):
            raise DigitsError(f"{name}: not an IDX file of unsigned bytes: it starts with {content[:4]!r}")
        shape = np.frombuffer(content, ">u4", count=content[3], offset=4).tolist()
        return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise DigitsError(f"{name}: damaged IDX file ({error})") from error


def read_idx_files(
    names: Collection[str], read: Callable[[str], bytes], largest: int | None = None
) -> Arrays:
    """Read the four arrays from their IDX files, each plain or gzipped.

    Args:
        names: the files that are there.
        read: returns the content of one of `names`.
        largest: bytes that an array may have.

    Raises:
        DigitsError: a file is missing or damaged.
    """
    files = {array: _find(published, names) for array, published in IDX_FILES.items()}
    missing = [IDX_FILES[array] for array, file in files.items() if file is None]
    if missing:
        raise DigitsError(f"no {', '.join(missing)}, plain or gzipped")
    return {array: parse_idx(read(file), file, largest) for array, file in files.items() if file}


def _find(published: str, names: Collection[str]) -> str | None:
    dotted = published.replace("-idx", ".idx")
    candidates = (published, dotted, f"{published}.gz", f"{dotted}.gz")
    return next((candidate for candidate in candidates if candidate in names), None)
