"""Batch norm, dropout and Adam that compute what Keras's own do, with the same bits on every CPU.

Keras composes batch norm from small operations, `rsqrt` among them,
which x86 CPUs approximate each in its own way.
TensorFlow's fused operation, which oneDNN computes by square root and division,
answers exactly and in half the time.
Keras's dropout and Adam are exact too, and take more operations: docs/recipes.md has what that gains.
The module needs Keras, and so it is imported where it is used, after `digits.backend.runtime.start`.
"""

from typing import Any

import keras
import tensorflow as tf


class ExactBatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch norm over the last axis of (N, C) or (N, H, W, C), computed by the fused operation."""

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Normalize float32 `inputs` by their own moments in training, by the moving averages otherwise."""
        images = inputs if inputs.shape.rank == 4 else inputs[:, tf.newaxis, tf.newaxis, :]
        training = bool(training) and self.trainable
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=images,
            scale=self.gamma,
            offset=self.beta,
            mean=[] if training else self.moving_mean,
            variance=[] if training else self.moving_variance,
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            # The operation gives the unbiased variance; Keras's moving average is one of the biased variance.
            count = tf.cast(tf.size(images) / tf.shape(images)[-1], tf.float32)
            self._update(self.moving_mean, mean)
            self._update(self.moving_variance, variance * ((count - 1) / count))
        return tf.reshape(outputs, tf.shape(inputs))

    def _update(self, average: keras.Variable, value: tf.Tensor) -> None:
        average.assign(average * self.momentum + value * (1.0 - self.momentum))


class ExactDropout(keras.layers.Dropout):
    """Keras's dropout, which draws 16 random bits for a unit instead of a float32.

    A unit is dropped with a probability of `rate` rounded to a whole number of 65536ths.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """In training, zero a share `rate` of the float32 `inputs`, and divide the rest by `1 - rate`."""
        if not training or not self.rate:
            return inputs
        count = tf.size(inputs)
        words = tf.random.stateless_uniform(
            [(count + 1) // 2], self.seed_generator.next(), None, None, tf.uint32, alg="philox"
        )
        bits = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:count]
        # A product, since TensorFlow would turn the quotient into one with an approximate reciprocal.
        kept = tf.cast(bits >= round(self.rate * 2**16), tf.float32) * (1 / (1 - self.rate))
        return inputs * tf.reshape(kept, tf.shape(inputs))


class ExactAdam(keras.optimizers.Adam):
    """Keras's Adam, with the dozen operations for each variable's step in one."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Change a trainable `variable` and its two moments by its `gradient`."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


# What stands in for which of Keras's own layers.
EXACT: dict[type, Any] = {
    keras.layers.BatchNormalization: ExactBatchNormalization,
    keras.layers.Dropout: ExactDropout,
}


def exact_copy(model: keras.Sequential) -> keras.Sequential:
    """Copy a model of Keras's own layers, with its weights, into one whose bits every CPU computes alike."""

    def exact(layer: keras.Layer) -> keras.Layer:
        return EXACT.get(type(layer), type(layer)).from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=exact)
    copy.set_weights(model.get_weights())
    return copy
