"""What makes a trained network's confidence honest: temperature, detector and thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from digits.backend.models import save_model
from digits.calibration.characters import draw_characters
from digits.calibration.nondigits import make_nondigits
from digits.calibration.temperature import divide_logits, fit_temperature
from digits.calibration.thresholds import choose_thresholds
from digits.classifier.detector import DetectorParams, answerer, features_and_logits, train_detector
from digits.classifier.metadata import Calibration, append_calibration
from digits.files import Arrays, whole_file
from digits.params import Section

if TYPE_CHECKING:
    import keras

# One printed digit for so many handwritten ones, since a detector that knew print from letters alone
# would refuse it.
HANDWRITTEN_PER_PRINTED = 10


class CalibrateParams(Section):
    """The section `calibrate` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    detector: DetectorParams
    wrong_at_most: float = Field(ge=0, le=1)
    false_accepts_at_most: float = Field(ge=0, le=1)


def calibrate(
    model: keras.Sequential,
    training: Arrays,
    validation: Arrays,
    classes: tuple[str, ...],
    params: CalibrateParams,
) -> tuple[Calibration, list[np.ndarray]]:
    """Calibrate `model`, whose last layer is changed; `digits.backend.runtime.start` must have been called.

    Args:
        model: a trained classifier that ends in a Dense layer with a softmax.
        training: float32 `images` (N, H, W, 1) in [0, 1] and integer `labels` (N,), for the detector.
        validation: the same for the temperature and the thresholds.
        classes: the name of each label.
        params: the seed, the detector's size and training, and the promises that the thresholds keep.

    Returns:
        The calibration, and the detector's weights.
    """
    _, logits = features_and_logits(model, validation["images"])
    temperature = fit_temperature(logits, validation["labels"])
    divide_logits(model, temperature)

    detector = _detector(model, training, classes, params)
    labels = validation["labels"]
    others = make_nondigits(validation["images"], labels, params.seed + 1)
    answer = answerer(model, detector)
    answers, digit_scores = answer(validation["images"])
    other_answers, other_scores = answer(others)
    thresholds = choose_thresholds(
        (answers.max(axis=1), digit_scores),
        answers.argmax(axis=1) == labels,
        (other_answers.max(axis=1), other_scores),
        params.wrong_at_most,
        params.false_accepts_at_most,
    )
    image_shape = validation["images"].shape[1:]
    return Calibration(classes, image_shape, temperature, thresholds), detector


def _detector(
    model: keras.Sequential, training: Arrays, classes: tuple[str, ...], params: CalibrateParams
) -> list[np.ndarray]:
    images, labels = training["images"], training["labels"]
    characters = "".join(name for name in classes if len(name) == 1)
    random = np.random.Generator(np.random.PCG64(params.seed))
    count = len(images) // HANDWRITTEN_PER_PRINTED if characters else 0
    printed = draw_characters(random, count, images.shape[1:3], characters)
    others = make_nondigits(images, labels, params.seed)
    digit_features, other_features = (
        features_and_logits(model, part)[0] for part in (np.concatenate([images, printed]), others)
    )
    return train_detector(digit_features, other_features, params.detector, params.seed)


def save_calibrated(
    model: keras.Sequential, calibration: Calibration, detector: list[np.ndarray], path: Path
) -> None:
    """Write a calibrated model as a `.keras` archive with entries of ours, which Keras passes over."""
    with whole_file(path) as partial:
        save_model(model, partial)
        append_calibration(partial, calibration, detector)
