"""Batch norm that computes what Keras's own does, with the same bits on every CPU.

Keras composes batch norm from small operations.
One of them is `rsqrt`, which each x86 CPU approximates in its own way.
TensorFlow's fused operation, which oneDNN computes by square root and division,
is exact and takes half the time.
The module imports Keras: import it in functions, after `digits.backend.runtime.start`.
"""

import keras
import tensorflow as tf


class ExactBatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch norm over the last axis of (N, C) or (N, H, W, C), computed by the fused operation."""

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Normalize float32 `inputs` by their own moments in training, by the moving averages otherwise."""
        if not (training and self.trainable):
            return self._by_averages(inputs)
        images = inputs if inputs.shape.rank == 4 else inputs[:, tf.newaxis, tf.newaxis, :]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=images,
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        # The operation returns the unbiased variance; Keras's moving average is of the biased one.
        count = tf.cast(tf.size(images) / tf.shape(images)[-1], tf.float32)
        self._update(self.moving_mean, mean)
        self._update(self.moving_variance, variance * ((count - 1) / count))
        return tf.reshape(outputs, tf.shape(inputs))

    def _by_averages(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalize by the moving averages: the fused operation divides each value by a square root anew."""
        # Without the check of a shape between them, TensorFlow would make one approximate `rsqrt` of the two.
        deviation = tf.ensure_shape(tf.sqrt(self.moving_variance + self.epsilon), self.gamma.shape)
        factor = self.gamma / deviation
        # Right behind a convolution TensorFlow would fold the factor into its kernel.
        return tf.ensure_shape(inputs, inputs.shape) * factor + (self.beta - self.moving_mean * factor)

    def _update(self, average: keras.Variable, value: tf.Tensor) -> None:
        average.assign(average * self.momentum + value * (1.0 - self.momentum))


def exact_copy(model: keras.Sequential) -> keras.Sequential:
    """Copy a model of Keras's own layers, with its weights; the copy gives the same bits on every CPU."""

    def exact(layer: keras.Layer) -> keras.Layer:
        is_batch_norm = isinstance(layer, keras.layers.BatchNormalization)
        kind = ExactBatchNormalization if is_batch_norm else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=exact)
    copy.set_weights(model.get_weights())
    return copy
