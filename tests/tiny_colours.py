"""Small classifiers of colours, made as the pipeline makes its own: they name the nearest colour.

`python -m tests.tiny_colours FOLDER` writes NAME.tflite for each of MODELS there, and colours.keras.
TensorFlow runs in that process only, so tests can show that the classifier answers without it.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.backend import runtime
from digits.backend.models import save_model
from digits.classifier.metadata import Calibration, Thresholds, append_calibration
from digits.classifier.tflite import flatbuffer

# Of different widths in a terminal, and longer than a column.
COLOURS = ("red apple", "grüne Birne", "青い花")
LONG = tuple(f"{colour} of a kind that hardly anybody has ever heard of" for colour in COLOURS)
THRESHOLDS = Thresholds(confidence=0.6, score=0.5)


@dataclass(frozen=True)
class Kind:
    """The names of the classes, the first three of which are red, green and blue, and the form of images."""

    classes: tuple[str, ...] = COLOURS
    shape: tuple[int, int, int] = (12, 16, 3)
    framing: str = "fit"
    ground: str = "any"


MODELS = {
    "colours": Kind(),
    "cropped": Kind(framing="crop"),
    "grey": Kind(("dark", "light"), (12, 16, 1), ground="dark"),
    "large": Kind(shape=(128, 128, 3)),
    "long": Kind(LONG),
    "many": Kind((*COLOURS, *(f"shade {number}" for number in range(3, 1000)))),
    "digits": Kind(tuple("012"), (8, 8, 3)),
}


def main(folder: Path) -> None:
    runtime.start(runtime.RuntimeParams(threads=2, instructions="AVX2"))
    import keras

    for name, kind in MODELS.items():
        model = keras.Sequential(
            [
                keras.layers.Input(kind.shape),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(len(kind.classes), "softmax"),
            ]
        )
        kernel = np.zeros((kind.shape[2], len(kind.classes)), np.float32)
        bias = np.full(len(kind.classes), -4, np.float32)
        bias[:3] = 0
        if kind.shape[2] == 3:
            kernel[:, :3] = 10 * np.eye(3)
        else:
            kernel[0], bias = [-10, 10], np.array([5, -5], np.float32)
        model.layers[-1].set_weights([kernel, bias])
        # A detector with constant logits (0, 2), so that every score is 0.88.
        detector = [np.zeros(size, np.float32) for size in ((kind.shape[2], 4), (4,), (4, 2), (2,))]
        detector[-1][1] = 2
        calibration = Calibration(kind.classes, kind.shape, kind.framing, kind.ground, 1.0, THRESHOLDS)
        path = folder / f"{name}.tflite"
        path.write_bytes(flatbuffer(model, detector))
        append_calibration(path, calibration)
        if name == "colours":
            save_model(model, folder / "colours.keras")
            append_calibration(folder / "colours.keras", calibration, detector)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
