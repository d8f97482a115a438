"""Compute everything that a run computes, in small, and print the hash of each result as JSON.

Usage: python -m tools.probe [PART ...]   (see PARTS)

Run it on two machines and compare: equal hashes mean that the CPU makes no difference.
`tools/compare_cpus.py` runs it on emulated CPUs.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from digits.backend import runtime
from digits.backend.models import load_model, probabilities, save_model
from digits.calibration.calibrate import CalibrateParams, calibrate, save_calibrated
from digits.calibration.composed import read_composed
from digits.calibration.nondigits import KINDS, KINDS_OF_ANYTHING, make_nondigits
from digits.calibration.readings import no_readings
from digits.classifier.classifier import load_classifier
from digits.classifier.detector import DetectorParams
from digits.classifier.int8 import int8_flatbuffer
from digits.classifier.tflite import flatbuffer
from digits.composing.stock import Stock
from digits.data.datasets import DATASETS, read_dataset
from digits.data.preparation import scale
from digits.decoding import limits
from digits.decoding.reading import FORMATS
from digits.evaluation.metrics import EvaluateParams, details, evaluate
from digits.figures.confusion import confusion_matrix_figure
from digits.figures.mistakes import mistakes_gallery
from digits.figures.reliability import reliability_diagram
from digits.figures.style import write_figure
from digits.figures.training import training_curves
from digits.files import Arrays, Table, pixels, write_arrays
from digits.ink.finding import flatbuffer as flatbuffer_of_ink
from digits.ink.finding import read_packed, with_tensorflow
from digits.ink.look import FindInk
from digits.ink.network import write_weights
from digits.ink.train import InkParams, compose_batch
from digits.ink.train import train as train_ink
from digits.packing.reading import Form, read_fitted
from digits.params import Params
from digits.training.recipes import OneCycle, Recipe
from digits.training.train import train
from tools.operations import operations

STEPS = 3
CLASSES = tuple("0123456789")
# Large enough for a stride of the first convolution, and its sides differ.
COLOUR_SHAPE = (64, 48, 3)
DETECTOR = DetectorParams(units=64, epochs=2, batch_size=64, learning_rate=0.001)
CALIBRATION = CalibrateParams(
    seed=0,
    detector=DETECTOR,
    images=1000,
    wrong_at_most=0.5,
    wrong_of_composed_at_most=0.9,
    false_accepts_at_most=0.1,
)


def digest(value: Any) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of an array's bytes or of bytes."""
    content = value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def images_and_labels(count: int, seed: int) -> Arrays:
    """Draw images of strokes' density, and labels that name every class."""
    random = np.random.Generator(np.random.PCG64(seed))
    images = random.integers(0, 256, (count, 28, 28), np.uint8) * (random.random((count, 28, 28)) < 0.2)
    return {"images": scale(images.astype(np.uint8)), "labels": np.arange(count, dtype=np.uint8) % 10}


def short_parts(recipe: Recipe) -> list[Arrays]:
    """Return the training and the validation part of a short run."""
    return [images_and_labels(STEPS * recipe.batch_size, 1), images_and_labels(100, 2)]


def short_run(recipe: Recipe, folder: Path) -> tuple[Any, Table]:
    """Train for a few steps, on images in bytes as the stage does; give the model and the history."""
    parts = [{**part, "images": pixels(part["images"])} for part in short_parts(recipe)]
    return train(*parts, recipe=recipe, seed=0, checkpoint=folder / "checkpoint.npz", key=repr(recipe))


def weights_of(model: Any) -> np.ndarray:
    """Return all weights of a model in one row."""
    return np.concatenate([weights.ravel() for weights in model.get_weights()])


