"""Temperature and thresholds, against values worked out by hand; the detector, on a small case."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digits.calibration.calibrate import (
    LOWEST,
    CalibrateParams,
    choose_thresholds,
    divide_logits,
    fit_temperature,
    judged,
    negative_log_likelihood,
)
from digits.calibration.composed import read_composed
from digits.calibration.readings import NO_DIGIT, Readings, no_readings, read_readings, write_readings
from digits.classifier.classifier import check_parity, parity
from digits.classifier.metadata import Thresholds
from digits.errors import DigitsError
from tests.seeing import find_ink

# Of four images with logits 2 and 0, three are of the class with the 2.
LOGITS = np.array([[2, 0]] * 4, np.float32)
LABELS = np.array([0, 0, 0, 1])


def test_the_negative_log_likelihood_is_the_mean_cost_of_the_right_class() -> None:
    # At temperature 2 the logits are 1 and 0: log(1 + 1/e) three times, and 1 more than that once.
    expected = math.log(1 + math.exp(-1)) + 1 / 4

    assert expected == pytest.approx(negative_log_likelihood(LOGITS, LABELS, 2.0), abs=1e-15)


def test_the_temperature_makes_the_confidence_the_share_that_is_right() -> None:
    # 1 / (1 + exp(-2 / T)) = 3/4 where 2 / T = log 3.
    assert round(2 / math.log(3), 4) == pytest.approx(fit_temperature(LOGITS, LABELS), abs=2e-4)


def test_where_all_are_right_the_temperature_is_about_the_lowest() -> None:
    assert LOWEST == pytest.approx(fit_temperature(LOGITS, np.zeros(4, int)), abs=0.01)


def test_the_thresholds_are_the_lowest_that_keep_the_error_rates() -> None:
    digits = np.array([0.5, 0.6, 0.7, 0.8]), np.ones(4), np.array([False, True, False, True])
    others = np.array([0.1, 0.9, 0.9, 0.9]), np.array([1.0, 0.2, 0.4, 0.6]), np.zeros(4, bool)
    thresholds = choose_thresholds([(1 / 3, digits)], others, false_accepts_at_most=1 / 4)

    # Above 0.5, one of three is wrong; of the three confident others, one may stay: the one of 0.6.
    assert Thresholds(confidence=0.501, score=0.41) == thresholds


def test_of_thresholds_that_keep_the_rates_those_are_chosen_that_accept_most_right_answers() -> None:
    # The wrong answer is as confident as any, but scores less: the score tells it, at the cost of nothing.
    digits = np.array([0.6, 0.7, 0.9]), np.array([0.8, 0.8, 0.3]), np.array([True, True, False])
    others = np.zeros(0), np.zeros(0), np.zeros(0, bool)

    assert Thresholds(confidence=0.0, score=0.31) == choose_thresholds([(0.0, digits)], others, 0.0)


def test_each_kind_of_pictures_keeps_an_error_rate_of_its_own() -> None:
    wrong = np.array([False, True, True, True])
    rows = np.array([0.5, 0.6, 0.7, 0.8]), np.ones(4), wrong
    others = np.zeros(0), np.zeros(0), np.zeros(0, bool)

    assert 0.0 == choose_thresholds([(1 / 4, rows), (1 / 4, rows)], others, 0.0).confidence
    assert 0.501 == choose_thresholds([(1 / 4, rows), (0.0, rows)], others, 0.0).confidence


def test_an_error_rate_that_no_threshold_keeps_gives_1() -> None:
    ones = np.ones(2), np.ones(2), np.zeros(2, bool)

    assert Thresholds(1.0, 1.0) == choose_thresholds([(0.0, ones)], ones, 0.0)


def test_an_answer_is_accepted_from_both_thresholds_on() -> None:
    probabilities = np.array([[0.75, 0.25], [0.75, 0.25], [0.5, 0.5]], np.float32)
    score = np.array([0.5, 0.25, 1.0], np.float32)

    assert [True, False, False] == Thresholds(0.75, 0.5).accept(probabilities, score).tolist()


def test_the_difference_of_two_engines_is_rounded_up_to_a_power_of_ten() -> None:
    first = np.array([[0.5, 0.5], [0.25, 0.75]])
    second = np.array([[0.48, 0.52], [0.25, 0.75]])

    assert {"images": 2, "same_answers": 1, "difference_at_most": 0.1} == parity(first, second)
    assert 0.0 == parity(first, first)["difference_at_most"]
    with pytest.raises(DigitsError, match="cannot be compared"):
        parity(first, second[:1])


def test_an_export_that_answers_differently_is_refused() -> None:
    answers = np.array([[0.5, 0.5], [0.25, 0.75]])
    check_parity(answers, answers + 1e-5)

    for other in (answers[::-1], np.full((2, 2), np.nan)):
        with pytest.raises(DigitsError, match=r"answers differently: it agrees on . of 2 images"):
            check_parity(answers, other)


def network() -> Any:
    import keras

    return keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    )


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_the_last_layer_divides_its_logits_by_itself() -> None:
    from digits.classifier.detector import tapped

    model = network()
    images = np.random.default_rng(0).random((3, 2, 2, 1), np.float32)
    features, before = tapped(model)(images)
    divide_logits(model, 4.0)

    assert np.array_equal(images.reshape(3, 4), features)
    assert np.array_equal(before / 4, tapped(model)(images)[1])


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_images_that_are_given_in_blocks_are_answered_with_the_same_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from digits.classifier import detector

    model, images = network(), np.random.default_rng(0).random((600, 2, 2, 1), np.float32)
    whole = detector.tapped(model)(images)
    monkeypatch.setattr(detector, "BLOCK", 1)
    in_blocks = detector.tapped(model)(images)

    assert [256, 256, 88] == [len(block) for block in detector.blocks(images)]
    assert all(map(np.array_equal, whole, in_blocks))


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_the_detector_learns_to_refuse_noise_and_the_same_every_time() -> None:
    from digits.classifier.detector import DetectorParams, train_detector

    random = np.random.default_rng(0)
    digits = random.normal(2, 1, (300, 8)).astype(np.float32)
    noise = random.normal(-2, 1, (300, 8)).astype(np.float32)
    params = DetectorParams(units=8, epochs=10, batch_size=32, learning_rate=0.01)
    first, second = (train_detector(digits[:200], noise[:200], params, seed=1) for _ in range(2))

    def scores(features: np.ndarray) -> np.ndarray:
        """Compute the detector's two layers in NumPy."""
        kernel_1, bias_1, kernel_2, bias_2 = first
        powers = np.exp(np.maximum(features @ kernel_1 + bias_1, 0) @ kernel_2 + bias_2)
        shares: np.ndarray = powers[:, 1] / powers.sum(axis=1)
        return shares

    assert all(np.array_equal(*pair) for pair in zip(first, second, strict=True))
    assert scores(digits[200:]).min() > 0.9
    assert scores(noise[200:]).max() < 0.1


