"""A classifier alone as an int8 TensorFlow Lite flatbuffer, with the same bytes for the same model.

The converter's own way is to run the network on some images by kernels that each CPU chooses, and to note
the ranges of all values. Here the ranges come from exact operations, and stand in the graph as fake
quantization, as after a training that knows of it.

Source: Jacob et al. (2018), "Quantization and training of neural networks for efficient
integer-arithmetic-only inference".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digits.classifier.tflite import affine_of

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    Range = tuple[float, float]

BITS = 8

# Weights that are all 0 have a range, too.
LEAST = np.float32(1e-6)


def int8_flatbuffer(model: keras.Sequential, images: np.ndarray) -> bytes:
    """Convert a classifier of Keras's own layers, after `digits.backend.runtime.start`.

    Args:
        model: ends in a Dense layer with a softmax.
        images: float32 (N, H, W, C) in [0, 1], which give the ranges of the values inside.

    Returns:
        A network that maps int8 images (N, H, W, C) to int8 probabilities (N, classes); its file says how
        these stand for numbers.
    """
    import tensorflow as tf

    steps = list(_steps(model, value_ranges(model, images)))

    def answer(image: tf.Tensor) -> tf.Tensor:
        values = _rounded(image, (0.0, 1.0))
        for step in steps:
            values = step(values)
        return tf.nn.softmax(tf.reshape(values, [-1, values.shape[-1]]), name="probabilities")

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="images")]
    traced = tf.function(answer, input_signature=signature, autograph=False).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def value_ranges(model: keras.Sequential, images: np.ndarray) -> list[Range]:
    """Return the least and the largest value that each layer gives for float32 images (N, H, W, C).

    Of the last layer it is before the softmax.
    """
    import keras

    from digits.backend.batches import batches_in_order
    from digits.backend.exact import exact_copy
    from digits.classifier.detector import BATCH

    copy = exact_copy(model)
    copy.layers[-1].activation = keras.activations.linear
    network = keras.Model(copy.inputs, [layer.output for layer in copy.layers])
    extremes = []
    for first in range(0, len(images), BATCH):
        outputs = network.predict(batches_in_order(images[first : first + BATCH]), verbose=0)
        extremes.append([(float(output.min()), float(output.max())) for output in outputs])
    return [
        (min(low for low, _ in each), max(high for _, high in each)) for each in zip(*extremes, strict=True)
    ]


@dataclass(frozen=True)
class _Weighted:
    """A convolution or a dense layer, with the batch norm right behind it and its ReLU.

    Batch norm behind anything else is one, too, in which each channel has a weight for itself alone.
    """

    kernel: np.ndarray
    bias: np.ndarray
    has_relu: bool
    range: Range
    strides: tuple[int, int] = (1, 1)
    padding: str = "valid"

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        most = np.maximum(np.abs(self.kernel).reshape(-1, self.kernel.shape[-1]).max(axis=0), LEAST)
        kernel = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            self.kernel, -most, most, BITS, narrow_range=True
        )
        values = tf.nn.conv2d(values, kernel, self.strides, self.padding.upper())
        values = tf.nn.bias_add(values, self.bias)
        return _rounded(tf.nn.relu(values) if self.has_relu else values, self.range)


def _steps(model: keras.Sequential, ranges: list[Range]) -> Iterator[Any]:
    """Yield functions of the values, one for each layer or for several that are computed at once."""
    import keras
    import tensorflow as tf

    layers = [
        (layer, limits)
        for layer, limits in zip(model.layers, ranges, strict=True)
        if not isinstance(layer, keras.layers.Dropout)
    ]

    def comes(kind: type) -> bool:
        return bool(layers) and isinstance(layers[0][0], kind)

    while layers:
        layer, limits = layers.pop(0)
        if isinstance(layer, keras.layers.Flatten):
            yield lambda values: tf.reshape(values, [-1, 1, 1, math.prod(values.shape[1:])])
            continue
        window, bias = {}, np.zeros(1)
        if isinstance(layer, keras.layers.BatchNormalization):
            kernel, bias = _alone(layer)
        elif isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            kernel, *biases = layer.get_weights()
            bias = biases[0] if biases else np.zeros(kernel.shape[-1])
            if isinstance(layer, keras.layers.Conv2D):
                window = {"strides": layer.strides, "padding": layer.padding}
        else:
            # It moves or leaves out values, or keeps the largest: all of them stay what eight bits can hold.
            yield layer
            continue
        has_relu = getattr(layer, "activation", None) is keras.activations.relu
        if not has_relu and comes(keras.layers.BatchNormalization):
            batch_norm, limits = layers.pop(0)
            factor, offset = affine_of(batch_norm.get_weights(), batch_norm.epsilon)
            kernel, bias = kernel * factor, bias * factor + offset
        if not has_relu and comes(keras.layers.ReLU):
            has_relu, limits = True, layers.pop(0)[1]
        if kernel.ndim == 2:
            # A dense layer is a convolution of a single position, of which each channel may have a scale.
            kernel = kernel[np.newaxis, np.newaxis]
        yield _Weighted(kernel.astype(np.float32), bias.astype(np.float32), has_relu, limits, **window)


def _alone(batch_norm: keras.layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel and the bias of a layer that does what batch norm does by its averages."""
    factor, offset = affine_of(batch_norm.get_weights(), batch_norm.epsilon)
    return np.diag(factor), offset


def _rounded(values: tf.Tensor, limits: Range) -> tf.Tensor:
    """Return values as eight bits can hold them, between limits that include 0."""
    import tensorflow as tf

    low, high = min(0.0, limits[0]), max(0.0, limits[1])
    return tf.quantization.fake_quant_with_min_max_args(values, low, high if high > low else low + 1, BITS)
