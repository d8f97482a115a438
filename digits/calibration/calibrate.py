"""Calibration: the temperature, the detector of images that are of no class, and the thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from digits.backend.models import save_model
from digits.calibration.characters import draw_characters
from digits.calibration.nondigits import Kind, kinds_for, make_nondigits
from digits.calibration.readings import NO_DIGIT, Readings
from digits.classifier.detector import DetectorParams, answerer, tapped, train_detector
from digits.classifier.metadata import INK_WEIGHTS, Calibration, Thresholds, append_calibration
from digits.data.datasets import Dataset
from digits.errors import DigitsError
from digits.files import Arrays, whole_file
from digits.params import Section

if TYPE_CHECKING:
    import keras

# The temperatures between which the best one is searched: far beyond what a trained network needs.
LOWEST, HIGHEST = 0.05, 20.0

# Training images for each printed character that the detector learns from.
HANDWRITTEN_PER_PRINTED = 10

# Confidences are tried in steps of 1 / STEPS, from 0 to 1, and scores in steps of 1 / SCORE_STEPS.
STEPS, SCORE_STEPS = 1000, 100

# How often the detector sees a reading of a composed picture for each time that it sees an image of MNIST's.
READING_COUNT = 4

# Confidence, score and whether it is right, each (N,), of N answers.
Judged = tuple[np.ndarray, np.ndarray, np.ndarray]


class CalibrateParams(Section):
    """The section `calibrate` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    images: int = Field(ge=1, le=1_000_000)
    detector: DetectorParams
    wrong_at_most: float = Field(ge=0, le=1)
    wrong_of_composed_at_most: float = Field(ge=0, le=1)
    false_accepts_at_most: float = Field(ge=0, le=1)


def calibrate(
    model: keras.Sequential,
    training: Arrays,
    validation: Arrays,
    readings: tuple[Readings, Readings],
    dataset: Dataset,
    params: CalibrateParams,
) -> tuple[Calibration, list[np.ndarray]]:
    """Calibrate `model`, whose last layer is changed; `digits.backend.runtime.start` must have been called.

    Args:
        model: a trained classifier that ends in a Dense layer with a softmax.
        training: float32 `images` (N, H, W, C) in [0, 1] and integer `labels` (N,), for the detector.
        validation: the same for the temperature and the thresholds.
        readings: of composed pictures, for the detector, and of others, for the thresholds; there are none
            where pictures of the dataset are not composed.
        dataset: its classes, and how pictures are brought into its form.
        params: the seed, the detector's size and training, and the error rates that the thresholds keep.

    Returns:
        The calibration, and the detector's weights.

    Raises:
        DigitsError: the model's answers are not finite.
    """
    images, labels = validation["images"], validation["labels"]
    _, logits = tapped(model)(images)
    if not np.isfinite(logits).all():
        raise DigitsError("the model answers nan or infinity: its training has diverged")
    temperature = fit_temperature(logits, labels)
    divide_logits(model, temperature)

    classes = tuple(dataset.classes)
    kinds = kinds_for(dataset)
    # Print is what it is for characters alone; without, the detector would learn that print is never one.
    printed = "".join(name for name in classes if len(name) == 1) if dataset.characters else ""
    detector = _train_detector(model, training, readings[0], printed, kinds, params)
    answer = answerer(model, detector)
    made = make_nondigits(images, labels, kinds, params.seed + 1)
    thresholds = choose_thresholds(*judged(answer, validation, readings[1], made, params))
    calibration = Calibration(
        classes, images.shape[1:], dataset.framing, dataset.ground, temperature, thresholds
    )
    return calibration, detector


def judged(
    answer: Callable[..., Any],
    validation: Arrays,
    readings: Readings,
    made: Iterable[np.ndarray],
    params: CalibrateParams,
) -> tuple[list[tuple[float, Judged]], Judged, float]:
    """Return the arguments of `choose_thresholds`.

    What the reader took for a digit in a composed picture and is none counts as an image of no class.

    Args:
        answer: from float32 images (N, H, W, C) to probabilities (N, classes) and scores (N,).
        validation: `images` of the classes and their `labels`.
        readings: of composed pictures.
        made: made-up images of no class, in parts.
        params: the error rates.
    """
    none = readings.labels == NO_DIGIT
    looks = chain((images[:, np.newaxis] for images in made), [readings.looks[none]])
    others = [_judged(answer, of_some, None) for of_some in looks]
    members = [
        (params.wrong_at_most, _judged(answer, validation["images"][:, np.newaxis], validation["labels"])),
        (params.wrong_of_composed_at_most, _judged(answer, readings.looks[~none], readings.labels[~none])),
    ]
    confidence, scores, right = (np.concatenate(column) for column in zip(*others, strict=True))
    return members, (confidence, scores, right), params.false_accepts_at_most


