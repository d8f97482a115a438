"""A small classifier of printed digits, made as the pipeline makes its own.

`python -m tests.tiny_classifier FOLDER` writes model.tflite and calibrated.keras there.
TensorFlow runs in that process only, so tests can show that the classifier answers without it.
"""

import sys
from pathlib import Path

import numpy as np

from digits.backend import runtime
from digits.calibration.calibrate import save_calibrated
from digits.classifier.metadata import INK_FLATBUFFER, Calibration, Thresholds, append_calibration
from digits.classifier.tflite import flatbuffer
from digits.decoding.reading import read_picture
from digits.ink.look import SIDE
from digits.ink.network import CLASSES, write_weights
from digits.pictures.framing import frame_digit
from tests.drawing import drawn
from tests.seeing import LEAST, dark_ink_network, find_ink

HIDDEN = 32
SIZES = (20, 24, 28, 33, 40, 52, 64, 90)
THRESHOLDS = Thresholds(confidence=0.5, score=0.5)


def main(folder: Path) -> None:
    images = np.stack(
        [
            frame_digit(read_picture(drawn(str(digit), size)), find_ink).image
            for size in SIZES
            for digit in range(10)
        ]
    )
    labels = np.tile(np.arange(10), len(SIZES))
    moved = [np.roll(images, (down, right), (1, 2)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    runtime.start(runtime.RuntimeParams(threads=2, instructions="AVX2"))
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(HIDDEN, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.layers.Input((28, 28, 1)), *layers])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(np.concatenate(moved)[..., np.newaxis], np.tile(labels, len(moved)), epochs=15, verbose=0)

    # A detector with constant logits (0, 2), so that every score is 0.88.
    detector = [np.zeros(shape, np.float32) for shape in ((HIDDEN, 4), (4,), (4, 2), (2,))]
    detector[-1][1] = 2
    calibration = Calibration(tuple("0123456789"), (28, 28, 1), "mnist", "dark", 1.0, THRESHOLDS)
    write_weights(folder / "ink.npz", dark_ink_network())
    ink = (folder / "ink.npz").read_bytes()
    save_calibrated(model, calibration, detector, ink, folder / "calibrated.keras")
    flat = folder / "model.tflite"
    flat.write_bytes(flatbuffer(model, detector))
    append_calibration(flat, calibration, ink={INK_FLATBUFFER: ink_of_either_kind()})


def ink_of_either_kind() -> bytes:
    """Return a network for LiteRT that finds ink as `find_ink` does, with the mean for the median."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32)])
    def find(looks: tf.Tensor) -> tf.Tensor:
        levels = tf.reduce_mean(looks, axis=3, keepdims=True)
        ground = tf.reduce_mean(levels, axis=(1, 2), keepdims=True)
        ink = tf.clip_by_value((tf.abs(levels - ground) - LEAST) * 8, 0, 1)
        return tf.pad(tf.concat([1 - ink, ink], axis=3), [[0, 0], [0, 0], [0, 0], [0, CLASSES - 2]])

    converter = tf.lite.TFLiteConverter.from_concrete_functions([find.get_concrete_function()], tf.Module())
    return bytes(converter.convert())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
