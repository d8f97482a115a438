"""The digit in a picture, and how sure the network is of it.

    from digits import load_model, predict_digit

    model = load_model()
    digit, confidence = predict_digit("photograph.jpg", model)

Neither TensorFlow nor matplotlib is imported, unless the engine `keras` is asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from digits.classifier.classifier import Classifier, load_classifier
from digits.errors import DigitsError, unknown_name
from digits.pictures.centring import SIDE
from digits.pictures.framing import Framed, frame_digit, frame_digits, frame_mnist
from digits.pictures.reading import read_picture

if TYPE_CHECKING:
    import PIL.Image

    Picture: TypeAlias = str | Path | bytes | PIL.Image.Image | np.ndarray

Engine: TypeAlias = Literal["litert", "keras"]

# The model that each engine reads where none is named: outputs of the pipeline.
MODELS: dict[Engine, str] = {"litert": "data/model.tflite", "keras": "data/calibrated.keras"}


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """What was read in a picture; it unpacks as the pair `digit, confidence`.

    Attributes:
        digit: the likeliest of the classes, 0 to 9.
        confidence: its probability, from 0 to 1. Calibrated: of the answers with 0.9, nine of ten are right.
        probabilities: float32 (10,), the probability of each digit.
        score: from 0 to 1, how much the picture is like a digit at all.
        reason: why the answer should not be used, or an empty text.
        image: float32 (28, 28) in [0, 1], what the network saw: light on dark, as MNIST.
        box: where the ink is in the picture, as left, top, right and bottom in pixels; None without ink.
        steps: how the picture became the image, as names and arrays.

    Where there is no ink, the network is not asked: all digits have the same probability and the score is 0.
    """

    digit: int
    confidence: float
    probabilities: np.ndarray
    score: float
    reason: str
    image: np.ndarray
    box: tuple[int, int, int, int] | None
    steps: tuple[tuple[str, np.ndarray], ...]

    @property
    def sure(self) -> bool:
        """Whether the answer passed every threshold."""
        return not self.reason

    def __iter__(self) -> Iterator[int | float]:
        yield self.digit
        yield self.confidence


def load_model(path: str | Path | None = None, engine: str | None = None) -> Classifier:
    """Load a classifier that the pipeline made.

    Args:
        path: `data/model.tflite` unless named, or `data/calibrated.keras` for the engine `keras`.
        engine: `litert`, which answers at once, or `keras`, which takes TensorFlow's seconds to start;
            unless named, the one that the ending of `path` calls for.

    Raises:
        DigitsError: the engine is unknown, or there is no readable model at `path`.
    """
    if engine is None:
        engine = "keras" if Path(path or "").suffix == ".keras" else "litert"
    if engine not in MODELS:
        raise DigitsError(unknown_name("engine", engine, list(MODELS)))
    place = Path(path or MODELS[engine])
    if not place.exists():
        raise DigitsError(f"{place}: no such file; in the repository, `make` or `dvc repro` makes it")
    if engine == "keras":
        _start_tensorflow()
    return load_classifier(place, engine)


def predict_digit(image: Picture, model: Classifier) -> Prediction:
    """Read the one digit in a picture.

    Args:
        image: a path, the bytes of an image file, a Pillow image, or an array (H, W) or (H, W, channels)
            of any size: uint8, uint16, booleans, or floats from 0 to 1 or to 255.
            An image in MNIST's own form reaches the network unchanged.
        model: what `load_model` gave.

    Raises:
        DigitsError: `image` is no picture that can be read.
    """
    return _answers([frame_digit(read_picture(image))], model)[0]


def predict_digits(images: Iterable[Picture] | np.ndarray, model: Classifier) -> list[Prediction]:
    """Read the one digit in each of several pictures, which the network sees in one pass.

    Args:
        images: pictures as `predict_digit` takes them, or an array (N, H, W) or (N, H, W, channels).
        model: what `load_model` gave.

    Raises:
        DigitsError: one of the `images` is no picture that can be read; the text has its place, from 0 on.
    """
    several = isinstance(images, Iterable) and not isinstance(images, str | bytes)
    if not several or getattr(images, "ndim", 3) not in (3, 4):
        raise DigitsError(
            "expected several pictures: a list, or an array (N, H, W); one is for predict_digit"
        )
    known = _prepared(images) if isinstance(images, np.ndarray) else repeat(None)
    framed = []
    # Prepared images are framed at once: one by one, that would take longer than the network does.
    for place, (image, as_it_is) in enumerate(zip(images, known, strict=False)):
        try:
            framed.append(as_it_is or frame_digit(read_picture(image)))
        except DigitsError as error:
            raise DigitsError(f"picture {place}: {error}") from error
    return _answers(framed, model)


def find_digits(image: Picture, model: Classifier) -> list[Prediction]:
    """Find and read every digit in a picture, line by line and from left to right.

    Args:
        image: a picture, as `predict_digit` takes it.
        model: what `load_model` gave.

    Returns:
        A prediction for each digit, with its box; none where no ink was found.

    Raises:
        DigitsError: `image` is no picture that can be read.
    """
    return _answers([each for each in frame_digits(read_picture(image)) if each.box is not None], model)


def _prepared(images: np.ndarray) -> Iterable[Framed | None]:
    """Frame those images of an array (N, 28, 28) or (N, 28, 28, 1) that are prepared as MNIST's are."""
    form = (SIDE, SIDE) if images.ndim == 3 else (SIDE, SIDE, 1)
    if images.shape[1:] != form or images.dtype not in (np.uint8, np.float32):
        return repeat(None)
    if images.dtype == np.uint8:
        images = np.divide(images, np.float32(255), dtype=np.float32)
    # A copy, which the predictions keep. What is not finite, or beyond 0 to 1, is left to `read_picture`.
    images = images.reshape(-1, SIDE, SIDE).copy()
    if not (len(images) and images.min() >= 0 and images.max() <= 1):
        return repeat(None)
    return frame_mnist(images)


