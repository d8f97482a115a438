"""Augmentation: warp, shift, mirror and light each image at random, as a key alone decides.

Only operations with the same bits on every CPU are used: random bits, sums, products, and a matrix product.
The module imports TensorFlow: import it in functions, after `digits.backend.runtime.start`.
"""

import math

import numpy as np
import tensorflow as tf

from digits.training.recipes import Augmentation

# Random numbers per image beside the elastic displacements: angle, two scales, shear.
LINEAR = 4


def augmented(images: tf.Tensor, key: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Return the images, each warped, shifted, mirrored and lit as `augmentation` says.

    Args:
        images: float32 images (N, H, W, C).
        key: two integers that seed the random numbers.
        augmentation: how far an image may be changed; 0 switches a change off.
    """
    if any((augmentation.rotation, augmentation.scale, augmentation.shear, augmentation.elastic)):
        images = warped(images, augmentation, tf.random.fold_in(key, 1, alg="philox"))
    if augmentation.shift:
        images = shifted(images, augmentation.shift, key)
    if augmentation.flip:
        images = flipped(images, augmentation.flip, tf.random.fold_in(key, 2, alg="philox"))
    if augmentation.brightness or augmentation.contrast:
        images = lit(images, augmentation, tf.random.fold_in(key, 3, alg="philox"))
    return images


def flipped(images: tf.Tensor, share: float, key: tf.Tensor) -> tf.Tensor:
    """Mirror a random `share` of the images (N, H, W, C), left for right."""
    drawn = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], key, alg="philox")
    return tf.where(drawn < share, images[:, :, ::-1], images)


def lit(images: tf.Tensor, augmentation: Augmentation, key: tf.Tensor) -> tf.Tensor:
    """Change the contrast and the brightness of each image (N, H, W, C) in [0, 1], and clip them.

    Contrast is taken about middle grey and not about the image's mean, a sum whose order could differ.
    """
    drawn = tf.random.stateless_uniform([2, tf.shape(images)[0], 1, 1, 1], key, -1, 1, alg="philox")
    contrast, brightness = 1 + augmentation.contrast * drawn[0], augmentation.brightness * drawn[1]
    return tf.clip_by_value((images - 0.5) * contrast + 0.5 + brightness, 0, 1)


def shifted(images: tf.Tensor, shift: int, key: tf.Tensor) -> tf.Tensor:
    """Shift each image by a random whole number of pixels, up to `shift` each way, and fill with zeros.

    Args:
        images: float32 images (N, H, W, C).
        shift: the largest distance in pixels.
        key: two integers that seed the random numbers.
    """
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    distances = tf.random.stateless_uniform([2, count, 1], key, 0, 2 * shift + 1, tf.int32, alg="philox")
    padded = tf.pad(images, [[0, 0], [shift, shift], [shift, shift], [0, 0]])
    rows = tf.gather(padded, distances[0] + tf.range(height), batch_dims=1, axis=1)
    # Columns are shifted as rows of the transposed images: whole rows are copied at once.
    columns = tf.gather(_transposed(rows), distances[1] + tf.range(width), batch_dims=1, axis=1)
    return _transposed(columns)


def _transposed(images: tf.Tensor) -> tf.Tensor:
    return tf.transpose(images, [0, 2, 1, 3])


def warped(images: tf.Tensor, augmentation: Augmentation, key: tf.Tensor) -> tf.Tensor:
    """Rotate, scale, shear and elastically deform each image (N, H, W, C), with bilinear interpolation.

    The elastic displacements follow Simard, Steinkraus and Platt (2003), "Best practices for
    convolutional neural networks applied to visual document analysis", except that they are smoothed
    by cubic splines over a grid of control points: a product with a fixed matrix.
    """
    height, width = images.shape[1], images.shape[2]
    basis = np.kron(
        cubic_spline(height, augmentation.elastic_spacing), cubic_spline(width, augmentation.elastic_spacing)
    )
    drawn = tf.random.stateless_uniform(
        [tf.shape(images)[0], LINEAR + 2 * len(basis)], key, -1, 1, alg="philox"
    )
    # Each pixel's coordinates from the image's centre.
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
    """Return the rows of a 2 by 2 matrix per image, which scales, then shears, then rotates.

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
    """Return the cubic B-splines with knots `spacing` pixels apart: float64 (splines, `size`).

    Each pixel's values sum to 1. Products stand for powers, which each CPU computes in its own way.
    """
    places = np.arange(size) / spacing
    distances = np.abs(places - np.arange(-1, math.floor(places[-1]) + 3)[:, np.newaxis])
    near = 2 / 3 - distances * distances + distances * distances * distances / 2
    left = np.maximum(2 - distances, 0)
    return np.where(distances < 1, near, left * left * left / 6)


def sampled(images: tf.Tensor, down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Interpolate images (N, H, W, C) at positions between pixels; outside of the images all is 0.

    Args:
        images: float32 images.
        down: float32 (N, H * W), the row from which each new pixel is read.
        right: the same for the column.
    """
    count, (height, width, channels) = tf.shape(images)[0], images.shape[1:]
    tall, wide = height + 2, width + 2
    padded = tf.pad(images, [[0, 0], [1, 2], [1, 2], [0, 0]])
    # A pixel, its right neighbour and the two below lie side by side: one gather reads all four.
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
