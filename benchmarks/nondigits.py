"""How often is what is no digit taken for one, and what does refusing cost? Prints a table in Markdown.

Usage: python -m benchmarks.nondigits [--model FILE] [--fashion FOLDER] [--fonts FOLDER]

Fashion-MNIST is Debian's package dataset-fashion-mnist; the fonts are any that the detector was not
trained on, such as those of the package fonts-liberation. What is not there is left out, and said to be.
"""

import argparse
import gzip
import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from digits.calibration.characters import LETTERS, character_image
from digits.classifier.classifier import Classifier, load_classifier
from digits.files import read_arrays

COUNT = 10_000


def noises(shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Return images of noise, (N, *shape) float32 in [0, 1], by name."""
    random = np.random.default_rng(2026)
    size = (COUNT, *shape)
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None, None, None]
    yield "blank, of 256 greys", np.broadcast_to(levels, (256, *shape)).copy()
    yield "uniform noise", random.random(size, np.float32)
    grey = random.standard_normal(size, np.float32)
    yield "Gaussian noise, deviation 0.25 around 0", np.clip(grey / 4, 0, 1)
    yield "Gaussian noise, deviation 0.25 around 0.5", np.clip(grey / 4 + 0.5, 0, 1)
    for share in (0.01, 0.05, 0.2):
        yield f"salt, {share:.0%} of the pixels", (random.random(size, np.float32) < share).astype(np.float32)


def letters(fonts: list[Path], shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Return images of all letters in all fonts: those that no digit looks like, and the others."""
    others = "".join(letter for letter in string.ascii_letters if letter not in LETTERS)
    for name, characters in (
        ("letters unlike any digit", LETTERS),
        (f"letters like a digit ({others})", others),
    ):
        images = [character_image(letter, font, shape[:2]) for font in fonts for letter in characters]
        yield f"{name}, in {len(fonts)} fonts", np.array(images, np.float32)[..., np.newaxis]


def fashion(folder: Path) -> np.ndarray:
    """Read the test images of Fashion-MNIST: float32 (10000, 28, 28, 1) in [0, 1]."""
    content = gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28, 1)
    return pixels.astype(np.float32) / np.float32(255)


def accepted(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    """Say of each image whether the classifier accepts its own answer."""
    answers = classifier.classify(images)
    return classifier.thresholds.accept(answers.probabilities, answers.score)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("data/model.tflite"))
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts/truetype/liberation"))
    arguments = parser.parse_args()
    classifier = load_classifier(arguments.model, "litert")

    print("| images | number | accepted |\n|---|---:|---:|")
    sets = [*noises(classifier.image_shape)]
    if fonts := sorted(arguments.fonts.glob("*.ttf")):
        sets += letters(fonts, classifier.image_shape)
    else:
        print(f"| letters | left out: no .ttf in {arguments.fonts} | |")
    if arguments.fashion.is_dir():
        sets.append(("Fashion-MNIST, test images", fashion(arguments.fashion)))
    else:
        print(f"| Fashion-MNIST | left out: no folder {arguments.fashion} | |")
    test = read_arrays(Path("data/prepared/test.npz"), ("images", "labels"))
    differ = test["labels"] != test["labels"][::-1]
    on_top = np.maximum(test["images"], test["images"][::-1])[differ]
    sets.append(("two of MNIST's digits on top of each other", on_top))
    for name, images in sets:
        print(f"| {name} | {len(images):,} | {accepted(classifier, images).mean():.2%} |")

    answers = classifier.classify(test["images"])
    sure = classifier.thresholds.accept(answers.probabilities, answers.score)
    right = answers.probabilities.argmax(axis=1) == test["labels"]
    print(
        f"| MNIST, test images | {len(sure):,} | {sure.mean():.2%}, of them {right[sure].mean():.2%} right |"
    )


if __name__ == "__main__":
    main()
