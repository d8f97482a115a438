"""The single operations that training, evaluation and pictures come to, for `tools/probe.py` to hash."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from digits.training.recipes import Augmentation

# A result's name, and what computes it.
Operation = tuple[str, Callable[[], Any]]


@dataclass(frozen=True)
class Operands:
    """What the operations are applied to: float32 tensors of one seed, and a key."""

    images: Any
    pixels: Any
    positive: Any
    kernel: Any
    matrix: Any
    key: Any


def operands() -> Operands:
    """Draw the operands."""
    import tensorflow as tf

    random = np.random.Generator(np.random.PCG64(7))
    images = tf.constant(random.standard_normal((16, 13, 13, 32), np.float32))
    return Operands(
        images=images,
        pixels=tf.reshape(images, [-1, 32])[:128],
        positive=tf.abs(images) + 0.001,
        kernel=tf.constant(random.standard_normal((3, 3, 32, 64), np.float32) / 17),
        matrix=tf.constant(random.standard_normal((32, 10), np.float32)),
        key=tf.constant([1, 2], tf.int64),
    )


def both(forward: Callable[[Any], Any], values: Any) -> Callable[[], Any]:
    """Return a function that computes `forward(values)` and its gradient."""
    import tensorflow as tf

    @tf.function
    def run() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = forward(values)
        return [result, tape.gradient(result, values)]

    return run


def operations() -> Iterator[Operation]:
    """Yield the single operations of a training step, forward and backward, by name."""
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    given = operands()
    for group in (layer_operations, update_operations, loss_operations, elementwise, drawn):
        yield from group(given)


def layer_operations(given: Operands) -> Iterator[Operation]:
    """Yield the operations of the layers."""
    import keras
    import tensorflow as tf

    from digits.backend.exact import ExactBatchNormalization

    images, kernel = given.images, given.kernel
    scale_, offset = tf.ones(32) * 1.1, tf.ones(32) * 0.1
    dropout = keras.layers.Dropout(0.25, seed=1)

    averaged = ExactBatchNormalization()
    averaged.build(images.shape)
    averaged.set_weights([tf.linspace(low, 1.5, 32) for low in (0.5, -1.0, 0.1, 0.3)])

    def batch_norm(values: tf.Tensor) -> tf.Tensor:
        return tf.raw_ops.FusedBatchNormV3(x=values, scale=scale_, offset=offset, mean=[], variance=[])[0]

    yield "convolution", both(lambda values: tf.nn.conv2d(images, values, 1, "VALID"), kernel)
    yield "convolution of images", both(lambda values: tf.nn.conv2d(values, kernel, 1, "VALID"), images)
    yield "matrix product", both(lambda values: given.pixels @ values, given.matrix)
    yield "bias and relu", both(lambda values: tf.nn.relu(tf.nn.bias_add(values, offset)), images)
    yield "max pooling", both(lambda values: tf.nn.max_pool2d(values, 2, 2, "VALID"), images)
    yield "fused batch norm", both(batch_norm, images)
    yield "batch norm by averages", tf.function(lambda: [averaged(images)])
    yield "dropout", both(lambda values: dropout(values, training=True), images)


def update_operations(given: Operands) -> Iterator[Operation]:
    """Yield the operations of the optimizer."""
    import keras
    import tensorflow as tf

    adam, weights = keras.optimizers.Adam(0.001), keras.Variable(given.kernel)
    adam.build([weights])

    @tf.function
    def two_steps() -> list[tf.Tensor]:
        for gradient in (given.kernel, tf.square(given.kernel)):
            adam.apply([gradient], [weights])
        return [tf.identity(variable) for variable in (weights, *adam.variables)]

    yield "Adam", two_steps


def loss_operations(given: Operands) -> Iterator[Operation]:
    """Yield the operations from the last layer to the loss."""
    import tensorflow as tf

    labels = tf.range(128) % 10
    smoothed = tf.one_hot(labels, 10) * 0.9 + 0.01

    def plain(values: tf.Tensor) -> tf.Tensor:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, given.pixels @ values)

    def of_smoothed_labels(values: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax_cross_entropy_with_logits(smoothed, given.pixels @ values)

    yield "softmax", both(lambda values: tf.nn.softmax(given.pixels @ values), given.matrix)
    yield "cross-entropy", both(plain, given.matrix)
    yield "cross-entropy of smoothed labels", both(of_smoothed_labels, given.matrix)
    yield "mean", both(tf.reduce_mean, given.images)


def elementwise(given: Operands) -> Iterator[Operation]:
    """Yield elementwise functions."""
    import tensorflow as tf

    yield "square root", both(tf.sqrt, given.positive)
    yield "division", both(lambda values: 1.5 / values, given.positive)
    yield "exponential", both(tf.exp, given.images)
    # Without its gradient, which is a reciprocal.
    yield "logarithm", tf.function(lambda: [tf.math.log(given.positive)])
    # Known to differ, and why batch norm is computed by the fused operation: docs/reproducibility.md.
    yield "(rsqrt)", both(tf.math.rsqrt, given.positive)
    yield "(reciprocal)", both(tf.math.reciprocal, given.positive)


def drawn(given: Operands) -> Iterator[Operation]:
    """Yield the operations that use random numbers."""
    import tensorflow as tf

    from digits.training.augmentation import augmented

    warps = {"shift": 1, "rotation": 20, "scale": 0.2, "shear": 0.2, "elastic": 2, "elastic_spacing": 5}
    every_change = Augmentation.model_validate({**warps, "flip": 0.5, "brightness": 0.2, "contrast": 0.3})

    def shuffled() -> tf.Tensor:
        return tf.random.experimental.stateless_shuffle(tf.range(1000), given.key, alg="philox")

    yield "random numbers", tf.function(lambda: tf.random.stateless_uniform([1000], given.key, alg="philox"))
    yield "shuffle", tf.function(shuffled)
    yield "warped images", tf.function(lambda: [augmented(given.images, given.key, every_change)])
