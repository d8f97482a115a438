"""Read a photograph of a digit of MNIST's, and draw the steps to its answer into docs/steps.png.

Usage: python -m tools.steps, once `dvc repro` has made data/raw and data/model.tflite
"""

from pathlib import Path

import numpy as np

from benchmarks.scenes import photograph
from digits.figures.style import write_figure
from digits.prediction.explanation import explanation
from digits.prediction.predict import load_model, predict_digit

# A seed whose paper has lines and a shadow.
SEED, IMAGE = 22, 17


def main() -> None:
    """Write the picture."""
    with np.load("data/raw/mnist.npz") as raw:
        digit = raw["x_test"][IMAGE]
    picture = photograph(digit, np.random.default_rng(SEED))
    prediction = predict_digit(picture, load_model())
    write_figure(Path("docs/steps.png"), explanation("photograph.jpg", [prediction]))


if __name__ == "__main__":
    main()
