"""Named arrays come back as they were written, and equal arrays are equal bytes."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from digits.data.preparation import scale
from digits.errors import DigitsError
from digits.files import pixels, read_arrays, write_arrays

ARRAYS = {"images": np.arange(12, dtype=np.float32).reshape(2, 3, 2), "labels": np.array([3, 1], np.uint8)}
DTYPES = st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_arrays(tmp_path / "arrays.npz", ARRAYS)
    return tmp_path / "arrays.npz"


@given(
    array=DTYPES.flatmap(lambda dtype: st_numpy.arrays(dtype, st_numpy.array_shapes(min_dims=0, min_side=0)))
)
def test_an_array_comes_back(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray) -> None:
    path = tmp_path_factory.getbasetemp() / "array.npz"
    write_arrays(path, {"array": array})
    back = read_arrays(path, ("array",))["array"]

    assert (array.dtype, array.shape, array.tobytes()) == (back.dtype, back.shape, back.tobytes())


def test_equal_arrays_are_equal_bytes_at_any_time_in_any_order(path: Path) -> None:
    before = path.read_bytes()
    write_arrays(path, dict(reversed(ARRAYS.items())))

    assert before == path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert {(1980, 1, 1, 0, 0, 0)} == {entry.date_time for entry in archive.infolist()}


def test_only_the_arrays_asked_for_are_read(path: Path) -> None:
    arrays = read_arrays(path, ("labels",))

    assert ["labels"] == list(arrays)
    assert [3, 1] == arrays["labels"].tolist()


def test_an_array_that_is_not_there_is_named(path: Path) -> None:
    named = r"arrays\.npz: no array 'names'; expected the arrays labels, names$"
    with pytest.raises(DigitsError, match=named):
        read_arrays(path, ("labels", "names"))


def test_objects_are_neither_written_nor_read(tmp_path: Path) -> None:
    """To read them is to run what they say."""
    path, objects = tmp_path / "arrays.npz", np.array([{}], dtype=object)
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(path, {"labels": objects})
    assert not path.exists()
    np.savez(path, labels=objects)
    with pytest.raises(DigitsError, match="allow_pickle"):
        read_arrays(path, ("labels",))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match=r"arrays\.npz: no such file$"):
        read_arrays(tmp_path / "arrays.npz", ("labels",))


@pytest.mark.parametrize("size", [0, 1, 100, -30, -1])
def test_a_truncated_file_is_named(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DigitsError, match=r"arrays\.npz: (empty, truncated|damaged)"):
        read_arrays(path, ("images", "labels"))


@given(data=st.data())
def test_a_byte_that_the_disk_changed_changes_no_value_unseen(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    write_arrays(path, ARRAYS)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1), label="place")] ^= data.draw(
        st.integers(1, 255), label="bits"
    )
    path.write_bytes(content)
    try:
        arrays = read_arrays(path, ("images", "labels"))
    except DigitsError as error:
        assert str(path) in str(error)
    else:
        assert all(np.array_equal(ARRAYS[name], array) for name, array in arrays.items())


def test_scaled_images_turn_back_into_their_bytes() -> None:
    images = np.resize(np.arange(256, dtype=np.uint8), (2001, 3, 2))

    assert np.array_equal(images[..., np.newaxis], pixels(scale(images)))


@pytest.mark.parametrize("value", [0.5, -1 / 255, 256 / 255, np.nan])
def test_what_is_no_whole_255th_does_not_turn_into_bytes(value: float) -> None:
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(DigitsError, match=r"^images: there is a value that is no whole 255th from 0 to 1$"),
    ):
        pixels(np.array([[[[0]]], [[[value]]]], np.float32))
