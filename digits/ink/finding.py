"""The trained network that finds ink, run by LiteRT, or by TensorFlow with the same bits on every CPU."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from digits.errors import DigitsError
from digits.ink.network import CLASSES, Weights, forward, read_weights
from digits.pictures.look import SIDE

if TYPE_CHECKING:
    from digits.pictures.look import FindInk


def with_tensorflow(weights: Weights) -> FindInk:
    """Return what finds ink by TensorFlow's exact operations; call `digits.backend.runtime.start` before."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32)]
    answer = tf.function(lambda looks: forward(looks, weights), input_signature=signature, autograph=False)
    return lambda looks: np.asarray(answer(looks))


def with_litert(flatbuffer: bytes, name: str) -> FindInk:
    """Return what finds ink by LiteRT, for any number of threads.

    Raises:
        DigitsError: the `flatbuffer` of the file called `name` is no network that finds ink.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
        interpreter.allocate_tensors()
        (asked,), (answered,) = interpreter.get_input_details(), interpreter.get_output_details()
    except (ValueError, RuntimeError, KeyError, IndexError) as error:
        raise DigitsError(
            f"{name}: no readable network that finds ink ({' '.join(str(error).split())})"
        ) from error
    if [*asked["shape"]] != [1, SIDE, SIDE, 3] or [*answered["shape"]] != [1, SIDE, SIDE, CLASSES]:
        raise DigitsError(f"{name}: the network that finds ink is for other pictures")
    lock = threading.Lock()

    def find(looks: np.ndarray) -> np.ndarray:
        answers = np.empty((len(looks), SIDE, SIDE, CLASSES), np.float32)
        with lock:
            for look, answer in zip(looks, answers, strict=True):
                interpreter.set_tensor(asked["index"], look[np.newaxis])
                interpreter.invoke()
                answer[:] = interpreter.get_tensor(answered["index"])[0]
        return answers

    return find


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