def _judged(answer: Callable[..., Any], looks: np.ndarray, labels: np.ndarray | None) -> Judged:
    """Return confidence, score and whether it is right for each of N images from L looks (N, L, H, W, C)."""
    probabilities, scores = (
        np.reshape(each, (*looks.shape[:2], *each.shape[1:])).mean(axis=1)
        for each in answer(looks.reshape(-1, *looks.shape[2:]))
    )
    return (
        probabilities.max(axis=1),
        scores,
        probabilities.argmax(axis=1) == (-1 if labels is None else labels),
    )


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
    model: keras.Sequential,
    training: Arrays,
    readings: Readings,
    characters: str,
    kinds: dict[str, Kind],
    params: CalibrateParams,
) -> list[np.ndarray]:
    """Train the detector: members and print against made-up images, and right readings against wrong ones."""
    images, labels = training["images"], training["labels"]
    random = np.random.Generator(np.random.PCG64(params.seed))
    count = len(images) // HANDWRITTEN_PER_PRINTED if characters else 0
    printed = draw_characters(random, count, images.shape[1:3], characters)
    printed = np.broadcast_to(printed, (count, *images.shape[1:]))
    tap = tapped(model)
    others = [tap(made)[0] for made in make_nondigits(images, labels, kinds, params.seed)]
    of_read, logits = tap(readings.looks[:, 0])
    right = logits.argmax(axis=1) == readings.labels
    # Readings are few, and count as often as the others together need.
    members = [tap(images)[0], tap(printed)[0], *[of_read[right]] * READING_COUNT]
    others += [of_read[~right]] * READING_COUNT
    return train_detector(np.concatenate(members), np.concatenate(others), params.detector, params.seed)


def choose_thresholds(
    members: Sequence[tuple[float, Judged]], others: Judged, false_accepts_at_most: float
) -> Thresholds:
    """Return the thresholds that accept most right answers while they keep all error rates.

    Args:
        members: for each kind of pictures of the classes the largest share of all of them that are accepted
            and wrong, and confidence, score and whether it is right, each (N,), of its answers.
        others: the same of images of no class.
        false_accepts_at_most: the largest share of the others that is accepted.

    Returns:
        The thresholds, with three and with two decimals; 1 where nothing lower keeps the rates.
    """
    candidates = np.arange(STEPS + 1) / STEPS
    best, most = Thresholds(1.0, 1.0), -1
    for step in range(SCORE_STEPS + 1):
        score = step / SCORE_STEPS
        allowed = _accepted(others, score, candidates)[0] <= false_accepts_at_most * len(others[0])
        rights = np.zeros(len(candidates), np.int64)
        for wrong_at_most, judged in members:
            accepted, right = _accepted(judged, score, candidates)
            allowed &= accepted - right <= wrong_at_most * len(judged[0])
            rights += right
        if allowed.any():
            lowest = int(allowed.argmax())
            if rights[lowest] > most:
                best, most = Thresholds(float(candidates[lowest]), score), int(rights[lowest])
    return best


def _accepted(judged: Judged, score: float, candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count the answers that reach a score and each candidate for the confidence, and the right of them."""
    confidence, scores, right = judged
    counts = []
    for chosen in (scores.astype(np.float64) >= score, (scores.astype(np.float64) >= score) & right):
        ordered = np.sort(confidence.astype(np.float64)[chosen])
        counts.append(len(ordered) - np.searchsorted(ordered, candidates))
    return counts[0], counts[1]


def save_calibrated(
    model: keras.Sequential,
    calibration: Calibration,
    detector: list[np.ndarray],
    ink: bytes | None,
    path: Path,
) -> None:
    """Write a calibrated model as a `.keras` archive with extra entries, which Keras ignores.

    `ink` are the bytes of the file of the network that finds ink, None where there is none to find.
    """
    with whole_file(path) as partial:
        save_model(model, partial)
        append_calibration(partial, calibration, detector, {INK_WEIGHTS: ink} if ink else {})
