"""Images are moved and warped by the amounts that a recipe allows, each in its own way."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from digits.training.recipes import Augmentation
from tests.pipeline import NO_CHANGE

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]


def augmentation(**changes: float) -> Augmentation:
    return Augmentation.model_validate(NO_CHANGE | changes)


def augmented(images: np.ndarray, key: int = 1, **changes: float) -> Any:
    import tensorflow as tf

    from digits.training.augmentation import augmented

    return augmented(tf.constant(images), tf.constant([key, 2], tf.int64), augmentation(**changes)).numpy()


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, np.float32)


def moved(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """Move an image (H, W, C) of at least 2 by 2 pixels over zeros."""
    height, width = image.shape[:2]
    result = np.zeros_like(image)
    result[max(down, 0) : height + down, max(right, 0) : width + right] = image[
        max(-down, 0) : height - down, max(-right, 0) : width - right
    ]
    return result


def test_a_shift_moves_whole_pixels_over_zeros_in_all_directions_alike() -> None:
    import tensorflow as tf

    from digits.training.augmentation import shifted

    images = np.random.default_rng(0).random((1000, 5, 4, 2), np.float32) + 0.1
    results: Any = shifted(tf.constant(images), 2, tf.constant([1, 2], tf.int64)).numpy()
    counts = dict.fromkeys(itertools.product(range(-2, 3), repeat=2), 0)
    for image, result in zip(images, results, strict=True):
        [distance] = [distance for distance in counts if np.array_equal(moved(image, *distance), result)]
        counts[distance] += 1

    # 40 expected of each; a count's standard deviation is 6.2.
    assert 15 < min(counts.values()) <= max(counts.values()) < 65


def test_without_changes_the_images_stay_as_they_are() -> None:
    images = noise(3, 5, 4, 2)

    assert np.array_equal(images, augmented(images))


@pytest.mark.parametrize(
    "change",
    [
        {"rotation": 20},
        {"scale": 0.2},
        {"shear": 0.3},
        {"elastic": 3},
        {"brightness": 0.2},
        {"contrast": 0.5},
    ],
)
def test_a_change_changes_each_image_in_its_own_way_as_the_key_alone_decides(
    change: dict[str, float],
) -> None:
    images = np.repeat(noise(1, 28, 28, 1), 4, axis=0)
    results = augmented(images, **change)

    assert 4 == len({result.tobytes() for result in results})
    assert np.array_equal(results, augmented(images, **change))
    assert not np.array_equal(results, augmented(images, key=2, **change))


def test_the_share_of_images_that_a_flip_names_is_mirrored() -> None:
    images = noise(1000, 3, 4, 3)
    results = augmented(images, flip=0.25)
    mirrored = [np.array_equal(image[:, ::-1], result) for image, result in zip(images, results, strict=True)]
    kept = [np.array_equal(image, result) for image, result in zip(images, results, strict=True)]

    # A count's standard deviation is 13.7.
    assert 200 < sum(mirrored) < 300
    assert 1000 == sum(mirrored) + sum(kept)
    assert np.array_equal(images[:, :, ::-1], augmented(images, flip=1))


def test_brightness_moves_all_pixels_alike_and_contrast_moves_them_from_middle_grey() -> None:
    images = np.tile(np.array([0.4, 0.5, 0.7], np.float32).reshape(1, 1, 3, 1), (500, 1, 1, 1))
    lighter = augmented(images, brightness=0.2)[:, 0, :, 0]
    stronger = augmented(images, contrast=0.5)[:, 0, :, 0]

    np.testing.assert_allclose(lighter[:, 2] - lighter[:, 0], 0.3, atol=1e-6)
    assert 0.29 < lighter[:, 1].min() < 0.32 < 0.68 < lighter[:, 1].max() < 0.71
    np.testing.assert_allclose(0.5, stronger[:, 1], atol=1e-6)
    assert 0.59 < stronger[:, 2].min() < 0.61 < 0.79 < stronger[:, 2].max() < 0.81


def test_light_leaves_no_pixel_outside_of_black_and_white() -> None:
    results = augmented(noise(50, 5, 4, 3), brightness=1, contrast=1)

    assert (0, 1) == (results.min(), results.max())


def test_an_image_may_be_wide_and_have_several_channels() -> None:
    images = noise(2, 6, 9, 3)
    together = augmented(images, rotation=20, elastic=2)
    apart = [augmented(images[..., [channel]], rotation=20, elastic=2) for channel in range(3)]

    assert np.array_equal(together, np.concatenate(apart, axis=-1))


def test_a_place_between_pixels_is_a_weighted_mean_and_all_outside_is_zero() -> None:
    import tensorflow as tf

    from digits.training.augmentation import sampled

    image = tf.constant([[1.0, 2.0], [4.0, 8.0]], shape=[1, 2, 2, 1])
    places = [(0, 0), (0.5, 0), (0.25, 0.5), (-0.5, 1)]
    inside = sampled(image, *(tf.constant([row]) for row in zip(*places, strict=True)))
    outside = sampled(image, tf.constant([[-1.0, 2.0, -9.0, 0.0]]), tf.constant([[0.0, 1.0, 0.5, 99.0]]))

    # (1 + 4) / 2; a quarter of the way from (1 + 2) / 2 to (4 + 8) / 2; half of the 2 at the edge.
    assert [1.0, 2.5, 2.625, 1.0] == inside.numpy().ravel().tolist()
    assert [0.0] * 4 == outside.numpy().ravel().tolist()


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        # Angle, height, width and shear, each as a share of what is allowed: 30 degrees, 0.1, 0.2 and 0.5.
        ((1, 0, 0, 0), [[math.sqrt(3) / 2, -0.5], [0.5, math.sqrt(3) / 2]]),
        ((0, 1, -1, 0), [[1.1, 0], [0, 0.9]]),
        ((0, 0, 0, 0.5), [[1, 0.1], [0, 1]]),
        ((-1, 0, 0, 1), [[math.sqrt(3) / 2, 0.2 * math.sqrt(3) / 2 + 0.5], [-0.5, -0.1 + math.sqrt(3) / 2]]),
    ],
)
def test_an_image_is_turned_scaled_and_sheared_by_the_shares_that_are_drawn(
    drawn: tuple[float, ...], expected: list[list[float]]
) -> None:
    import tensorflow as tf

    from digits.training.augmentation import linear_maps

    numbers = tf.constant(drawn, tf.float32, shape=[1, 4, 1])
    maps = linear_maps(numbers, augmentation(rotation=30, scale=0.1, shear=0.2))

    np.testing.assert_allclose(expected, np.reshape(maps, [2, 2]), rtol=0, atol=1e-6)


def test_the_splines_are_smooth_and_sum_to_one() -> None:
    from digits.training.augmentation import cubic_spline

    splines = cubic_spline(28, 7)

    # Control points at -7, 0, 7 ... 35 pixels; on one of them, it and its neighbours weigh 4:1:1.
    assert (7, 28) == splines.shape
    np.testing.assert_allclose(1, splines.sum(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose([1 / 6, 2 / 3, 1 / 6], splines[:3, 0], rtol=0, atol=1e-12)


def test_elastic_pulls_stay_within_their_distance() -> None:
    """A bright column in the middle shows how far: it moves by less than the pull, and it does move."""
    images = np.zeros((200, 28, 28, 1), np.float32)
    images[:, :, 14] = 1
    columns = np.argmax(augmented(images, elastic=3)[:, 3:-3, :, 0], axis=2)

    assert 11 <= columns.min() < 14 < columns.max() <= 17
