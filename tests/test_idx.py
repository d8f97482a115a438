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
        (b"", "labels: truncated: 0 bytes, fewer than the 4 of an IDX magic number"),
        (b"\0\0\x08", "labels: truncated: 3 bytes, fewer than the 4 of an IDX magic number"),
        (TWO_BY_THREE[:9], "labels: truncated: the header of 2 dimensions is incomplete"),
        (TWO_BY_THREE[:-1], "labels: truncated: 5 bytes of values; expected 6 for the shape (2, 3)"),
        (
            TWO_BY_THREE + b"\n",
            "labels: bytes left over at the end: 7 bytes of values; expected 6 for the shape (2, 3)",
        ),
        (b"<html>", "labels: not an IDX file: it starts with 3c 68 74 6d"),
        (b"\0\0\x07\x01", "labels: not an IDX file: it starts with 00 00 07 01"),
        (b"\0\0\x08\0", "labels: not an IDX file: it starts with 00 00 08 00"),
        (b"\0\0\x0d\x01", "labels: holds float32; expected unsigned bytes (type 0x08)"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(content: bytes, expected: str) -> None:
    assert expected == message(content)


def test_a_gzip_file_that_breaks_off_is_damaged() -> None:
    assert message(gzip.compress(TWO_BY_THREE)[:-1]).startswith("labels: damaged gzip file (")


def test_a_header_of_gigantic_dimensions_allocates_nothing() -> None:
    tracemalloc.start()
    try:
        text = message(bytes.fromhex("00000803 ffffffff ffffffff ffffffff 01020304"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert text.startswith("labels: truncated: 4 bytes of values; expected 79228162458924105385300197375 for")
    assert peak < 1_000_000


@pytest.mark.parametrize("dimensions", [(0, 2**32 - 1, 2**32 - 1, 2**32 - 1), (1,) * 65])
def test_dimensions_that_no_array_can_have_are_refused(dimensions: tuple[int, ...]) -> None:
    sizes = b"".join(size.to_bytes(4, "big") for size in dimensions)
    values = bytes(1 if all(dimensions) else 0)

    assert message(bytes([0, 0, 8, len(dimensions)]) + sizes + values).startswith("labels: no array has")


@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)), st.booleans())
def test_every_array_survives_its_file(values: np.ndarray, zipped: bool) -> None:
    content = idx_bytes(values)
    parsed = parse_idx(gzip.compress(content) if zipped else content, "labels")

    assert values.shape == parsed.shape
    assert values.tobytes() == parsed.tobytes()


@given(arrays(np.uint8, array_shapes(max_dims=3)), st.booleans(), st.data())
def test_every_truncation_is_noticed(values: np.ndarray, zipped: bool, data: st.DataObject) -> None:
    content = gzip.compress(idx_bytes(values)) if zipped else idx_bytes(values)
    length = data.draw(st.integers(0, len(content) - 1))

    assert message(content[:length]).startswith("labels: ")


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


@given(st.integers(0, 37), st.integers(1, 255))
def test_an_altered_gzip_file_gives_an_array_or_one_line(place: int, change: int) -> None:
    content = bytearray(gzip.compress(TWO_BY_THREE, mtime=0))
    content[place % len(content)] ^= change
    try:
        values = parse_idx(bytes(content), "labels")
    except DigitsError as error:
        assert "\n" not in str(error)
    else:
        assert [[1, 2, 3], [10, 11, 255]] == values.tolist()


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
