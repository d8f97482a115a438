"""Batches of images, shuffled and augmented as the seed and the epoch's number alone decide.

The module imports TensorFlow: import it in functions, after `digits.backend.runtime.start`.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from digits.files import Arrays

Augment = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

PLAIN = tf.data.Options()
# The optimizer would make maps parallel, for which this data is too small, and print a warning.
PLAIN.experimental_optimization.apply_default_optimizations = False
# There is nothing to tune, and the end of a dataset waits for the sleeping tuner: up to ten seconds.
PLAIN.autotune.enabled = False


def training_batches(
    train: Arrays, batch_size: int, augment: Augment, seed: int, first_epoch: int
) -> tf.data.Dataset:
    """Return the batches of all epochs from `first_epoch` (0-based) on, each epoch in its own order.

    An epoch's order and augmentation depend on `seed` and its number only, so a resumed run sees the same
    batches as an uninterrupted one.

    Args:
        train: `images` (N, H, W, C), float32 or uint8 in 255ths, and integer `labels` (N,).
        batch_size: images in a batch; the last batch of an epoch has the rest.
        augment: maps the images (B, H, W, C) of a batch and a key of two integers to augmented images.
        seed: the run's seed.
        first_epoch: number of the first epoch.

    Returns:
        An endless dataset of (images, labels), the images as float32.
    """
    gather = _gatherer(train["images"], train["labels"])
    positions = tf.range(len(train["labels"]), dtype=tf.int64)

    def batches_of(epoch: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(positions, key, alg="philox")
        return (
            tf.data.Dataset.from_tensor_slices(order).batch(batch_size).map(lambda chosen: batch(chosen, key))
        )

    def batch(chosen: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = gather(chosen)
        return augment(images, tf.random.fold_in(key, chosen[0], alg="philox")), labels

    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    return epochs.flat_map(batches_of).prefetch(2).with_options(PLAIN)


def batches_in_order(*arrays: np.ndarray, batch_size: int = 256) -> tf.data.Dataset:
    """Return batches of tuples, a part of each of the `arrays` (N, ...), each example once and in order.

    Images (N, H, W, C) of uint8, in 255ths, become float32.
    """
    positions = tf.data.Dataset.range(len(arrays[0])).batch(batch_size)
    return positions.map(_gatherer(*arrays)).prefetch(2).with_options(PLAIN)


def _gatherer(*arrays: np.ndarray) -> Callable[[tf.Tensor], tuple[tf.Tensor, ...]]:
    """Return a function that selects examples from each array.

    It uses TensorFlow alone: a Python function would wait for the thread that trains.
    """
    tensors = [tf.convert_to_tensor(array) for array in arrays]
    # Not a constant of the graph, whose rounded reciprocal TensorFlow would multiply by instead.
    white = tf.constant(255, tf.float32)

    def examples(tensor: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
        values = tf.gather(tensor, chosen)
        is_bytes = tensor.dtype == tf.uint8 and tensor.shape.rank == 4
        return tf.cast(values, tf.float32) / white if is_bytes else values

    return lambda chosen: tuple(examples(tensor, chosen) for tensor in tensors)
