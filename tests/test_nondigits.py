"""Artificial images that are no digits."""

import numpy as np
import pytest

from digits.calibration.characters import draw_characters
from digits.calibration.nondigits import KINDS, make_nondigits, mixtures

SIZES = [(28, 28), (14, 14), (20, 16)]


def digits(size: tuple[int, int], count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.random((count, *size, 1), np.float32), np.arange(count) % 10


@pytest.mark.parametrize("size", SIZES)
def test_there_are_as_many_as_digits_and_of_their_form(size: tuple[int, int]) -> None:
    images, labels = digits(size)
    nondigits = make_nondigits(images, labels, seed=0)

    assert (images.shape, np.float32) == (nondigits.shape, nondigits.dtype)
    assert 0 <= nondigits.min() <= nondigits.max() <= 1


@pytest.mark.parametrize("name", KINDS)
def test_equal_seeds_give_equal_images_and_different_seeds_different_ones(name: str) -> None:
    images, labels = digits((28, 28))
    first, second, other = (
        KINDS[name](np.random.Generator(np.random.PCG64(seed)), images, labels) for seed in (0, 0, 1)
    )

    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert np.float32 == first.dtype


def test_the_digits_that_images_are_made_from_stay_unchanged() -> None:
    images, labels = digits((28, 28))
    before = images.copy()
    make_nondigits(images, labels, seed=0)

    assert np.array_equal(before, images)


def test_a_mixture_has_two_classes() -> None:
    labels = np.array([0, 0, 1, 2])
    images = np.zeros((4, 1, 4, 1), np.float32)
    images[np.arange(4), 0, labels] = 1
    mixed = mixtures(np.random.default_rng(0), images, labels)

    assert [2.0] * 4 == mixed.sum(axis=(1, 2, 3)).tolist()


def test_a_printed_character_is_framed_and_centred_as_a_handwritten_one() -> None:
    images = draw_characters(np.random.default_rng(0), 20, (28, 28), "48")[..., 0]
    rows, columns = np.indices((28, 28))

    for image in images:
        inked = np.argwhere(image > 0)
        assert 20 >= (inked.max(axis=0) - inked.min(axis=0) + 1).max() >= 18
        for where in (rows, columns):
            assert abs((where * image).sum() / image.sum() - 14) <= 1
