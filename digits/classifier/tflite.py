"""A calibrated classifier as a TensorFlow Lite flatbuffer, the same bytes for the same model.

The weights go in as constants, and batch norm as the product and sum that it comes to, computed by NumPy:
left to itself, the converter would compute `rsqrt` with what the CPU has.
Nothing of the result depends on the number of images, which whoever asks may choose.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from digits.classifier.detector import DIGIT

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    Affine = tuple[np.ndarray, np.ndarray]


def flatbuffer(model: keras.Sequential, detector: list[np.ndarray]) -> bytes:
    """Convert a classifier of Keras's own layers and its detector, after `digits.backend.runtime.start`.

    Returns:
        A network that maps float32 images (N, H, W, C) to probabilities (N, classes) and scores (N,).
    """
    import tensorflow as tf

    layers = [(layer, layer.get_weights()) for layer in model.layers]
    shape = (None, *model.input_shape[1:])

    def answer(images: tf.Tensor) -> dict[str, tf.Tensor]:
        *hidden, (_, weights) = layers
        features, affine = _through(hidden, images)
        first, second = detector[:2], detector[2:]
        return {
            "probabilities": tf.nn.softmax(_dense(features, *_with_affine(weights, affine))),
            "score": tf.nn.softmax(
                _dense(tf.nn.relu(_dense(features, *_with_affine(first, affine))), *second)
            )[:, DIGIT],
        }

    signature = [tf.TensorSpec(shape, tf.float32, name="images")]
    traced = tf.function(answer, input_signature=signature).get_concrete_function()
    module = tf.Module()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], module)
    return bytes(converter.convert())


def _through(
    layers: list[tuple[keras.Layer, list[np.ndarray]]], values: tf.Tensor
) -> tuple[tf.Tensor, Affine | None]:
    """Lead images through layers; give the values, and the factors and offsets still owed to them."""
    import keras
    import tensorflow as tf

    owed: Affine | None = None
    for layer, weights in layers:
        if isinstance(layer, keras.layers.Dropout):
            continue
        if isinstance(layer, keras.layers.Dense):
            weights, owed = _with_affine(weights, owed), None
        elif owed:
            values, owed = values * owed[0] + owed[1], None
        if isinstance(layer, keras.layers.BatchNormalization):
            owed = _affine(weights, layer.epsilon)
            if len(values.shape) == 4:
                values, owed = values * owed[0] + owed[1], None
        elif isinstance(layer, keras.layers.Flatten):
            values = tf.reshape(values, [-1, math.prod(values.shape[1:])])
        else:
            values = layer.stateless_call([tf.constant(each) for each in weights], [], values)[0]
    return values, owed


def _affine(weights: list[np.ndarray], epsilon: float) -> Affine:
    """Give the factor and the offset of each channel that batch norm of these weights comes to."""
    gamma, beta, mean, variance = (each.astype(np.float64) for each in weights)
    factor = gamma / np.sqrt(variance + epsilon)
    return factor.astype(np.float32), (beta - mean * factor).astype(np.float32)


def _with_affine(weights: list[np.ndarray], affine: Affine | None) -> list[np.ndarray]:
    """Let a dense layer's weights do what its input would have had to be multiplied with and added to."""
    if affine is None:
        return weights
    kernel, *bias = (each.astype(np.float64) for each in weights)
    factor, offset = (each.astype(np.float64) for each in affine)
    # An exact sum has one value, however wide the registers are in which a CPU would add.
    added = np.array([math.fsum(column) for column in (offset[:, None] * kernel).T])
    return [(factor[:, None] * kernel).astype(np.float32), (added + sum(bias)).astype(np.float32)]


def _dense(values: tf.Tensor, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    import tensorflow as tf

    return tf.nn.bias_add(values @ tf.constant(kernel), tf.constant(bias))