def test_readings_of_composed_pictures_are_of_legible_digits_or_of_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def composed(stock: object, seed: int, number: int, kind: str) -> SimpleNamespace:
        """A black bar, which is a one, in the last two pictures too pale to read; none in every fourth."""
        colours = np.full((112, 112, 3), 255, np.uint8)
        colours[20:90, 50:60] = 0
        ones = () if kind == "none" else (SimpleNamespace(label=1, middle=(55.0, 55.0)),)
        return SimpleNamespace(colours=colours, digits=ones, legible=(number < 6,) * len(ones))

    monkeypatch.setattr("digits.calibration.composed.compose", composed)
    monkeypatch.setattr("digits.calibration.composed.legible", lambda picture: picture.legible)
    readings = read_composed(None, find_ink, seed=0, count=8)  # type: ignore[arg-type]

    assert [1, 1, 1, NO_DIGIT, 1, 1] == readings.labels.tolist()
    assert (6, 2, 28, 28, 1) == readings.looks.shape


def test_readings_come_back_as_they_were_written_and_have_the_form_of_the_dataset(tmp_path: Path) -> None:
    path = tmp_path / "readings.npz"
    learn = Readings(np.full((2, 2, 28, 28, 1), 0.5, np.float32), np.array([3, NO_DIGIT]))
    write_readings(path, learn, no_readings((28, 28, 1)))

    again, none = read_readings(path, (28, 28, 1))

    assert np.array_equal(learn.looks, again.looks)
    assert [3, NO_DIGIT] == again.labels.tolist()
    assert ((0, 2, 28, 28, 1), (0,)) == (none.looks.shape, none.labels.shape)
    with pytest.raises(DigitsError, match=r"images of \(28, 28, 1\), expected \(8, 8, 1\)"):
        read_readings(path, (8, 8, 1))


def test_a_mark_that_was_taken_for_a_digit_counts_as_no_class_and_not_as_wrong() -> None:
    params = CalibrateParams.model_construct(
        wrong_at_most=0.1, wrong_of_composed_at_most=0.2, false_accepts_at_most=0.3
    )
    one = np.zeros((1, 28, 28, 1), np.float32)
    # The answer about a reading is the mean of those about its two looks.
    looks = np.stack([np.concatenate([one, one + 0.125, one + 0.5]) for _ in range(2)], axis=1)
    looks[1, 1] += 0.25
    readings = Readings(looks, np.array([0, NO_DIGIT, 1]))

    def answer(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.tile([0.75, 0.25], (len(images), 1)), images[:, 0, 0, 0]

    validation = {"images": one, "labels": np.array([0])}
    members, others, most = judged(answer, validation, readings, [one + 1], params)

    assert [(0.1, [True]), (0.2, [True, False])] == [(rate, right.tolist()) for rate, (*_, right) in members]
    assert [0.0, 0.5] == members[1][1][1].tolist()
    assert [1.0, 0.25] == others[1].tolist()
    assert 0.3 == most
