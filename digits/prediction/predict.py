"""The digit in a picture, and how sure the network is of it.

    from digits import load_model, predict_digit

    model = load_model()
    digit, confidence = predict_digit("photograph.jpg", model)

TensorFlow is imported only for the engine `keras`, and matplotlib never.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from digits.classifier.classifier import Classifier, load_classifier
from digits.decoding.reading import printable, read_picture
from digits.errors import DigitsError, reported_as, unknown_name
from digits.pictures.centring import SIDE
from digits.pictures.framing import Framed, frame_digit, frame_digits, frame_mnist

if TYPE_CHECKING:
    import PIL.Image

    Picture: TypeAlias = str | Path | bytes | PIL.Image.Image | np.ndarray

Engine: TypeAlias = Literal["litert", "keras"]

# The default model of each engine: outputs of the pipeline.
MODELS: dict[Engine, str] = {"litert": "data/model.tflite", "keras": "data/calibrated.keras"}


@dataclass(frozen=True, slots=True)
class Row:
    """Several digits of one picture, read together.

    Attributes:
        digits: the digits in the order of reading.
        confidence: the probability that all of them are right.
        sure: whether each digit, and all of them together, reach the thresholds.
        other: the boxes of marks between and beside them that are no digits.
    """

    digits: str
    confidence: float
    sure: bool
    other: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """The answer about a picture; it unpacks as the pair `digit, confidence`.

    Attributes:
        digit: the most likely digit, 0 to 9.
        confidence: its probability, from 0 to 1. Calibrated: of the answers with 0.9, nine of ten are right.
        probabilities: float32 (10,), the probability of each digit.
        score: from 0 to 1, how much the picture looks like a digit at all.
        reason: why the answer should not be used, or an empty text.
        image: float32 (28, 28) in [0, 1], what the network saw: light on dark, as in MNIST.
        box: where the ink is in the picture, as left, top, right and bottom in pixels; None without ink.
        steps: the steps from the picture to the image, as names and arrays.
        note: which frame or page was read, where the picture has several, or an empty text.
        row: for a digit that `find_digits` found, all that was found with it.

    Without ink, the network is not run: all digits have the same probability and the score is 0.
    """

    digit: int
    confidence: float
    probabilities: np.ndarray
    score: float
    reason: str
    image: np.ndarray
    box: tuple[int, int, int, int] | None
    steps: tuple[tuple[str, np.ndarray], ...]
    note: str = ""
    row: Row | None = None

    @property
    def sure(self) -> bool:
        """Whether the answer reaches every threshold."""
        return not self.reason

    def __iter__(self) -> Iterator[int | float]:
        yield self.digit
        yield self.confidence


def load_model(path: str | Path | None = None, engine: str | None = None) -> Classifier:
    """Load a classifier that the pipeline made.

        >>> from digits import load_model
        >>> model = load_model()
        >>> model.image_shape
        (28, 28, 1)

    Args:
        path: by default `data/model.tflite`, or `data/calibrated.keras` for the engine `keras`,
            in this folder or in the repository around it.
        engine: `litert`, which starts at once, or `keras`, which takes seconds to import TensorFlow;
            by default, `keras` for a path that ends in .keras, and `litert` otherwise.

    Raises:
        DigitsError: the engine is unknown, or there is no readable model at `path`.
    """
    if engine is None:
        engine = "keras" if Path(path or "").suffix == ".keras" else "litert"
    if engine not in MODELS:
        raise DigitsError(unknown_name("engine", engine, list(MODELS)))
    path = Path(path) if path else default_model(engine)
    if not path.exists():
        raise DigitsError(f"{path}: no such file; in the repository, `make` or `dvc repro` makes it")
    if engine == "keras":
        _start_tensorflow()
    return load_classifier(path, engine)


def default_model(engine: Engine) -> Path:
    """Return where the pipeline of this folder, or of the repository around it, writes its model."""
    nearest = Path(MODELS[engine])
    folders = () if nearest.exists() else Path.cwd().parents
    return next((folder / nearest for folder in folders if (folder / "dvc.yaml").exists()), nearest)


def predict_digit(image: Picture, model: Classifier) -> Prediction:
    """Read the one digit in a picture.

        >>> import numpy as np
        >>> from digits import load_model, predict_digit
        >>> picture = np.full((100, 80), 255, np.uint8)  # a white page
        >>> picture[20:80, 36:44] = 0  # with a black stroke
        >>> prediction = predict_digit(picture, load_model())
        >>> prediction.digit, prediction.box
        (1, (36, 20, 44, 80))

    Args:
        image: a path, the bytes of an image file, a Pillow image, or an array (H, W) or (H, W, channels)
            of any size: uint8, uint16, booleans, or floats from 0 to 1 or from 0 to 255.
            An image in MNIST's own form reaches the network unchanged.
        model: a classifier from `load_model`.

    Raises:
        DigitsError: `image` is not a picture that can be read.
    """
    return _answers([_framed(image, model)], model)[0]


def predict_digits(images: Iterable[Picture] | np.ndarray, model: Classifier) -> list[Prediction]:
    """Read the one digit in each of several pictures, in one pass of the network.

        >>> import numpy as np
        >>> from digits import load_model, predict_digits
        >>> pictures = np.full((2, 100, 80), 255, np.uint8)  # two white pages
        >>> pictures[0, 20:80, 36:44] = 0  # the first with a black stroke
        >>> [prediction.reason for prediction in predict_digits(pictures, load_model())]
        ['', 'no ink found']

    Args:
        images: pictures as `predict_digit` takes them, or an array (N, H, W) or (N, H, W, channels).
        model: a classifier from `load_model`.

    Raises:
        DigitsError: one of the `images` is not a picture that can be read; the text has its index, from 0.
    """
    several = isinstance(images, Iterable) and not isinstance(images, str | bytes)
    if not several or getattr(images, "ndim", 3) not in (3, 4):
        raise DigitsError(
            "expected several pictures: a list, or an array (N, H, W); one is for predict_digit"
        )
    # Prepared images are framed together: one by one, that would take longer than the network does.
    prepared = _prepared(images) if isinstance(images, np.ndarray) else repeat(None)
    framed = []
    for index, (image, known) in enumerate(zip(images, prepared, strict=False)):
        try:
            framed.append(known or _framed(image, model))
        except DigitsError as error:
            raise DigitsError(f"picture {index}: {error}") from error
    return _answers(framed, model)


def find_digits(image: Picture, model: Classifier) -> list[Prediction]:
    """Find and read every digit in a picture, line by line and from left to right.

    Args:
        image: a picture, as `predict_digit` takes it.
        model: a classifier from `load_model`.

    Returns:
        A prediction for each digit, with its box and its `row`; an empty list if no ink was found.

    Raises:
        DigitsError: `image` is not a picture that can be read.
    """
    with _reported(image):
        picture = read_picture(image)
        framed, other = frame_digits(picture, _checked(model).find_ink)
    predictions = _answers([replace(digit, note=picture.note) for digit in framed], model)
    confidence = math.prod(prediction.confidence for prediction in predictions)
    row = Row(
        digits="".join(str(prediction.digit) for prediction in predictions),
        confidence=confidence,
        sure=all(prediction.sure for prediction in predictions) and confidence >= model.thresholds.confidence,
        other=tuple(other),
    )
    return [replace(prediction, row=row) for prediction in predictions]


def _framed(image: Picture, model: Classifier) -> Framed:
    """Read a picture and frame its one digit."""
    with _reported(image):
        picture = read_picture(image)
        return replace(frame_digit(picture, _checked(model).find_ink), note=picture.note)


def _checked(model: Classifier) -> Classifier:
    """Check that `model` is a classifier.

    Raises:
        DigitsError: it is something else.
    """
    if not isinstance(model, Classifier):
        raise DigitsError(f"model: expected what load_model gives, found {type(model).__name__}")
    return model


def _reported(image: Picture) -> AbstractContextManager[None]:
    """Raise whatever goes wrong with a picture as a `DigitsError` that names it."""
    name = printable(str(image)) if isinstance(image, str | Path) else "picture"
    return reported_as(f"{name}: cannot be read")


def _prepared(images: np.ndarray) -> Iterable[Framed | None]:
    """Frame the images of an array (N, 28, 28) or (N, 28, 28, 1) that are prepared like MNIST's."""
    form = (SIDE, SIDE) if images.ndim == 3 else (SIDE, SIDE, 1)
    if images.shape[1:] != form or images.dtype not in (np.uint8, np.float32):
        return repeat(None)
    if images.dtype == np.uint8:
        images = np.divide(images, np.float32(255), dtype=np.float32)
    # A copy, because the predictions keep it. `read_picture` deals with values that are not from 0 to 1.
    images = images.reshape(-1, SIDE, SIDE).copy()
    if not (len(images) and images.min() >= 0 and images.max() <= 1):
        return repeat(None)
    return frame_mnist(images)


