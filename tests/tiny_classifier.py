"""A small classifier of printed digits, made as the pipeline makes its own.

`python -m tests.tiny_classifier FOLDER` writes model.tflite and calibrated.keras there.
TensorFlow runs in that process only, so tests can show that the classifier answers without it.
"""

import sys
from pathlib import Path

import numpy as np

from digits.backend import runtime
from digits.calibration.calibrate import save_calibrated
from digits.classifier.metadata import Calibration, Thresholds, append_calibration
from digits.classifier.tflite import flatbuffer
from digits.pictures.framing import frame_digit
from digits.pictures.reading import read_picture
from tests.drawing import drawn

HIDDEN = 32
SIZES = (20, 24, 28, 33, 40, 52, 64, 90)
THRESHOLDS = Thresholds(confidence=0.5, score=0.5)


def main(folder: Path) -> None:
    images = np.stack(
        [frame_digit(read_picture(drawn(str(digit), size))).image for size in SIZES for digit in range(10)]
    )
    labels = np.tile(np.arange(10), len(SIZES))
    moved = [np.roll(images, (down, right), (1, 2)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    runtime.start(2)
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(HIDDEN, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.layers.Input((28, 28, 1)), *layers])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(np.concatenate(moved)[..., np.newaxis], np.tile(labels, len(moved)), epochs=15, verbose=0)

    # A detector with constant logits (0, 2), so that every score is 0.88.
    detector = [np.zeros(shape, np.float32) for shape in ((HIDDEN, 4), (4,), (4, 2), (2,))]
    detector[-1][1] = 2
    calibration = Calibration(tuple("0123456789"), (28, 28, 1), 1.0, THRESHOLDS)
    save_calibrated(model, calibration, detector, folder / "calibrated.keras")
    flat = folder / "model.tflite"
    flat.write_bytes(flatbuffer(model, detector))
    append_calibration(flat, calibration)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
