"""What a picture shows, and how sure the network is of it.

    from digits import load_model, predict_digit

    model = load_model()
    digit, confidence = predict_digit("photograph.jpg", model)

`predict_label` is the same for models of anything.
TensorFlow is imported only for the engine `keras`, and matplotlib never.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from digits.classifier.classifier import Classifier, load_classifier
from digits.classifier.metadata import are_digits
from digits.errors import DigitsError, short, unknown_name
from digits.prediction.preprocessing import framed, framed_digits, framed_together

if TYPE_CHECKING:
    from digits.pictures.framing import Framed
    from digits.prediction.preprocessing import Picture

Engine: TypeAlias = Literal["litert", "keras"]

# The default model of each engine: outputs of the pipeline.
MODELS: dict[Engine, str] = {"litert": "data/model.tflite", "keras": "data/calibrated.keras"}


LEAST_CERTAINTY = 0.8
"""The share of ink by which the strokes of a sure row are what they are taken for, digits or other marks.

Of 187 legible rows of composed pictures none is wrong and sure then; at 0.7 one is, at 0.5 two are.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """Several digits of one picture, read together.

    Attributes:
        digits: the digits in the order of reading.
        confidence: the probability that all of them are right.
        sure: whether each digit, and all of them together, reach the thresholds, and no stroke may as well
            be another mark, or no mark a digit.
        other: the boxes of marks between and beside them that are no digits.
    """

    digits: str
    confidence: float
    sure: bool
    other: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """The answer about a picture.

    It unpacks as the pair `digit, confidence` where all classes are digits, and as `label, confidence` where
    they are anything else.

    Attributes:
        classes: the names of all classes, in the order of `probabilities`.
        index: the place of the most likely class among them, from 0.
        confidence: its probability, from 0 to 1; the mean of two looks at the digit, as all that follows from
            the network is, where ink was sought. Calibrated: of the answers with 0.9, nine of ten are right.
        probabilities: float32 (classes,), the probability of each class.
        score: from 0 to 1, how much the picture looks like one of the classes at all.
        reason: why the answer should not be used, or an empty text.
        image: float32 (H, W) or (H, W, 3) in [0, 1], what the network saw: of MNIST (28, 28), light on dark,
            from the first of two looks.
        box: the part of the picture that the image shows, as left, top, right and bottom in pixels.
            Where pictures are framed as MNIST's are, it is where the ink is, and None without ink.
        steps: the steps from the picture to the image, as names and arrays.
        note: which frame or page was read, where the picture has several, or an empty text.
        row: for a digit that `find_digits` found, all that was found with it.

    Without ink, the network is not run: all classes have the same probability and the score is 0.
    """

    classes: tuple[str, ...]
    index: int
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
    def label(self) -> str:
        """The name of the most likely class."""
        return self.classes[self.index]

    @property
    def digit(self) -> int:
        """The most likely digit, where all classes are digits.

        Raises:
            AttributeError: a class is no digit.
        """
        if not are_digits(self.classes):
            raise AttributeError(f"the classes are no digits, but {_some(self.classes)}; `label` is the name")
        return int(self.label)

    @property
    def sure(self) -> bool:
        """Whether the answer reaches every threshold."""
        return not self.reason

    def likeliest(self, most: int) -> list[int]:
        """Return the places of the `most` likeliest classes, likeliest first; of fewer, all in order."""
        if len(self.classes) <= most:
            return [*range(len(self.classes))]
        return [int(index) for index in np.argsort(-self.probabilities, kind="stable")[:most]]

    def __iter__(self) -> Iterator[int | str | float]:
        yield self.digit if are_digits(self.classes) else self.label
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


def predict_label(image: Picture, model: Classifier) -> Prediction:
    """Tell which of the model's classes a picture shows.

        >>> import numpy as np
        >>> from digits import load_model, predict_label
        >>> picture = np.full((100, 80), 255, np.uint8)  # a white page
        >>> picture[20:80, 36:44] = 0  # with a black stroke
        >>> predict_label(picture, load_model()).label
        '1'

    Args:
        image: a path, the bytes of an image file, a Pillow image, or an array (H, W) or (H, W, channels)
            of any size: uint8, uint16, booleans, or floats from 0 to 1 or from 0 to 255.
            An image in the form of the model's dataset reaches the network unchanged.
        model: a classifier from `load_model`.

    Raises:
        DigitsError: `image` is not a picture that can be read.
    """
    return _answers([framed(image, _checked(model))], model)[0]


def predict_labels(images: Iterable[Picture] | np.ndarray, model: Classifier) -> list[Prediction]:
    """Tell which of the model's classes each of several pictures shows, in one pass of the network.

    Args:
        images: pictures as `predict_label` takes them, or an array (N, H, W) or (N, H, W, channels).
        model: a classifier from `load_model`.

    Raises:
        DigitsError: one of the `images` is not a picture that can be read; the text has its index, from 0.
    """
    several = isinstance(images, Iterable) and not isinstance(images, str | bytes)
    if not several or getattr(images, "ndim", 3) not in (3, 4):
        one = "one is for predict_digit or predict_label"
        raise DigitsError(f"expected several pictures: a list, or an array (N, H, W); {one}")
    _checked(model)
    # Prepared images are framed together: one by one, that would take longer than the network does.
    prepared = framed_together(images, model) if isinstance(images, np.ndarray) else repeat(None)
    pictures = []
    for index, (image, known) in enumerate(zip(images, prepared, strict=False)):
        try:
            pictures.append(known or framed(image, model))
        except DigitsError as error:
            raise DigitsError(f"picture {index}: {error}") from error
    return _answers(pictures, model)


