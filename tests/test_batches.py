"""The order of the images and what is changed in them are functions of seed and epoch."""

import itertools
from typing import Any

import numpy as np
import pytest

from digits.data.preparation import scale
from digits.files import Arrays

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]

Batches = list[tuple[np.ndarray, np.ndarray]]


def ten_images() -> Arrays:
    images = np.random.default_rng(0).random((10, 4, 3, 1), np.float32)
    return {"images": images, "labels": np.arange(10, dtype=np.uint8)}


def batches(count: int, first_epoch: int = 0, seed: int = 0, shift: int = 0) -> Batches:
    """Give the first `count` batches of four images, three to an epoch."""
    from digits.backend.batches import training_batches
    from digits.training.augmentation import shifted

    def changed(images: Any, key: Any) -> Any:
        return shifted(images, shift, key)

    dataset = training_batches(ten_images(), 4, changed, seed, first_epoch)
    return [(images.numpy(), labels.numpy()) for images, labels in dataset.take(count)]


def order(some: Batches) -> list[int]:
    return np.concatenate([labels for _, labels in some]).tolist()


def same(some: Batches, others: Batches) -> bool:
    pairs = zip(itertools.chain(*some), itertools.chain(*others), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def test_an_epoch_has_every_image_once() -> None:
    two_epochs = batches(6)

    assert [4, 4, 2, 4, 4, 2] == [len(labels) for _, labels in two_epochs]
    assert [*range(10)] == sorted(order(two_epochs[:3])) == sorted(order(two_epochs[3:]))


def test_an_image_keeps_its_label() -> None:
    expected = ten_images()["images"]
    for images, labels in batches(3):
        assert np.array_equal(expected[labels], images)


def test_each_epoch_has_an_order_of_its_own() -> None:
    epochs = batches(9)

    assert 3 == len({tuple(order(epochs[first : first + 3])) for first in (0, 3, 6)})


def test_each_seed_has_an_order_of_its_own() -> None:
    assert order(batches(3, seed=1)) != order(batches(3, seed=2))


@pytest.mark.parametrize("shift", [0, 1])
def test_a_run_that_begins_later_sees_the_same_batches(shift: int) -> None:
    assert same(batches(9, shift=shift)[6:], batches(3, first_epoch=2, shift=shift))


def test_each_epoch_shifts_an_image_anew() -> None:
    def shifted_images(epoch: int) -> np.ndarray:
        some = batches(3, first_epoch=epoch, shift=1)
        return np.concatenate([images for images, _ in some])[np.argsort(order(some))]

    assert not np.array_equal(shifted_images(0), shifted_images(1))


def test_no_thread_that_tunes_the_batches_is_waited_for_at_the_end() -> None:
    """It would sleep for up to ten seconds at a time, and not wake when nobody wants another batch."""
    from digits.backend.batches import batches_in_order, training_batches

    images = ten_images()
    datasets = [
        training_batches(images, 4, lambda images, _: images, seed=0, first_epoch=0),
        batches_in_order(images["images"]),
    ]

    assert [False, False] == [dataset.options().autotune.enabled for dataset in datasets]


def test_images_in_bytes_reach_the_network_as_the_scaled_ones_do() -> None:
    from digits.backend.batches import batches_in_order

    images = np.arange(256, dtype=np.uint8).reshape(2, 16, 8)
    (bytes_given, scaled_given) = next(iter(batches_in_order(images[..., np.newaxis], scale(images))))

    assert bytes_given.dtype == scaled_given.dtype
    assert np.array_equal(bytes_given, scaled_given)


def test_other_batches_give_every_example_once_and_in_order() -> None:
    from digits.backend.batches import batches_in_order

    numbers = np.arange(7)
    given = [
        (one.numpy().tolist(), two.numpy().tolist())
        for one, two in batches_in_order(numbers, -numbers, batch_size=3)
    ]

    assert [([0, 1, 2], [0, -1, -2]), ([3, 4, 5], [-3, -4, -5]), ([6], [-6])] == given
