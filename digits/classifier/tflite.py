"""A calibrated classifier as a TensorFlow Lite flatbuffer, with the same bytes for the same model.

Weights become constants. Batch norm becomes a factor and an offset, computed by NumPy and exact sums:
the converter would fold it with `rsqrt` and sums whose last bits depend on the CPU.
The flatbuffer takes any number of images.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from digits.classifier.detector import MEMBER

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    Affine = tuple[np.ndarray, np.ndarray]


def flatbuffer(model: keras.Sequential, detector: list[np.ndarray] | None = None) -> bytes:
    """Convert a classifier of Keras's own layers and its detector, after `digits.backend.runtime.start`.

    Returns:
        A network that maps float32 images (N, H, W, C) to probabilities (N, classes), and with a detector
        also to scores (N,).
    """
    import tensorflow as tf

    layers = [(layer, layer.get_weights()) for layer in model.layers]
    shape = (None, *model.input_shape[1:])

    def answer(images: tf.Tensor) -> dict[str, tf.Tensor]:
        *hidden, (_, weights) = layers
        features, affine = _through(hidden, images)
        answers = {"probabilities": tf.nn.softmax(_dense(features, *_with_affine(weights, affine)))}
        if detector:
            first, second = detector[:2], detector[2:]
            units = tf.nn.relu(_dense(features, *_with_affine(first, affine)))
            answers["score"] = tf.nn.softmax(_dense(units, *second))[:, MEMBER]
        return answers

    signature = [tf.TensorSpec(shape, tf.float32, name="images")]
    traced = tf.function(answer, input_signature=signature).get_concrete_function()
    module = tf.Module()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], module)
    return _probabilities_first(converter.convert())


def _probabilities_first(content: bytes) -> bytes:
    """Put the probabilities before the score: programs commonly read `get_output_details()[0]`."""
    from tensorflow.lite.python.schema_py_generated import Model

    changed = bytearray(content)
    graph = Model.GetRootAs(changed).Subgraphs(0)
    outputs = graph.OutputsAsNumpy()  # a view of the bytes
    outputs[:] = sorted(outputs, key=lambda tensor: -graph.Tensors(tensor).ShapeLength())
    return bytes(changed)


def _through(
    layers: list[tuple[keras.Layer, list[np.ndarray]]], values: tf.Tensor
) -> tuple[tf.Tensor, Affine | None]:
    """Pass images through layers; return the values, and factors and offsets still to be applied to them."""
    import keras
    import tensorflow as tf

    pending: Affine | None = None
    for layer, weights in layers:
        if isinstance(layer, keras.layers.Dropout):
            continue
        if isinstance(layer, keras.layers.Dense):
            weights, pending = _with_affine(weights, pending), None
        elif pending:
            values, pending = values * pending[0] + pending[1], None
        if isinstance(layer, keras.layers.BatchNormalization):
            factor, offset = affine_of(weights, layer.epsilon)
            pending = factor.astype(np.float32), offset.astype(np.float32)
            if len(values.shape) == 4:
                values, pending = values * pending[0] + pending[1], None
        elif isinstance(layer, keras.layers.Flatten):
            values = tf.reshape(values, [-1, math.prod(values.shape[1:])])
        else:
            values = layer.stateless_call([tf.constant(array) for array in weights], [], values)[0]
    return values, pending


def affine_of(weights: list[np.ndarray], epsilon: float) -> Affine:
    """Return factors and offsets, float64 (channels,), that batch norm with these weights amounts to."""
    gamma, beta, mean, variance = (array.astype(np.float64) for array in weights)
    factor = gamma / np.sqrt(variance + epsilon)
    return factor, beta - mean * factor


def _with_affine(weights: list[np.ndarray], affine: Affine | None) -> list[np.ndarray]:
    """Return a dense layer's weights with the factors and offsets of its input folded in."""
    if affine is None:
        return weights
    kernel, *bias = (array.astype(np.float64) for array in weights)
    factor, offset = (array.astype(np.float64) for array in affine)
    # Exact sums do not depend on the order in which a CPU adds.
    added = np.array([math.fsum(column) for column in (offset[:, None] * kernel).T])
    return [(factor[:, None] * kernel).astype(np.float32), (added + sum(bias)).astype(np.float32)]


def _dense(values: tf.Tensor, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    import tensorflow as tf

    return tf.nn.bias_add(values @ tf.constant(kernel), tf.constant(bias))