def predict_digit(image: Picture, model: Classifier) -> Prediction:
    """Read the one digit in a picture: `predict_label` of a model whose classes are digits.

        >>> import numpy as np
        >>> from digits import load_model, predict_digit
        >>> picture = np.full((100, 80), 255, np.uint8)  # a white page
        >>> picture[20:80, 36:44] = 0  # with a black stroke
        >>> prediction = predict_digit(picture, load_model())
        >>> prediction.digit, prediction.box
        (1, (36, 20, 44, 80))

    Raises:
        DigitsError: `image` is not a picture that can be read, or the model's classes are no digits.
    """
    return predict_label(image, _of_digits(model))


def predict_digits(images: Iterable[Picture] | np.ndarray, model: Classifier) -> list[Prediction]:
    """Read the one digit in each of several pictures: `predict_labels` of a model whose classes are digits.

        >>> import numpy as np
        >>> from digits import load_model, predict_digits
        >>> pictures = np.full((2, 100, 80), 255, np.uint8)  # two white pages
        >>> pictures[0, 20:80, 36:44] = 0  # the first with a black stroke
        >>> [prediction.reason for prediction in predict_digits(pictures, load_model())]
        ['', 'no ink found']

    Raises:
        DigitsError: one of the `images` is not a picture that can be read; the text has its index, from 0.
            Or the model's classes are no digits.
    """
    return predict_labels(images, _of_digits(model))


def find_digits(image: Picture, model: Classifier) -> list[Prediction]:
    """Find and read every digit in a picture, line by line and from left to right.

    Args:
        image: a picture, as `predict_digit` takes it.
        model: a classifier from `load_model` that finds digits, as `check_finds_digits` says.

    Returns:
        A prediction for each digit, with its box and its `row`; an empty list if no ink was found.

    Raises:
        DigitsError: `image` is not a picture that can be read, or the model cannot find digits.
    """
    check_finds_digits(model)
    found = framed_digits(image, model)
    predictions = _answers(found.digits, model)
    confidence = math.prod(prediction.confidence for prediction in predictions)
    reaches = confidence >= model.thresholds.confidence and found.certainty >= LEAST_CERTAINTY
    row = Row(
        digits="".join(prediction.label for prediction in predictions),
        confidence=confidence,
        sure=reaches and all(prediction.sure for prediction in predictions),
        other=tuple(found.other),
    )
    return [replace(prediction, row=row) for prediction in predictions]


def check_finds_digits(model: Classifier) -> None:
    """Check that a model reads digits, and finds them by their ink.

    Raises:
        DigitsError: it does not.
    """
    if _of_digits(model).find_ink is None:
        raise DigitsError("the model reads one digit in a picture: it has no network that finds ink")


def _of_digits(model: Classifier) -> Classifier:
    """Check that the classes of `model` are digits.

    Raises:
        DigitsError: they are not.
    """
    if not are_digits(_checked(model).classes):
        known = f"its classes are {_some(model.classes)}"
        raise DigitsError(f"the model reads no digits: {known}; predict_label is for any model")
    return model


def _some(classes: tuple[str, ...]) -> str:
    """Name the first classes."""
    return ", ".join(short(name) for name in classes[:3]) + (", …" if len(classes) > 3 else "")


def _checked(model: Classifier) -> Classifier:
    """Check that `model` is a classifier.

    Raises:
        DigitsError: it is something else.
    """
    if not isinstance(model, Classifier):
        raise DigitsError(f"model: expected what load_model gives, found {type(model).__name__}")
    return model


def _start_tensorflow() -> None:
    """Start TensorFlow with a thread for each core, unless the program has started it itself."""
    from digits.backend import runtime

    if "tensorflow" not in sys.modules:
        runtime.start(runtime.RuntimeParams(threads=os.cpu_count() or 1, instructions="AVX2"))


def _answers(pictures: list[Framed], model: Classifier) -> list[Prediction]:
    """Run `model` once on all images that show anything."""
    inked = [picture for picture in pictures if picture.box is not None]
    answers = iter(_classify(inked, model) if inked else ())
    uniform = np.full(len(model.classes), 1 / len(model.classes), np.float32)
    predictions = []
    for picture in pictures:
        if picture.box is None:
            answer = (0, float(uniform[0]), uniform.copy(), 0.0, "no ink found")
        else:
            index, confidence, row, score, doubt = next(answers)
            reason = picture.reason or (doubt and f"{doubt}{picture.hint}")
            answer = (index, confidence, row, score, reason)
        seen = (picture.image, picture.box, picture.steps, picture.note)
        predictions.append(Prediction(model.classes, *answer, *seen))
    return predictions


def _classify(
    pictures: list[Framed], model: Classifier
) -> Iterator[tuple[int, float, np.ndarray, float, str]]:
    """Yield index, confidence, probabilities, score and reason for each of at least one picture.

    Where a digit was looked at more than once, the answer is the mean.
    """
    images = np.concatenate([np.reshape(picture.looks, (-1, *model.image_shape)) for picture in pictures])
    answers = model.classify(images)
    ends = np.cumsum([len(picture.looks) for picture in pictures])[:-1]
    of_looks = zip(np.split(answers.probabilities, ends), np.split(answers.score, ends), strict=True)
    for probabilities, scores in of_looks:
        row, score = probabilities.mean(axis=0), float(scores.mean())
        index = int(row.argmax())
        confidence = float(row[index])
        yield index, confidence, row, score, _doubt(confidence, score, model)


def _doubt(confidence: float, score: float, model: Classifier) -> str:
    """Return which thresholds the answer does not reach, or an empty text."""
    least = model.thresholds
    checks = (("confidence", confidence, least.confidence), ("score", score, least.score))
    return " and ".join(f"{name} {value:.3f} under {low:.3f}" for name, value, low in checks if value < low)