def whole_run(recipe: Recipe, evaluate_params: EvaluateParams, folder: Path) -> Iterator[tuple[str, Any]]:
    """Train for a few steps, evaluate and draw; give each output by name."""
    model, history = short_run(recipe, folder)
    yield "weights", weights_of(model)
    save_model(model, folder / "model.keras")
    yield "model.keras", (folder / "model.keras").read_bytes()
    yield "history", np.array(list(history.values()))

    yield from calibrated(model, short_parts(recipe), folder)
    test = images_and_labels(2000, 3)
    asked = 64
    answers = probabilities(model, test["images"][:asked])
    yield "probabilities", answers
    labels, accepted = test["labels"][:asked], answers.max(axis=1) > 0.5
    metrics = evaluate(answers, labels, accepted, history, 0.5, evaluate_params)
    further = details(answers, answers, labels, accepted, {}, evaluate_params)
    yield "metrics.json", json.dumps([metrics, further], sort_keys=True).encode()
    write_arrays(folder / "arrays.npz", test)
    yield "arrays.npz", (folder / "arrays.npz").read_bytes()

    # Answers as a trained model gives them: mostly right, mostly sure.
    random = np.random.Generator(np.random.PCG64(5))
    actual = test["labels"].astype(np.int64)
    predicted = np.where(random.random(2000) < 0.98, actual, (actual + 3) % 10)
    confidence = 1 - random.random(2000) ** 8
    longer = {name: [value * (0.9**epoch) for epoch in range(9)] for name, (value, *_) in history.items()}
    figures = {
        "training.png": training_curves({**longer, "epoch": list(range(1, 10))}),
        "confusion.png": confusion_matrix_figure(actual, predicted, CLASSES),
        "mistakes.png": mistakes_gallery(test["images"], actual, predicted, confidence, CLASSES, ink=True),
        "reliability.png": reliability_diagram(confidence, confidence**2, predicted == actual, 15),
    }
    for name, figure in figures.items():
        write_figure(folder / name, figure)
        yield name, (folder / name).read_bytes()


def calibrated(model: Any, parts: list[Arrays], folder: Path) -> Iterator[tuple[str, Any]]:
    """Calibrate a copy of `model` and export it; give each output by name."""
    images, labels = parts[1]["images"], parts[1]["labels"]
    yield "non-digits", np.concatenate([*make_nondigits(images, labels, KINDS, 0)])
    save_model(model, folder / "before.keras")
    copy = load_model(folder / "before.keras")
    stock, find, ink = found_ink(folder)
    yield "composed pictures", compose_batch(stock, 0, range(40))[0]
    yield "ink.npz", ink
    readings = read_composed(stock, find, seed=0, count=20)
    yield "readings", readings.looks
    mnist = read_dataset("mnist", DATASETS)
    calibration, weights = calibrate(copy, *parts, (readings, readings), mnist, CALIBRATION)
    yield "calibration.json", calibration.as_json().encode()
    save_calibrated(copy, calibration, weights, ink, folder / "calibrated.keras")
    yield "calibrated.keras", (folder / "calibrated.keras").read_bytes()
    classifier = load_classifier(folder / "calibrated.keras", "keras")
    yield "scores", classifier.classify(images).score
    yield "model.tflite", flatbuffer(copy, weights)
    yield "network-int8.tflite", int8_flatbuffer(copy, images)
    yield "ink.tflite", flatbuffer_of_ink(read_packed(ink))


def colours(count: int, seed: int) -> Arrays:
    """Draw coloured images, as bytes, and labels of which some are rarer than others."""
    random = np.random.Generator(np.random.PCG64(seed))
    images = random.integers(0, 256, (count, *COLOUR_SHAPE), np.uint8)
    return {"images": images, "labels": (np.sqrt(np.arange(count)) % 10).astype(np.uint8)}


def run_in_colour(recipe: Recipe, folder: Path) -> Iterator[tuple[str, Any]]:
    """Train on colours with all that a recipe may ask for, and calibrate; give each output by name."""
    light = {"flip": 0.5, "brightness": 0.2, "contrast": 0.2}
    changes = {"augmentation": recipe.augmentation.model_copy(update=light), "class_weights": 0.5}
    recipe = recipe.model_copy(update=changes)
    parts = colours(STEPS * recipe.batch_size, 8), colours(100, 9)
    model, _ = train(*parts, recipe=recipe, seed=0, checkpoint=folder / "colour.npz", key="colour")
    yield "weights in colour", weights_of(model)
    training, validation = ({**part, "images": scale(part["images"])} for part in parts)
    made = make_nondigits(validation["images"], validation["labels"], KINDS_OF_ANYTHING, 0)
    yield "no class in colour", np.concatenate([*made])
    shape = dict(zip(("height", "width", "channels"), COLOUR_SHAPE, strict=True))
    described = {**shape, "characters": False, "framing": "fit", "ground": "any"}
    dataset = read_dataset("mnist", DATASETS).model_copy(update=described)
    unread = (no_readings(COLOUR_SHAPE), no_readings(COLOUR_SHAPE))
    calibration, weights = calibrate(model, training, validation, unread, dataset, CALIBRATION)
    save_calibrated(model, calibration, weights, None, folder / "colour.keras")
    yield "calibrated.keras in colour", (folder / "colour.keras").read_bytes()
    yield "model.tflite in colour", flatbuffer(model, weights)
    answers = probabilities(model, validation["images"])
    yield "probabilities in colour", answers
    right, confidence = validation["labels"].astype(np.int64), answers.max(axis=1)
    figure = mistakes_gallery(
        validation["images"], right, answers.argmax(axis=1), confidence, CLASSES, ink=False
    )
    write_figure(folder / "colour.png", figure)
    yield "mistakes.png in colour", (folder / "colour.png").read_bytes()