def _start_tensorflow() -> None:
    """Start TensorFlow with a thread for each core, unless the program has started it itself."""
    from digits.backend import runtime

    if "tensorflow" not in sys.modules:
        runtime.start(runtime.RuntimeParams(threads=os.cpu_count() or 1, instructions="AVX2"))


def _answers(framed: list[Framed], model: Classifier) -> list[Prediction]:
    """Run `model` once on all images that have ink."""
    _checked(model)
    images = [picture.image for picture in framed if picture.box is not None]
    answers = iter(_classify(images, model) if images else ())
    uniform = np.full(len(model.classes), 1 / len(model.classes), np.float32)
    predictions = []
    for picture in framed:
        if picture.box is None:
            answer = (0, float(uniform[0]), uniform.copy(), 0.0, "no ink found")
        else:
            digit, confidence, row, score, doubt = next(answers)
            reason = picture.reason or (doubt and f"{doubt}{picture.hint}")
            answer = (digit, confidence, row, score, reason)
        predictions.append(Prediction(*answer, picture.image, picture.box, picture.steps, picture.note))
    return predictions


def _classify(
    images: list[np.ndarray], model: Classifier
) -> Iterator[tuple[int, float, np.ndarray, float, str]]:
    """Yield digit, confidence, probabilities, score and reason for each of at least one image."""
    answers = model.classify(np.array(images)[..., np.newaxis])
    digits = answers.probabilities.argmax(axis=1).tolist()
    for digit, row, score in zip(digits, answers.probabilities, answers.score.tolist(), strict=True):
        confidence = float(row[digit])
        yield digit, confidence, row, score, _doubt(confidence, score, model)


def _doubt(confidence: float, score: float, model: Classifier) -> str:
    """Return which thresholds the answer does not reach, or an empty text."""
    least = model.thresholds
    checks = (("confidence", confidence, least.confidence), ("score", score, least.score))
    return " and ".join(f"{name} {value:.3f} under {low:.3f}" for name, value, low in checks if value < low)
