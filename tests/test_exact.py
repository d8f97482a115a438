"""What computes the same bits everywhere is Keras's own in all but the last bits and the random draws."""

from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]

SHAPES = [(7, 5, 4, 3), (7, 3), (1, 5, 4, 3), (1, 3)]


def layers(momentum: float, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Give Keras's layer and the exact one, for values of `shape`, with the same odd weights."""
    import keras

    from digits.backend.exact import ExactBatchNormalization

    random = np.random.default_rng(1)
    weights = [random.random(shape[-1], np.float32) + 0.5 for _ in range(4)]
    made = keras.layers.BatchNormalization(momentum=momentum), ExactBatchNormalization(momentum=momentum)
    for layer in made:
        layer.build((None, *shape[1:]))
        layer.set_weights(weights)
    return made


def values(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).normal(2, 3, shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_answers_as_kerass_own(shape: tuple[int, ...]) -> None:
    stock, exact = layers(0.9, shape)

    np.testing.assert_allclose(stock(values(shape)), exact(values(shape)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.99])
def test_its_moving_averages_are_kerass_own(shape: tuple[int, ...], momentum: float) -> None:
    import tensorflow as tf

    stock, exact = layers(momentum, shape)
    answers = [tf.function(layer)(values(shape), training=True) for layer in (stock, exact)]

    np.testing.assert_allclose(*answers, rtol=0, atol=1e-5)
    for expected, actual in zip(stock.get_weights(), exact.get_weights(), strict=True):
        np.testing.assert_allclose(expected, actual, rtol=0, atol=1e-5)


def test_it_learns_as_kerass_own() -> None:
    import tensorflow as tf

    inputs = tf.constant(values((7, 5, 4, 3)))

    def gradients(layer: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.sin(layer(inputs, training=True)))
        return list(tape.gradient(loss, [inputs, layer.gamma, layer.beta]))

    for expected, actual in zip(*map(gradients, layers(0.9, (7, 5, 4, 3))), strict=True):
        np.testing.assert_allclose(expected, actual, rtol=0, atol=1e-4)


def test_a_frozen_layer_keeps_its_averages() -> None:
    _, exact = layers(0.9, (7, 3))
    exact.trainable = False
    before = exact.get_weights()
    exact(values((7, 3)), training=True)

    for expected, actual in zip(before, exact.get_weights(), strict=True):
        assert np.array_equal(expected, actual)


@pytest.mark.parametrize("rate", [0.25, 0.5, 0.3])
def test_dropout_drops_its_share_and_scales_the_rest(rate: float) -> None:
    import tensorflow as tf

    from digits.backend.exact import ExactDropout

    ones = tf.ones((101, 7, 7, 31))
    answers = tf.function(ExactDropout(rate, seed=1))(ones, training=True).numpy()
    dropped = np.mean(answers == 0)

    assert {np.float32(0), np.float32(1 / (1 - rate))} == set(answers.ravel())
    # Five standard errors.
    assert abs(dropped - rate) < 5 * np.sqrt(rate * (1 - rate) / answers.size)
    # Neighbours share a random word, and are dropped independently.
    both = np.mean((answers.ravel()[:-1:2] == 0) & (answers.ravel()[1::2] == 0))
    assert abs(both - rate**2) < 5 * np.sqrt(rate**2 * (1 - rate**2) / (answers.size / 2))


def test_dropout_draws_anew_at_each_step_and_passes_its_gradient() -> None:
    import tensorflow as tf

    from digits.backend.exact import ExactDropout

    layer, ones = ExactDropout(0.5, seed=1), tf.ones((64, 33))

    @tf.function
    def step() -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(ones)
            answers = layer(ones, training=True)
        return answers, tape.gradient(answers, ones)

    (first, gradient), (second, _) = step(), step()

    assert np.array_equal(first, gradient)
    assert not np.array_equal(first, second)
    assert np.array_equal(ones, layer(ones, training=False))


def test_adam_steps_as_kerass_own() -> None:
    import keras
    import tensorflow as tf

    from digits.backend.exact import ExactAdam

    random = np.random.default_rng(3)
    start = random.standard_normal((37, 5), np.float32)
    gradients = [random.standard_normal((37, 5), np.float32) * 10.0**power for power in (0, -3, 1, -8)]
    ended = []
    for kind in (keras.optimizers.Adam, ExactAdam):
        optimizer, weights = kind(0.01), keras.Variable(start)
        optimizer.build([weights])
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient, tf.float32)], [weights])
        ended.append([weights.numpy(), *(variable.numpy() for variable in optimizer.variables)])

    # One of them rounds 1 - 0.999 to float32, the other 0.999: a difference of 1.3e-5 of the second moment.
    for expected, actual in zip(*ended, strict=True):
        np.testing.assert_allclose(expected, actual, rtol=2e-5, atol=1e-7)


def test_a_copied_network_answers_as_the_original_and_leaves_it_alone() -> None:
    from digits.backend.exact import ExactBatchNormalization, exact_copy
    from tests.test_models import small_model

    model = small_model()
    before = model.get_weights()
    copy = exact_copy(model)
    images = np.random.default_rng(2).random((5, 14, 14, 1), np.float32)

    np.testing.assert_allclose(model(images), copy(images), rtol=0, atol=1e-5)
    assert 3 == sum(isinstance(layer, ExactBatchNormalization) for layer in copy.layers)
    assert not any(isinstance(layer, ExactBatchNormalization) for layer in model.layers)
    copy(images, training=True)
    assert all(np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))