def found_ink(folder: Path) -> tuple[Stock, FindInk, bytes]:
    """Train the network that finds ink for a few steps; return what it learned from, it, and its file."""
    stock = Stock.of("learn", **images_and_labels(40, 6), seed=0)
    schedule = OneCycle(kind="one_cycle", warm_up=0.5, final=0.1)
    params = InkParams(
        seed=0,
        widths=[4, 4, 8, 8],
        batch_norm_momentum=0.5,
        epochs=1,
        pictures=STEPS * 8,
        batch_size=8,
        learning_rate=0.01,
        schedule=schedule,
        measured=8,
    )
    weights = train_ink(stock, stock, params, folder / "checkpoint of ink.npz", "probe")
    write_weights(folder / "ink.npz", weights)
    return stock, with_tensorflow(weights), (folder / "ink.npz").read_bytes()


def packed_pictures() -> Iterator[tuple[str, Any]]:
    """Read pictures of each format in the form of a dataset's images; give the images by name."""
    limits.limited = True
    random = np.random.Generator(np.random.PCG64(7))
    coarse = (Image.fromarray(random.integers(0, 256, (65, 85, 3), np.uint8)) for _ in FORMATS)
    forms = Form(64, 64, 3, "fit", "any"), Form(32, 48, 1, "crop", "dark")
    images = {}
    for kind, picture in zip(FORMATS, coarse, strict=True):
        content = BytesIO()
        # Large enough to be made smaller while it is decoded.
        picture.resize((1700, 1300), Image.Resampling.BICUBIC).save(content, kind)
        read = [read_fitted(content.getvalue(), kind, form).image.ravel() for form in forms]
        images[kind] = np.concatenate(read)
    # Its decoder converts colours with other instructions on each CPU.
    yield "(packed AVIF)", images.pop("AVIF")
    yield "packed pictures", np.concatenate([*images.values()])


def recipe_of(name: str) -> Recipe:
    """Return a recipe of params.yaml for a single epoch."""
    recipe = Params().section(f"recipes.{name}", Recipe)
    return recipe.model_copy(update={"epochs": 1, "least_steps": 0})


def single_operations(_: Path) -> Iterator[tuple[str, Any]]:
    """Compute single operations; give each result by name."""
    for name, run in operations():
        yield name, b"".join(np.asarray(part).tobytes() for part in run())


def other_recipes(folder: Path) -> Iterator[tuple[str, Any]]:
    """Train for a few steps by each recipe but `article`; give weights and answers by name."""
    for name in sorted({*Params().names("recipes")} - {"article"}):
        model = short_run(recipe_of(name), folder)[0]
        yield f"weights of {name}", weights_of(model)
        yield f"probabilities of {name}", probabilities(model, images_and_labels(64, 3)["images"])


PARTS: dict[str, Callable[[Path], Iterator[tuple[str, Any]]]] = {
    "operations": single_operations,
    "packing": lambda _: packed_pictures(),
    "article": lambda folder: whole_run(
        recipe_of("article"), Params().section("evaluate", EvaluateParams), folder
    ),
    "recipes": other_recipes,
    "colour": lambda folder: run_in_colour(recipe_of("general"), folder),
}


def main() -> None:
    """Print a JSON object: the hash of each result, by name."""
    runtime.start(runtime.read_runtime(Params()))
    hashes = {}
    with TemporaryDirectory() as folder:
        for part in sys.argv[1:] or PARTS:
            for name, value in PARTS[part](Path(folder)):
                hashes[name] = digest(value)
                print(name, file=sys.stderr, flush=True)
    json.dump(hashes, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