def _start_tensorflow() -> None:
    """Start TensorFlow with a thread for each core, unless the program has started it as it likes."""
    from digits.backend import runtime

    if "tensorflow" not in sys.modules:
        runtime.start(os.cpu_count() or 1)


def _answers(framed: list[Framed], model: Classifier) -> list[Prediction]:
    """Ask `model` once about all that has ink."""
    if not isinstance(model, Classifier):
        raise DigitsError(f"model: expected what load_model gives, found {type(model).__name__}")
    inked = [each.image for each in framed if each.box is not None]
    found = iter(_found(inked, model) if inked else ())
    nothing = np.full(len(model.classes), 1 / len(model.classes), np.float32)
    predictions = []
    for each in framed:
        if each.box is None:
            known = (0, float(nothing[0]), nothing.copy(), 0.0, "no ink found")
        else:
            known = next(found)
        predictions.append(Prediction(*known, each.image, each.box, each.steps))
    return predictions


def _found(
    images: list[np.ndarray], model: Classifier
) -> Iterator[tuple[int, float, np.ndarray, float, str]]:
    """Give digit, confidence, probabilities, score and reason for each of at least one image."""
    answers = model.classify(np.array(images)[..., np.newaxis])
    digits = answers.probabilities.argmax(axis=1).tolist()
    for digit, row, score in zip(digits, answers.probabilities, answers.score.tolist(), strict=True):
        confidence = float(row[digit])
        yield digit, confidence, row, score, _doubt(confidence, score, model)


def _doubt(confidence: float, score: float, model: Classifier) -> str:
    least = model.thresholds
    found = (("confidence", confidence, least.confidence), ("score", score, least.score))
    return " and ".join(f"{name} {value:.3f} under {low:.3f}" for name, value, low in found if value < low)
