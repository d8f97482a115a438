"""A dataset of nine made-up images, in the forms in which sources hold it."""

from pathlib import Path

import numpy as np
import pytest

from digits.data.datasets import Dataset, Folder, Source
from digits.data.idx import IDX_FILES
from digits.data.sources import fetch
from digits.errors import DigitsError
from digits.files import Arrays
from tests.pipeline import description

NOWHERE = Folder(kind="folder", name="nowhere", path="/nowhere/at/all")

SIZE = 28 * 28
ARRAYS = {
    "x_train": (np.arange(6 * SIZE) % 251).astype(np.uint8).reshape(6, 28, 28),
    "y_train": np.array([5, 0, 4, 1, 9, 2], dtype=np.uint8),
    "x_test": (np.arange(3 * SIZE) % 241).astype(np.uint8).reshape(3, 28, 28),
    "y_test": np.array([7, 2, 1], dtype=np.uint8),
}


def dataset_from(*sources: Source) -> Dataset:
    """Return the dataset as if it could be had from `sources` only."""
    values = description(ARRAYS, tuple("0123456789")) | {"sources": [*sources] or [NOWHERE]}
    return Dataset.model_validate({"name": "tiny", **values})


def idx_files(changes: Arrays | None = None) -> dict[str, bytes]:
    """Return the content of the four IDX files, with `changes` in place of the right arrays."""
    files = {}
    for name, array in (ARRAYS | (changes or {})).items():
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        files[IDX_FILES[name]] = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
    return files


def write_files(folder: Path, files: dict[str, bytes]) -> str:
    """Write `files` into `folder` and return its path as params.yaml would."""
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


def failure(dataset: Dataset, *folders: str) -> str:
    """Return the reason that the first of `folders`, or else of the dataset's sources, fails."""
    with pytest.raises(DigitsError) as caught:
        fetch(dataset, [*folders])
    first, reason, *_ = str(caught.value).splitlines()
    source = [*folders, *(source.name for source in dataset.sources)][0]

    assert "no source gave the arrays of tiny:" == first
    return reason.removeprefix(f"  {source}: ")
