"""Artificial images that are no digits."""

import numpy as np
import pytest

from digits.calibration.characters import draw_characters
from digits.calibration.nondigits import (
    KINDS,
    KINDS_OF_ANYTHING,
    Kind,
    double_exposures,
    kinds_for,
    make_nondigits,
    mixtures,
    mosaics,
)
from digits.data.datasets import Dataset
from tests.tiny_dataset import dataset_from

SHAPES = [(28, 28, 1), (14, 14, 1), (20, 16, 3), (9, 7, 3)]
ALL = {**KINDS, **KINDS_OF_ANYTHING}


def digits(shape: tuple[int, ...], count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.random((count, *shape), np.float32), np.arange(count) % 10


def dataset(**changes: object) -> Dataset:
    return dataset_from().model_copy(update=changes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kinds", [KINDS, KINDS_OF_ANYTHING])
def test_there_are_as_many_as_digits_and_of_their_form(
    shape: tuple[int, ...], kinds: dict[str, Kind]
) -> None:
    images, labels = digits(shape)
    nondigits = np.concatenate([*make_nondigits(images, labels, kinds, seed=0)])

    assert (images.shape, np.float32) == (nondigits.shape, nondigits.dtype)
    assert 0 <= nondigits.min() <= nondigits.max() <= 1


@pytest.mark.parametrize("name", ALL)
def test_equal_seeds_give_equal_images_and_different_seeds_different_ones(name: str) -> None:
    images, labels = digits((28, 28, 1))
    first, second, other = (
        ALL[name](np.random.Generator(np.random.PCG64(seed)), images, labels) for seed in (0, 0, 1)
    )

    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert np.float32 == first.dtype


def test_the_digits_that_images_are_made_from_stay_unchanged() -> None:
    images, labels = digits((28, 28, 1))
    before = images.copy()
    list(make_nondigits(images, labels, ALL, seed=0))

    assert np.array_equal(before, images)


def test_a_mixture_shows_two_classes_on_top_of_each_other_side_by_side_or_one_above_the_other() -> None:
    labels = np.array([0, 1, 0, 1, 0, 1])
    images = np.zeros((6, 14, 14, 1), np.float32)
    # A point in the middle, light in one class and dark in the other.
    images[:, 7, 7, 0] = np.where(labels, 1, 0.5)
    on_top, beside, above = np.split(mixtures(np.random.default_rng(0), images, labels)[..., 0], 3)

    assert [1, 1] == on_top[:, 7, 7].tolist()
    assert [[0.5, 1], [1, 0.5]] == beside[:, 7, [5, 9]].tolist()
    assert [[0.5, 1], [1, 0.5]] == above[:, [5, 9], 7].tolist()
    assert [1, 1, 2, 2, 2, 2] == [np.count_nonzero(image) for image in [*on_top, *beside, *above]]


def test_a_double_exposure_has_half_of_each_of_two_classes() -> None:
    labels = np.array([0, 0, 1, 2])
    images = np.zeros((4, 1, 3, 3), np.float32)
    images[np.arange(4), 0, labels] = 1
    mixed = double_exposures(np.random.default_rng(0), images, labels)

    assert [[0, 0.5, 0.5]] * 4 == [sorted(image[0, :, 1].tolist()) for image in mixed]


def test_a_mosaic_has_two_classes_and_no_quarter_in_its_place() -> None:
    labels = np.array([0, 1, 0, 1])
    images = np.zeros((4, 2, 2, 2), np.float32)
    # The first channel tells the class, the second the quarter.
    images[..., 0] = labels[:, np.newaxis, np.newaxis]
    images[..., 1] = np.arange(4).reshape(2, 2)
    made = mosaics(np.random.default_rng(0), images, labels)

    for image, label in zip(made, labels, strict=True):
        assert [[1 - label, label]] * 2 == image[..., 0].tolist()
        assert [[3, 2], [1, 0]] == image[..., 1].tolist()


def test_colours_differ_where_images_have_them() -> None:
    images, labels = digits((20, 16, 3))
    for name in ("blank", "uniform noise", "salt", "clouds", "stripes"):
        made = KINDS_OF_ANYTHING[name](np.random.default_rng(0), images, labels)

        assert not np.array_equal(made[..., 0], made[..., 1]), name


def test_no_letter_or_shape_is_refused_where_classes_are_no_characters() -> None:
    kinds = kinds_for(dataset(characters=False, ground="any"))

    assert not {"letters", "more letters", "shapes", "scribbles", "pieces", "inverted"} & set(kinds)


def test_letters_that_are_classes_are_not_refused() -> None:
    few = kinds_for(dataset(classes=["A", "b", "7"]))
    all_of_them = kinds_for(dataset(classes=list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")))

    assert KINDS == kinds_for(dataset())
    assert "letters" in few
    assert few["letters"] not in KINDS.values()
    assert "letters" not in all_of_them


def test_a_printed_character_is_framed_and_centred_as_a_handwritten_one() -> None:
    images = draw_characters(np.random.default_rng(0), 20, (28, 28), "48")[..., 0]
    rows, columns = np.indices((28, 28))

    for image in images:
        inked = np.argwhere(image > 0)
        assert 20 >= (inked.max(axis=0) - inked.min(axis=0) + 1).max() >= 18
        for where in (rows, columns):
            assert abs((where * image).sum() / image.sum() - 14) <= 1
