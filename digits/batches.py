"""The order in which training sees the images, and how it moves them: a function of seed and epoch alone.

The module needs TensorFlow, and so it is imported where it is used, after `digits.runtime.start`.
"""

import tensorflow as tf

from digits.arrays import Arrays


def training_batches(
    train: Arrays, batch_size: int, shift: int, seed: int, first_epoch: int
) -> tf.data.Dataset:
    """Give the batches of all epochs from `first_epoch` (0-based) on, each epoch in an order of its own.

    An epoch's order and shifts depend on `seed` and its number only, so a run that continues at any epoch
    sees what a run from the start would have seen.

    Args:
        train: float32 `images` (N, H, W, C) and integer `labels` (N,).
        batch_size: images in a batch; the last batch of an epoch has what is left.
        shift: the largest distance in pixels by which an image is moved in each direction.
        seed: the run's seed.
        first_epoch: number of the first epoch that is wanted.

    Returns:
        An endless dataset of (images, labels).
    """
    images = tf.constant(train["images"])
    labels = tf.constant(train["labels"])
    positions = tf.range(len(train["labels"]), dtype=tf.int64)

    def batches_of(epoch: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(positions, key, alg="philox")
        batches = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return batches.map(lambda chosen: batch(chosen, key))

    def batch(chosen: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch_images = tf.gather(images, chosen)
        if shift:
            batch_images = shifted(batch_images, shift, tf.random.fold_in(key, chosen[0], alg="philox"))
        return batch_images, tf.gather(labels, chosen)

    return tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(batches_of).prefetch(2)


def shifted(images: tf.Tensor, shift: int, key: tf.Tensor) -> tf.Tensor:
    """Move each image (N, H, W, C) by its own whole number of pixels, from -`shift` to `shift` each way, over zeros.

    Args:
        images: float32 images.
        shift: the largest distance.
        key: two integers that seed the distances.
    """
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    distances = tf.random.stateless_uniform([2, count, 1], key, 0, 2 * shift + 1, tf.int32, alg="philox")
    padded = tf.pad(images, [[0, 0], [shift, shift], [shift, shift], [0, 0]])
    rows = tf.gather(padded, distances[0] + tf.range(height), batch_dims=1, axis=1)
    return tf.gather(rows, distances[1] + tf.range(width), batch_dims=1, axis=2)
