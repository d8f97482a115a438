"""The network that finds ink: what it computes, how it is trained, and how it is asked."""

from pathlib import Path

import numpy as np
import pytest

from digits.classifier.classifier import with_litert
from digits.composing.stock import Stock
from digits.errors import DigitsError
from digits.ink.finding import read_packed
from digits.ink.look import SIDE
from digits.ink.network import read_weights, write_weights
from tests.seeing import dark_ink_network


def looks() -> np.ndarray:
    seen = np.full((2, SIDE, SIDE, 3), 0.9, np.float32)
    seen[0, 20:60, 31:40] = 0.1
    return seen


def test_weights_are_the_same_after_they_were_written_and_read(tmp_path: Path) -> None:
    write_weights(tmp_path / "ink.npz", dark_ink_network())

    for read in (read_weights(tmp_path / "ink.npz"), read_packed((tmp_path / "ink.npz").read_bytes())):
        for expected, actual in zip(dark_ink_network(), read, strict=True):
            assert all(np.array_equal(*pair) for pair in zip(expected, actual, strict=True))


def test_what_is_no_network_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match=r"^model.tflite: no readable network"):
        with_litert(b"no network", "model.tflite")
    with pytest.raises(DigitsError, match=r"not a \.npz archive"):
        read_packed(b"no archive")


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_the_network_finds_the_same_by_tensorflow_and_by_litert_pixel_by_pixel() -> None:
    from digits.ink.finding import flatbuffer, with_tensorflow

    exact = with_tensorflow(dark_ink_network())(looks())
    content = flatbuffer(dark_ink_network())

    assert content == flatbuffer(dark_ink_network())
    assert np.allclose(exact, with_litert(content, "ink.tflite")(looks()), atol=1e-5)
    expected = np.zeros((2, SIDE, SIDE), bool)
    expected[0, 20:60, 31:40] = True
    assert np.array_equal(expected, exact[..., 1] > 0.5)


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_folding_batch_norm_into_the_convolutions_changes_nothing_but_rounding() -> None:
    import keras
    import tensorflow as tf

    from digits.ink.network import forward
    from digits.ink.trainable import build, folded

    keras.utils.set_random_seed(0)
    model = build([4, 4, 8, 8], 0.5)
    random = np.random.default_rng(0)
    model.set_weights([random.uniform(0.2, 1, weights.shape) * 0.1 for weights in model.get_weights()])
    images = random.random((2, SIDE, SIDE, 3), np.float32)

    expected = tf.nn.softmax(model(images, training=False)).numpy()
    actual = forward(tf.constant(images), folded(model)).numpy()

    assert np.allclose(expected, actual, atol=1e-4)
    assert expected.std() > 0.01


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from digits.ink.train import Composing, InkParams, train
    from digits.training.recipes import OneCycle

    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 4:24, 12:16] = 1
    stock = Stock.of("learn", image, np.array([1]), seed=0)
    params = InkParams(
        seed=0,
        widths=[2, 2, 2, 2],
        batch_norm_momentum=0.5,
        epochs=2,
        pictures=8,
        batch_size=4,
        learning_rate=0.01,
        schedule=OneCycle(kind="one_cycle", warm_up=0.5, final=0.1),
        measured=2,
    )
    whole = train(stock, stock, params, tmp_path / "whole.npz", "key")
    batches = Composing._batches

    def interrupted(self: Composing, first: int, end: int):
        for number, batch in enumerate(batches(self, first, end)):
            if number == 3:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(Composing, "_batches", interrupted)
    with pytest.raises(BaseException):  # noqa: B017 (TensorFlow wraps what a generator raises)
        train(stock, stock, params, tmp_path / "checkpoint.npz", "key")
    monkeypatch.setattr(Composing, "_batches", batches)
    capsys.readouterr()
    resumed = train(stock, stock, params, tmp_path / "checkpoint.npz", "key")

    assert "resuming after epoch 1" in capsys.readouterr().out
    for expected, actual in zip(whole, resumed, strict=True):
        assert all(np.array_equal(*pair) for pair in zip(expected, actual, strict=True))
