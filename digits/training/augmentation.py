"""Moving and warping images, each in its own way, as a key alone decides.

Only operations that every CPU computes alike are used: random bits, sums, products, and a matrix product.
The module needs TensorFlow, and so it is imported where it is used, after `digits.backend.runtime.start`.
"""

import math

import numpy as np
import tensorflow as tf

from digits.training.recipes import Augmentation

# Numbers that a warp draws for an image beside the displacements: angle, two scales, shear.
LINEAR = 4


def augmented(images: tf.Tensor, key: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Warp and move each image as `augmentation` says.

    Args:
        images: float32 images (N, H, W, C).
        key: two integers that seed the changes.
        augmentation: how far an image may be changed; what is 0 is left out.
    """
    if any((augmentation.rotation, augmentation.scale, augmentation.shear, augmentation.elastic)):
        images = warped(images, augmentation, tf.random.fold_in(key, 1, alg="philox"))
    return shifted(images, augmentation.shift, key) if augmentation.shift else images


def shifted(images: tf.Tensor, shift: int, key: tf.Tensor) -> tf.Tensor:
    """Move each image by its own whole number of pixels, from -`shift` to `shift` each way, over zeros.

    Args:
        images: float32 images (N, H, W, C).
        shift: the largest distance.
        key: two integers that seed the distances.
    """
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    distances = tf.random.stateless_uniform([2, count, 1], key, 0, 2 * shift + 1, tf.int32, alg="philox")
    padded = tf.pad(images, [[0, 0], [shift, shift], [shift, shift], [0, 0]])
    rows = tf.gather(padded, distances[0] + tf.range(height), batch_dims=1, axis=1)
    # Columns are moved as rows, since whole rows are copied at once.
    columns = tf.gather(_transposed(rows), distances[1] + tf.range(width), batch_dims=1, axis=1)
    return _transposed(columns)


def _transposed(images: tf.Tensor) -> tf.Tensor:
    return tf.transpose(images, [0, 2, 1, 3])


def warped(images: tf.Tensor, augmentation: Augmentation, key: tf.Tensor) -> tf.Tensor:
    """Turn, scale, shear and pull about each image (N, H, W, C), over zeros, between pixels bilinearly.

    The elastic displacements follow Simard, Steinkraus and Platt (2003), "Best practices for
    convolutional neural networks applied to visual document analysis", but for the smoothing:
    each is a cubic spline over a grid of control points, and so a product with a fixed matrix.
    """
    height, width = images.shape[1], images.shape[2]
    basis = np.kron(
        cubic_spline(height, augmentation.elastic_spacing), cubic_spline(width, augmentation.elastic_spacing)
    )
    drawn = tf.random.stateless_uniform(
        [tf.shape(images)[0], LINEAR + 2 * len(basis)], key, -1, 1, alg="philox"
    )
    # Each pixel's place in the frame whose origin is the image's centre.
    rows, columns = np.indices((height, width), np.float32).reshape(2, -1)
    down, right = rows - np.float32((height - 1) / 2), columns - np.float32((width - 1) / 2)
    (down_down, down_right), (right_down, right_right) = linear_maps(
        drawn[:, :LINEAR, tf.newaxis], augmentation
    )
    down, right = down_down * down + down_right * right, right_down * down + right_right * right
    if augmentation.elastic:
        pulls = tf.reshape(drawn[:, LINEAR:], [-1, len(basis)])
        pulled = tf.reshape(pulls @ basis.astype(np.float32), [-1, 2, height * width])
        down, right = (
            place + augmentation.elastic * pulled[:, axis] for axis, place in enumerate((down, right))
        )
    return sampled(images, down + (height - 1) / 2, right + (width - 1) / 2)


def linear_maps(drawn: tf.Tensor, augmentation: Augmentation) -> tuple[tuple[tf.Tensor, ...], ...]:
    """Give the rows of a 2 by 2 matrix per image, which scales, then shears, then rotates.

    Sine and cosine are the first terms of their series, off by at most 4e-6 at 45 degrees.
    A division by a constant would be rewritten into a product with an approximate reciprocal.

    Args:
        drawn: float32 (N, `LINEAR`, 1) in [-1, 1).
        augmentation: the largest angle, scale and shear.
    """
    angle = drawn[:, 0] * math.radians(augmentation.rotation)
    square = angle * angle
    cosine = 1 - square * (1 / 2 - square * (1 / 24 - square * (1 / 720)))
    sine = angle * (1 - square * (1 / 6 - square * (1 / 120 - square * (1 / 5040))))
    tall, wide = (1 + augmentation.scale * drawn[:, number] for number in (1, 2))
    shear = augmentation.shear * drawn[:, 3]
    return (cosine * tall, (cosine * shear - sine) * wide), (sine * tall, (sine * shear + cosine) * wide)


def cubic_spline(size: int, spacing: float) -> np.ndarray:
    """Give the cubic B-splines whose knots are `spacing` pixels apart: float64 (splines, `size`).

    Each pixel's values sum to 1. Powers would be computed by instructions that the CPU chooses.
    """
    places = np.arange(size) / spacing
    distances = np.abs(places - np.arange(-1, math.floor(places[-1]) + 3)[:, np.newaxis])
    near = 2 / 3 - distances * distances + distances * distances * distances / 2
    left = np.maximum(2 - distances, 0)
    return np.where(distances < 1, near, left * left * left / 6)


def sampled(images: tf.Tensor, down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Read images (N, H, W, C) at places between pixels, outside of which all is 0.

    Args:
        images: float32 images.
        down: float32 (N, H * W), the row of the place that each new pixel shows.
        right: the same for the column.
    """
    count, (height, width, channels) = tf.shape(images)[0], images.shape[1:]
    tall, wide = height + 2, width + 2
    padded = tf.pad(images, [[0, 0], [1, 2], [1, 2], [0, 0]])
    # A pixel, its right neighbour and the two below stand side by side, so that a place is read at once.
    four = [padded[:, row : row + tall, column : column + wide] for row in (0, 1) for column in (0, 1)]
    squares = tf.reshape(tf.stack(four, axis=3), [count, tall * wide, 4, channels])
    down, right = tf.clip_by_value(down + 1, 0, height + 1), tf.clip_by_value(right + 1, 0, width + 1)
    upper, left = tf.floor(down), tf.floor(right)
    below, beside = (down - upper)[..., tf.newaxis], (right - left)[..., tf.newaxis]
    read = tf.gather(squares, tf.cast(upper * wide + left, tf.int32), batch_dims=1)
    upper_left, upper_right, lower_left, lower_right = tf.unstack(read, axis=2)
    top = upper_left + beside * (upper_right - upper_left)
    bottom = lower_left + beside * (lower_right - lower_left)
    return tf.reshape(top + below * (bottom - top), tf.shape(images))
