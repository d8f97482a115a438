"""Write docs/photograph.jpg, a photograph of an MNIST digit, and docs/steps.png, the steps to its answer.

Usage: python -m tools.steps, after `dvc repro`
"""

from pathlib import Path

import numpy as np

from benchmarks.scenes import photograph
from digits.figures.style import write_figure
from digits.files import read_arrays
from digits.prediction.explanation import explanation
from digits.prediction.predict import load_model, predict_digit

PHOTOGRAPH, STEPS = Path("docs/photograph.jpg"), Path("docs/steps.png")
# A seed whose paper has ruled lines and a shadow.
SEED, IMAGE = 22, 17


def main() -> None:
    """Write both pictures."""
    digit = read_arrays(Path("data/arrays/mnist.npz"), ("x_test",))["x_test"][IMAGE]
    photograph(digit, np.random.default_rng(SEED)).save(PHOTOGRAPH, quality=90)
    prediction = predict_digit(PHOTOGRAPH, load_model())
    write_figure(STEPS, explanation(PHOTOGRAPH.name, [prediction]))


if __name__ == "__main__":
    main()
