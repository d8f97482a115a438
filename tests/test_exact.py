"""The batch norm that gives the same bits everywhere is Keras's own in all but the last bits."""

from typing import Any

import numpy as np
import pytest

from digits.backend.models import probabilities

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]

SHAPES = [(7, 5, 4, 3), (7, 3), (1, 5, 4, 3), (1, 3)]


def layers(momentum: float, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return Keras's layer and the exact one, for values of `shape`, with the same odd weights."""
    import keras

    from digits.backend.exact import ExactBatchNormalization

    random = np.random.default_rng(1)
    weights = [random.random(shape[-1], np.float32) + 0.5 for _ in range(4)]
    pair = keras.layers.BatchNormalization(momentum=momentum), ExactBatchNormalization(momentum=momentum)
    for layer in pair:
        layer.build((None, *shape[1:]))
        layer.set_weights(weights)
    return pair


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


def test_batch_norm_behind_a_convolution_is_not_folded_into_it() -> None:
    """TensorFlow would do so, by an approximate `rsqrt`, which differs between CPUs."""
    import keras

    random = np.random.default_rng(0)
    images = random.random((8, 6, 6, 3), np.float32)
    convolution, norm = keras.layers.Conv2D(4, 3, use_bias=False), keras.layers.BatchNormalization()
    joined = keras.Sequential([keras.Input((6, 6, 3)), convolution, norm])
    norm.set_weights([random.random(weights.shape, np.float32) + 0.1 for weights in norm.get_weights()])
    first = keras.Sequential([keras.Input((6, 6, 3)), convolution])
    second = keras.Sequential([keras.Input((4, 4, 4)), norm])

    apart = probabilities(second, probabilities(first, images))

    assert np.array_equal(apart, probabilities(joined, images))


@pytest.mark.parametrize("shape", [(6, 6, 3), (50,)])
def test_by_its_averages_it_is_single_operations_that_every_cpu_rounds_alike(shape: tuple[int, ...]) -> None:
    """An approximate `rsqrt`, or a product and a sum in one, would change last bits."""
    import keras

    random = np.random.default_rng(0)
    norm = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input(shape), norm])
    norm.set_weights([random.random(shape[-1], np.float32) + 0.1 for _ in range(4)])
    gamma, beta, mean, variance = norm.get_weights()
    images = random.random((300, *shape), np.float32)

    factor = gamma / np.sqrt(variance + np.float32(norm.epsilon))

    assert np.array_equal(images * factor + (beta - mean * factor), probabilities(model, images))
