"""The trained network that finds ink, run by LiteRT, or by TensorFlow with the same bits on every CPU."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from digits.ink.look import SIDE
from digits.ink.network import Weights, forward, read_weights

if TYPE_CHECKING:
    from digits.ink.look import FindInk


def with_tensorflow(weights: Weights) -> FindInk:
    """Return what finds ink by TensorFlow's exact operations; call `digits.backend.runtime.start` before."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32)]
    answer = tf.function(lambda looks: forward(looks, weights), input_signature=signature, autograph=False)
    return lambda looks: np.asarray(answer(looks))


def read_packed(content: bytes) -> Weights:
    """Read the weights from the bytes of the file that `write_weights` wrote.

    Raises:
        DigitsError: they are damaged, or something else.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ink.npz"
        path.write_bytes(content)
        return read_weights(path)


def flatbuffer(weights: Weights) -> bytes:
    """Convert the network for LiteRT: the same bytes for the same weights."""
    import tensorflow as tf

    signature = [tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32, name="look")]
    traced = tf.function(lambda look: forward(look, weights), input_signature=signature, autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()], tf.Module())
    return bytes(converter.convert())
