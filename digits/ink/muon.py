"""Muon: an optimizer that makes each step as large in all directions of a kernel.

The module imports Keras: import it in functions, after `digits.backend.runtime.start`.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf


class Muon(keras.optimizers.Muon):  # type: ignore[misc]
    """Keras's Muon, which takes the kernel (H, W, in, out) of a convolution as a matrix (H * W * in, out).

    Keras's own leaves these kernels to Adam, which here updates vectors and the kernel of the last layer.

    Source: Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural networks".
    Its steps are scaled so that they are as large as Adam's, as in Liu et al. (2025), "Muon is scalable for
    LLM training".

    Args:
        learning_rate: Muon's and Adam's.
        last_kernel: the kernel of the last layer.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        last_kernel: keras.Variable,
    ) -> None:
        super().__init__(learning_rate, weight_decay=None, adam_weight_decay=None)
        self.last_path = last_kernel.path

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 or variable.path == self.last_path

    def zeropower_via_newtonschulz5(self, x: tf.Tensor, steps: int) -> tf.Tensor:
        """Return the nearest matrix of orthogonal rows or columns, about, in the shape of `x`."""
        matrix = tf.reshape(x, [-1, x.shape[-1]])
        return tf.reshape(super().zeropower_via_newtonschulz5(matrix, steps), x.shape)

    def lr_adjust(self, x: tf.Tensor) -> tf.Tensor:
        """Scale a step, whose values would else be the smaller the larger the kernel is."""
        rows, columns = math.prod(x.shape[:-1]), x.shape[-1]
        return x * (self.rms_rate * math.sqrt(max(rows, columns)))
