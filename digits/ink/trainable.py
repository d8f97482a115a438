"""The network that finds ink as Keras trains it: with batch norm behind each convolution but the last.

TensorFlow is imported where it is used, after `digits.backend.runtime.start`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digits.ink.look import SIDE
from digits.ink.network import Operations, Weights, u_net

if TYPE_CHECKING:
    import keras


def build(widths: list[int], momentum: float) -> keras.Model:
    """Build the network for training, with initial weights drawn from Keras's global seed.

    It maps float32 images (N, SIDE, SIDE, 3) in [0, 1] to logits (N, SIDE, SIDE, CLASSES).
    """
    import keras

    from digits.backend.exact import ExactBatchNormalization

    class Layers:
        halved = staticmethod(keras.layers.MaxPooling2D())
        to_depth = staticmethod(keras.layers.Lambda(Operations.to_depth, (SIDE // 2, SIDE // 2, 12)))

        @staticmethod
        def to_space(values: Any) -> Any:
            _, height, width, channels = values.shape
            shape = (2 * height, 2 * width, channels // 4)
            return keras.layers.Lambda(Operations.to_space, shape)(values)

    def convolution(values: Any, width: int, size: int) -> Any:
        values = keras.layers.Conv2D(width, size, padding="same", use_bias=False)(values)
        values = ExactBatchNormalization(momentum=momentum)(values)
        return keras.layers.ReLU()(values)

    def last(values: Any, width: int, size: int) -> Any:
        return keras.layers.Conv2D(width, size, padding="same")(values)

    images = keras.Input((SIDE, SIDE, 3))
    return keras.Model(images, u_net(images, widths, convolution, last, Layers))


def folded(model: keras.Model) -> Weights:
    """Return the kernel and the bias of each convolution, with its batch norm in them."""
    import keras

    weights: Weights = []
    for layer in model.layers:
        values = [np.asarray(value, np.float64) for value in layer.get_weights()]
        if isinstance(layer, keras.layers.Conv2D):
            kernel, *bias = values
            weights.append((kernel, bias[0] if bias else np.zeros(kernel.shape[-1])))
        elif isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = values
            factor = gamma / np.sqrt(variance + layer.epsilon)
            weights[-1] = (weights[-1][0] * factor, beta - mean * factor)
    return [(kernel.astype(np.float32), bias.astype(np.float32)) for kernel, bias in weights]
