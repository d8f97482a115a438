"""Named arrays in `.npz` files.

The arrays are stored uncompressed, which is the fastest to write and to read,
and with a fixed time, so that equal arrays give equal bytes.
`numpy.savez` would do the same, but its headers are others under Python 3.11.2 than under 3.12.
"""

import zlib
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo, is_zipfile

import numpy as np

from digits.errors import DigitsError
from digits.files import whole_file

Arrays = dict[str, np.ndarray]

# The earliest time that a zip archive can hold.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write `arrays` to `path` in the order of their names."""
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
    """Read an array at once, in a third of the time that `numpy.load` takes with its many small reads."""
    array: np.ndarray = np.lib.format.read_array(BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
    return array


def pixels(images: np.ndarray) -> np.ndarray:
    """Turn float32 images, scaled to [0, 1] from uint8 ones, back into those: a quarter of the memory.

    Raises:
        DigitsError: a value is no whole 255th.
    """
    found = np.empty(images.shape, np.uint8)
    # A thousand at a time, so that no copy of all of them is made.
    for first in range(0, len(images), 1000):
        part = images[first : first + 1000]
        found[first : first + 1000] = np.rint(part * np.float32(255))
        if not np.array_equal(np.divide(found[first : first + 1000], np.float32(255)), part):
            raise DigitsError("images: there is a value that is no whole 255th from 0 to 1")
    return found
