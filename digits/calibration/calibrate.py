"""Calibration: the temperature, the detector of images that are no digits, and the thresholds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from digits.backend.models import save_model
from digits.calibration.characters import draw_characters
from digits.calibration.nondigits import make_nondigits
from digits.classifier.detector import DetectorParams, answerer, features_and_logits, train_detector
from digits.classifier.metadata import Calibration, Thresholds, append_calibration
from digits.files import Arrays, whole_file
from digits.params import Section

if TYPE_CHECKING:
    import keras

# The temperatures between which the best one is searched: far beyond what a trained network needs.
LOWEST, HIGHEST = 0.05, 20.0

# Training images for each printed digit that the detector learns from.
# Without printed digits it would learn that print is never a digit.
HANDWRITTEN_PER_PRINTED = 10

# Thresholds are tried in steps of 1 / STEPS, from 0 to 1.
STEPS = 1000


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
        params: the seed, the detector's size and training, and the error rates that the thresholds keep.

    Returns:
        The calibration, and the detector's weights.
    """
    images, labels = validation["images"], validation["labels"]
    _, logits = features_and_logits(model, images)
    temperature = fit_temperature(logits, labels)
    divide_logits(model, temperature)

    detector = _train_detector(model, training, classes, params)
    answer = answerer(model, detector)
    probabilities, scores = answer(images)
    other_probabilities, other_scores = answer(make_nondigits(images, labels, params.seed + 1))
    thresholds = choose_thresholds(
        (probabilities.max(axis=1), scores),
        probabilities.argmax(axis=1) == labels,
        (other_probabilities.max(axis=1), other_scores),
        params.wrong_at_most,
        params.false_accepts_at_most,
    )
    return Calibration(classes, images.shape[1:], temperature, thresholds), detector


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature of lowest negative log-likelihood, rounded to four decimals.

    Where every prediction is right, the likelihood rises as the temperature falls, until float64 sees no
    difference.

    Args:
        logits: float32 (N, classes), of images that the network was not trained on.
        labels: integers (N,) in [0, classes).

    Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
    """
    from scipy.optimize import minimize_scalar

    minimum = minimize_scalar(
        lambda logarithm: negative_log_likelihood(logits, labels, math.exp(logarithm)),
        bounds=(math.log(LOWEST), math.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return round(math.exp(float(minimum.x)), 4)


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """Return the mean negative logarithm of the probability of the right class, in nats.

    Args:
        logits: float32 (N, classes).
        labels: integers (N,) in [0, classes).
        temperature: above 0.
    """
    # Python's own functions: the last bit of NumPy's exponentials and logarithms depends on the CPU.
    costs = []
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    for row, label in zip((shifted / temperature).tolist(), labels.tolist(), strict=True):
        costs.append(math.log(math.fsum(math.exp(value) for value in row)) - row[label])
    return math.fsum(costs) / len(costs)


def divide_logits(model: keras.Sequential, temperature: float) -> None:
    """Divide the weights of the last layer, a Dense one, and so its logits, by `temperature`."""
    last = model.layers[-1]
    last.set_weights([(np.asarray(weights) / np.float32(temperature)) for weights in last.get_weights()])


def _train_detector(
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


def choose_thresholds(
    digits: tuple[np.ndarray, np.ndarray],
    correct: np.ndarray,
    others: tuple[np.ndarray, np.ndarray],
    wrong_at_most: float,
    false_accepts_at_most: float,
) -> Thresholds:
    """Return the lowest confidence, and then the lowest score, that keep both error rates.

    Args:
        digits: confidence and score of validation images, both float (N,) in [0, 1].
        correct: booleans (N,), whether the predicted class is the right one.
        others: confidence and score of images that are no digits, both float (M,) in [0, 1].
        wrong_at_most: the largest share of wrong predictions among the digits that reach the confidence.
        false_accepts_at_most: the largest share of the others that reach both thresholds.

    Returns:
        The thresholds, with three decimals; 1 where nothing lower keeps the rate.
    """
    confidence = digits[0].astype(np.float64)
    other_confidence, other_score = (values.astype(np.float64) for values in others)
    candidates = [step / STEPS for step in range(STEPS + 1)]

    def few_are_wrong(threshold: float) -> bool:
        accepted = confidence >= threshold
        return bool(np.count_nonzero(accepted & ~correct) <= wrong_at_most * np.count_nonzero(accepted))

    lowest_confidence = next(filter(few_are_wrong, candidates), 1.0)
    confident = other_confidence >= lowest_confidence

    def few_are_accepted(threshold: float) -> bool:
        accepted = confident & (other_score >= threshold)
        return bool(np.count_nonzero(accepted) <= false_accepts_at_most * len(accepted))

    return Thresholds(lowest_confidence, next(filter(few_are_accepted, candidates), 1.0))


def save_calibrated(
    model: keras.Sequential, calibration: Calibration, detector: list[np.ndarray], path: Path
) -> None:
    """Write a calibrated model as a `.keras` archive with extra entries, which Keras ignores."""
    with whole_file(path) as partial:
        save_model(model, partial)
        append_calibration(partial, calibration, detector)
