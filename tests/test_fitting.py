"""Pictures are brought to the size of a dataset's images."""

import hashlib
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.data.forms import Ground
from digits.pictures.fitting import fitted

Framing = Literal["fit", "crop"]


def noise(*shape: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(0)).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("framing", ["fit", "crop"])
@pytest.mark.parametrize("shape", [(8, 8), (96, 64, 3), (1, 1)])
def test_a_picture_of_the_right_size_stays_as_it_is(framing: Framing, shape: tuple[int, ...]) -> None:
    picture = noise(*shape)

    assert np.array_equal(picture, fitted(picture, *shape[:2], [*shape, 1][2], framing, "any"))


def test_colours_become_their_luminance() -> None:
    primary = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)

    assert [[76, 150, 29]] == fitted(primary, 1, 3, 1, "fit", "any").tolist()


def test_greys_become_colours() -> None:
    assert [[[7, 7, 7], [9, 9, 9]]] == fitted(np.array([[7, 9]], np.uint8), 1, 2, 3, "fit", "any").tolist()


def test_a_wide_picture_is_fitted_between_bars_of_its_borders_colour() -> None:
    picture = np.full((20, 40, 3), (200, 100, 50), np.uint8)
    picture[5:15, 10:30] = 0
    result = fitted(picture, 16, 16, 3, "fit", "any")

    # It is 8 pixels high, and the black part 4 of them.
    assert (200, 100, 50) == tuple(result[0, 0]) == tuple(result[3, 8]) == tuple(result[-1, -1])
    assert [0] * 2 == result[7:9, 8].max(axis=1).tolist()


def test_a_high_picture_is_fitted_in_the_middle() -> None:
    result = fitted(
        np.full((40, 10), 255, np.uint8) * np.arange(2, dtype=np.uint8).repeat(5), 8, 8, 1, "fit", "any"
    )

    assert (8, 8) == result.shape
    # Two columns of it: at 3 the dark and at 4 the light one; half of its border is light.
    assert result[4, 3] < 128 < result[4, 4]


def test_a_cropped_picture_loses_its_ends_and_nothing_of_its_height() -> None:
    picture = np.zeros((10, 40), np.uint8)
    picture[:, 15:25] = np.arange(10, dtype=np.uint8)[:, np.newaxis]

    assert np.array_equal(picture[:, 15:25], fitted(picture, 10, 10, 1, "crop", "any"))


def test_a_shape_on_paper_is_inverted_where_the_datasets_ground_is_dark() -> None:
    picture = np.full((28, 28), 250, np.uint8)
    picture[8:20, 8:20] = 10

    assert np.array_equal(255 - picture, fitted(picture, 28, 28, 1, "fit", "dark"))
    assert np.array_equal(255 - picture, fitted(255 - picture, 28, 28, 1, "fit", "dark"))
    assert np.array_equal(picture, fitted(picture, 28, 28, 1, "fit", "any"))


def test_colours_are_inverted_where_the_datasets_ground_is_dark() -> None:
    picture = np.full((28, 28, 3), 250, np.uint8)
    picture[8:20, 8:20] = (10, 200, 30)

    assert np.array_equal(255 - picture, fitted(picture, 28, 28, 3, "fit", "dark"))


@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    to=st.tuples(st.integers(1, 130), st.integers(1, 130)),
    colours=st.booleans(),
    channels=st.sampled_from([1, 3]),
    framing=st.sampled_from(["fit", "crop"]),
    ground=st.sampled_from(["any", "dark"]),
)
def test_every_picture_gets_the_size(
    size: tuple[int, int], to: tuple[int, int], colours: bool, channels: int, framing: Framing, ground: Ground
) -> None:
    result = fitted(noise(*size, *[3] * colours), *to, channels, framing, ground)

    assert (*to, 3)[: 2 + (channels == 3)] == result.shape
    assert np.uint8 == result.dtype


@pytest.mark.parametrize("size", [(3, 2_000_000), (2_000_000, 3)])
@pytest.mark.parametrize("framing", ["fit", "crop"])
def test_a_picture_of_any_length_needs_little_memory(size: tuple[int, int], framing: Framing) -> None:
    assert (128, 128) == fitted(np.zeros(size, np.uint8), 128, 128, 1, framing, "any").shape


def test_the_bytes_are_those_of_every_cpu() -> None:
    digest = hashlib.sha256()
    framings: tuple[Framing, ...] = ("fit", "crop")
    for framing in framings:
        for size in ((100, 37), (33, 64), (7, 9)):
            digest.update(fitted(noise(*size, 3), 32, 48, 3, framing, "dark").tobytes())

    assert "f97b9b67ac18be0bf541237b52473d4a1c2fa1c8d200a8bbd74b9800f91bb2ae" == digest.hexdigest()
