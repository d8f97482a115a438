"""How images reach the network: in an order, and changed, as seed and epoch alone decide.

The module needs TensorFlow, and so it is imported where it is used, after `digits.backend.runtime.start`.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from digits.files import Arrays

Change = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

PLAIN = tf.data.Options()
# The optimizer would turn maps into parallel ones, for which this data is too small, and warn while at it.
PLAIN.experimental_optimization.apply_default_optimizations = False
# Nothing is left to tune, and the end of the batches would wait for a sleeping tuner: up to ten seconds.
PLAIN.autotune.enabled = False


def training_batches(
    train: Arrays, batch_size: int, changed: Change, seed: int, first_epoch: int
) -> tf.data.Dataset:
    """Give the batches of all epochs from `first_epoch` (0-based) on, each epoch in an order of its own.

    An epoch's order and changes depend on `seed` and its number only, so a run that continues at any epoch
    sees what a run from the start would have seen.

    Args:
        train: `images` (N, H, W, C), float32 or uint8 in 255ths, and integer `labels` (N,).
        batch_size: images in a batch; the last batch of an epoch has what is left.
        changed: gives the images (B, H, W, C) of a batch, each changed as a key of two integers decides.
        seed: the run's seed.
        first_epoch: number of the first epoch that is wanted.

    Returns:
        An endless dataset of (images, labels), the images as float32.
    """
    gathered = _gatherer(train["images"], train["labels"])
    positions = tf.range(len(train["labels"]), dtype=tf.int64)

    def batches_of(epoch: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(positions, key, alg="philox")
        return (
            tf.data.Dataset.from_tensor_slices(order).batch(batch_size).map(lambda chosen: batch(chosen, key))
        )

    def batch(chosen: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = gathered(chosen)
        return changed(images, tf.random.fold_in(key, chosen[0], alg="philox")), labels

    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    return epochs.flat_map(batches_of).prefetch(2).with_options(PLAIN)


def batches_in_order(*arrays: np.ndarray, batch_size: int = 256) -> tf.data.Dataset:
    """Give tuples with a part of each of the `arrays` (N, ...), each example once and in order.

    Images (N, H, W, C) of uint8, in 255ths, become float32.
    """
    positions = tf.data.Dataset.range(len(arrays[0])).batch(batch_size)
    return positions.map(_gatherer(*arrays)).prefetch(2).with_options(PLAIN)


def _gatherer(*arrays: np.ndarray) -> Callable[[tf.Tensor], tuple[tf.Tensor, ...]]:
    """Give a function that takes the chosen examples from each array.

    All of it is TensorFlow's, since a function of Python's would wait for the thread that trains.
    """
    tensors = [tf.convert_to_tensor(array) for array in arrays]
    # No constant of the graph, which TensorFlow would replace by a product with a rounded reciprocal.
    white = tf.constant(255, tf.float32)

    def examples(tensor: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
        values = tf.gather(tensor, chosen)
        is_bytes = tensor.dtype == tf.uint8 and tensor.shape.rank == 4
        return tf.cast(values, tf.float32) / white if is_bytes else values

    return lambda chosen: tuple(examples(tensor, chosen) for tensor in tensors)
