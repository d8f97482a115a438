"""Named arrays in `.npz` files.

`numpy.savez` stores each array uncompressed, with a fixed time in the archive,
so that equal arrays give equal bytes and a file is read at the disk's speed.
"""

import zlib
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

import numpy as np

from digits.errors import DigitsError
from digits.files import whole_file

Arrays = dict[str, np.ndarray]


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write `arrays` to `path` in the order of their names."""
    with whole_file(path) as partial:
        np.savez(partial, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})


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
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except KeyError as error:
        raise DigitsError(f"{path}: {error.args[0]}; expected the arrays {', '.join(names)}") from error
    except (ValueError, EOFError, OSError, RuntimeError, MemoryError, BadZipFile, zlib.error) as error:
        raise DigitsError(f"{path}: damaged .npz archive ({error})") from error
