"""IDX files become arrays, and whatever is no IDX file becomes one line that names it."""

import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digits.data.idx import parse_idx, read_idx_files
from digits.errors import DigitsError

TWO_BY_THREE = bytes.fromhex("00000802 00000002 00000003 0102030a0bff")


def idx_bytes(values: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()


def message(content: bytes) -> str:
    with pytest.raises(DigitsError) as caught:
        parse_idx(content, "labels")
    return str(caught.value)


def test_the_values_of_a_file_stand_in_c_order() -> None:
    values = parse_idx(TWO_BY_THREE, "labels")

    assert [[1, 2, 3], [10, 11, 255]] == values.tolist()
    assert np.uint8 == values.dtype


def test_a_gzipped_file_reads_like_a_plain_one() -> None:
    values = parse_idx(gzip.compress(TWO_BY_THREE), "labels")

    assert [[1, 2, 3], [10, 11, 255]] == values.tolist()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "labels: not an IDX file of unsigned bytes: it starts with b''"),
        (b"\0\0\x08", "labels: not an IDX file of unsigned bytes: it starts with b'\\x00\\x00\\x08'"),
        (b"<html>", "labels: not an IDX file of unsigned bytes: it starts with b'<htm'"),
        (b"\0\0\x0d\x01", "labels: not an IDX file of unsigned bytes: "),
        (b"\0\0\x08\0", "labels: not an IDX file of unsigned bytes: "),
        (TWO_BY_THREE[:9], "labels: damaged IDX file (buffer is smaller than requested size"),
        (TWO_BY_THREE[:-1], "labels: damaged IDX file (cannot reshape array of size 5 into shape (2,3))"),
        (TWO_BY_THREE + b"\n", "labels: damaged IDX file (cannot reshape array of size 7 into shape (2,3))"),
        (gzip.compress(TWO_BY_THREE, mtime=0)[:-1], "labels: damaged IDX file ("),
        # Dimensions that no array has: too large, too many.
        (bytes.fromhex("00000803 ffffffff ffffffff ffffffff 01"), "labels: damaged IDX file ("),
        (bytes([0, 0, 8, 65]) + bytes([0, 0, 0, 1]) * 65 + b"1", "labels: damaged IDX file ("),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(content: bytes, expected: str) -> None:
    assert message(content).startswith(expected)


def test_a_header_of_gigantic_dimensions_allocates_nothing() -> None:
    tracemalloc.start()
    try:
        message(bytes.fromhex("00000802 ffffffff 00000100 01020304"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1_000_000


@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)), st.booleans())
def test_every_array_survives_its_file(values: np.ndarray, zipped: bool) -> None:
    content = idx_bytes(values)
    parsed = parse_idx(gzip.compress(content) if zipped else content, "labels")

    assert values.shape == parsed.shape
    assert values.tobytes() == parsed.tobytes()


@given(
    st.sampled_from([b"", b"\0\0\x08", b"\0\0\x08\x01\0\0\0", b"\x1f\x8b", b"\x1f\x8b\x08\0"]), st.binary()
)
def test_arbitrary_bytes_give_an_array_or_one_line(start: bytes, rest: bytes) -> None:
    for content in (start + rest, gzip.compress(start + rest)):
        try:
            values = parse_idx(content, "labels")
        except DigitsError as error:
            assert "\n" not in str(error)
        else:
            assert np.uint8 == values.dtype


def test_each_array_is_read_from_the_file_of_its_name_plain_dotted_or_gzipped() -> None:
    files = {
        "train-images-idx3-ubyte": idx_bytes(np.array([[[1]]], np.uint8)),
        "train-labels.idx1-ubyte": idx_bytes(np.array([2], np.uint8)),
        "t10k-images-idx3-ubyte.gz": gzip.compress(idx_bytes(np.array([[[3]]], np.uint8))),
        "t10k-labels.idx1-ubyte.gz": gzip.compress(idx_bytes(np.array([4], np.uint8))),
        "readme.md": b"not read",
    }
    values = read_idx_files(files, files.__getitem__)

    expected = {"x_train": [[[1]]], "y_train": [2], "x_test": [[[3]]], "y_test": [4]}
    assert expected == {name: array.tolist() for name, array in values.items()}


def test_the_missing_files_are_named() -> None:
    files = {"train-images-idx3-ubyte": b"", "t10k-labels-idx1-ubyte": b""}
    with pytest.raises(DigitsError) as caught:
        read_idx_files(files, files.__getitem__)

    assert "no train-labels-idx1-ubyte, t10k-images-idx3-ubyte, plain or gzipped" == str(caught.value)
