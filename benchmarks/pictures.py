"""Measure how many pictures of each kind are read rightly, and how many wrongly and sure.

Usage: python -m benchmarks.pictures [--number N] [--model FILE]     kinds that benchmarks.kinds draws
       python -m benchmarks.pictures FOLDER [--model FILE]           pictures of yours

A FOLDER has a labels.csv with the columns `file`, `kind`, and `digit`, or `reading` for several digits.
Digits of the drawn kinds are of MNIST's test part; the network reads them rightly, and with confidence,
in MNIST's own form.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.kinds import MANY, ONE, Writer
from digits.classifier.classifier import Classifier, load_classifier
from digits.files import read_arrays
from digits.prediction.predict import find_digits, predict_digit

SEED = 2026

# The confidence in MNIST's own form from which a digit is clear enough to be drawn.
CLEAR = 0.95

# A picture's kind, the picture, what stands in it, and whether that is several digits.
Task = tuple[str, Any, str, bool]


def drawn(classifier: Classifier, number: int) -> Iterator[Task]:
    """Yield `number` pictures of each kind."""
    test = read_arrays(Path("data/prepared/test.npz"), ("images", "labels"))
    answers = classifier.classify(test["images"])
    right = answers.probabilities.argmax(axis=1) == test["labels"]
    sure = right & (answers.probabilities.max(axis=1) >= CLEAR)
    images = np.rint(test["images"][sure, ..., 0] * 255).astype(np.uint8)
    for place, (name, kind) in enumerate([*ONE.items(), *MANY.items()]):
        random = np.random.default_rng([SEED, place])
        writer = Writer(random, images, test["labels"][sure])
        for _ in range(number):
            yield name, *kind(random, writer), name in MANY


def labelled(folder: Path) -> Iterator[Task]:
    """Yield the pictures that a folder's labels.csv names."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            many = "reading" in row
            yield row["kind"], folder / row["file"], row["reading" if many else "digit"], many


def read(picture: Any, many: bool, classifier: Classifier) -> tuple[str, bool]:
    """Return what is read in a picture, and whether that is sure."""
    if many:
        row = next((prediction.row for prediction in find_digits(picture, classifier)), None)
        return (row.digits, row.sure) if row else ("", False)
    prediction = predict_digit(picture, classifier)
    return ("" if prediction.box is None else str(prediction.digit)), prediction.sure


def main() -> None:
    """Print a table in Markdown with a row for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("--number", type=int, default=40, help="pictures of each drawn kind")
    parser.add_argument("--model", type=Path, default=Path("data/model.tflite"))
    arguments = parser.parse_args()
    classifier = load_classifier(arguments.model, "litert")

    tasks = labelled(arguments.folder) if arguments.folder else drawn(classifier, arguments.number)
    counts: dict[str, np.ndarray] = {}
    for kind, picture, expected, many in tasks:
        actual, sure = read(picture, many, classifier)
        right = actual == expected
        outcome = np.array([1, right, sure and not right, right and sure])
        for name in (kind, f"all of {'several digits' if many else 'one digit'}"):
            counts[name] = counts.get(name, 0) + outcome
    print("| pictures | number | right | wrong and sure | of the right ones, sure |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in sorted(counts, key=lambda name: name.startswith("all of")):
        number, right, wrong_and_sure, right_and_sure = counts[name].tolist()
        print(
            f"| {name} | {number:,} | {right / number:.1%} | {wrong_and_sure} |"
            f" {right_and_sure / max(1, right):.1%} |"
        )


if __name__ == "__main__":
    main()
