"""The metrics, against values worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.errors import DigitsError
from digits.evaluation.metrics import (
    EvaluateParams,
    Marks,
    accuracy_gap,
    brier_score,
    cross_entropy,
    evaluate,
    largest_rise,
    per_class,
    rounded,
)
from digits.files import Table

PARAMS = EvaluateParams(
    calibration_bins=2, marks=Marks(accuracy_above=0.7, gap_below=0.05, loss_rise_at_most=0.0)
)

# Four answers about three classes; the second says 1 where 0 is right.
ANSWERS = np.array([[0.5, 0.25, 0.25], [0.25, 0.75, 0], [0, 1, 0], [0.25, 0.25, 0.5]], np.float32)
LABELS = np.array([0, 0, 1, 2], np.uint8)
HISTORY: Table = {
    "loss": [1.0, 0.5, 0.25],
    "accuracy": [0.5, 0.75, 0.875],
    "val_loss": [0.9, 0.4, 0.6],
    "val_accuracy": [0.25, 0.625, 0.75],
}


def metrics(history: Table = HISTORY, params: EvaluateParams = PARAMS) -> dict[str, Any]:
    return evaluate(ANSWERS, LABELS, history, params)


def probabilities_and_labels() -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Draw up to 50 answers about two to five classes, with a label for each."""

    def of_size(size: tuple[int, int]) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
        count, classes = size
        row = st.lists(st.integers(1, 100), min_size=classes, max_size=classes)
        rows = st.lists(row, min_size=count, max_size=count)
        labels = st.lists(st.integers(0, classes - 1), min_size=count, max_size=count)
        return st.tuples(rows.map(shares), labels.map(np.array))

    def shares(weights: list[list[int]]) -> np.ndarray:
        array = np.array(weights, np.float32)
        return array / array.sum(axis=1, keepdims=True)

    return st.tuples(st.integers(1, 50), st.integers(2, 5)).flatmap(of_size)


def test_accuracy_counts_every_example() -> None:
    found = metrics()

    assert 0.75 == found["accuracy"]
    assert 1 == found["errors"]
    # Wilson: (0.75 + z²/8 ± z √(0.75 · 0.25 / 4 + z²/64)) / (1 + z²/4) with z = 1.96
    assert {"low": 0.300642, "high": 0.954413} == found["accuracy_interval"]


def test_the_loss_is_the_mean_negative_logarithm_of_the_right_answer() -> None:
    # -(log 1/2 + log 1/4 + log 1 + log 1/2) / 4 = log 2, but for 1, which is clipped to 1 - 1e-7
    assert math.log(2) + 2.5e-8 == pytest.approx(cross_entropy(ANSWERS, LABELS), abs=1e-14)
    assert 0.693147 == metrics()["loss"]


def test_an_answer_that_held_the_truth_for_impossible_costs_as_much_as_keras_says() -> None:
    assert -math.log(1e-7) == pytest.approx(cross_entropy(np.array([[1, 0]], np.float32), np.array([1])))


def test_the_brier_score_is_the_mean_squared_distance_to_the_truth() -> None:
    # (1/4 + 1/16 + 1/16) + (9/16 + 9/16) + 0 + (1/16 + 1/16 + 1/4) = 1.875
    assert 1.875 / 4 == brier_score(ANSWERS, LABELS)
    assert 0.46875 == metrics()["brier_score"]


def test_the_calibration_error_compares_confidence_and_accuracy() -> None:
    # Up to 1/2: two answers of confidence 1/2, both right; above: 3/4, wrong, and 1, right.
    # (|1 + 0 - 2| + |1.75 - 1|) / 4
    assert (1 + 0.75) / 4 == metrics()["expected_calibration_error"]


def test_precision_recall_and_f1_of_each_class() -> None:
    found = metrics()

    # Class 0: said once, rightly, of two. Class 1: said twice, once rightly, of one. Class 2: all right.
    assert {
        "0": {"precision": 1.0, "recall": 0.5, "f1": 0.666667},
        "1": {"precision": 0.5, "recall": 1.0, "f1": 0.666667},
        "2": {"precision": 1.0, "recall": 1.0, "f1": 1.0},
    } == found["per_class"]
    assert 0.777778 == found["macro_f1"]


def test_a_class_that_is_neither_there_nor_said_scores_nothing() -> None:
    nothing = {"precision": 0.0, "recall": 0.0, "f1": 0.0}

    assert nothing == per_class(np.array([0, 0]), np.array([0, 0]), 2)["per_class"]["1"]


def test_the_gap_is_taken_at_the_epoch_whose_weights_are_kept() -> None:
    assert 0.75 - 0.625 == accuracy_gap(HISTORY)
    assert 0.125 == metrics()["train_validation_gap"]


@pytest.mark.parametrize(
    ("values", "rise"), [([1, 0.5, 0.25], -0.25), ([1, 0.5, 0.75, 0.5], 0.25), ([1], 0.0), ([1, 1], 0.0)]
)
def test_the_largest_rise_is_between_neighbours(values: list[float], rise: float) -> None:
    assert rise == largest_rise(values)


@pytest.mark.parametrize(
    ("threshold", "value", "mark", "answer"),
    [
        ("accuracy_above", 0.74, "accuracy_high", True),
        ("accuracy_above", 0.75, "accuracy_high", False),
        ("gap_below", 0.126, "curves_close", True),
        ("gap_below", 0.125, "curves_close", False),
    ],
)
def test_a_mark_is_given_beyond_its_threshold(threshold: str, value: float, mark: str, answer: bool) -> None:
    marks = PARAMS.marks.model_copy(update={threshold: value})

    assert answer is metrics(params=PARAMS.model_copy(update={"marks": marks}))["marks"][mark]


@pytest.mark.parametrize(
    ("losses", "falling"), [([1, 0.5, 0.25], True), ([1, 1, 0.5], True), ([1, 0.5, 0.6], False)]
)
def test_the_loss_falls_where_it_never_rises_by_more_than_is_allowed(
    losses: list[float], falling: bool
) -> None:
    assert falling is metrics(HISTORY | {"loss": losses})["marks"]["loss_falling"]


@given(example=probabilities_and_labels())
def test_the_metrics_do_not_depend_on_the_order_of_the_examples(
    example: tuple[np.ndarray, np.ndarray],
) -> None:
    answers, labels = example

    assert evaluate(answers, labels, HISTORY, PARAMS) == evaluate(
        answers[::-1], labels[::-1], HISTORY, PARAMS
    )


@given(example=probabilities_and_labels())
def test_the_metrics_are_where_they_can_be(example: tuple[np.ndarray, np.ndarray]) -> None:
    answers, labels = example
    found: dict[str, Any] = evaluate(answers, labels, HISTORY, PARAMS)

    assert len(labels) == found["errors"] + round(found["accuracy"] * len(labels))
    assert (
        0 <= found["accuracy_interval"]["low"] <= found["accuracy"] <= found["accuracy_interval"]["high"] <= 1
    )
    assert 0 <= found["brier_score"] <= 2
    assert 0 <= found["expected_calibration_error"] <= 1
    assert 0 <= found["loss"]
    assert 0 <= found["macro_f1"] <= 1


@pytest.mark.parametrize(
    ("answers", "labels"),
    [(ANSWERS[:3], LABELS), (ANSWERS, LABELS[:3]), (ANSWERS[:, :2], LABELS)],
)
def test_answers_that_do_not_belong_to_the_labels_are_refused(
    answers: np.ndarray, labels: np.ndarray
) -> None:
    with pytest.raises(DigitsError, match="do not fit"):
        evaluate(answers, labels, HISTORY, PARAMS)


def test_answers_that_are_no_numbers_are_refused() -> None:
    """A training that has diverged leaves a model that gives them."""
    with pytest.raises(DigitsError, match="nan"):
        evaluate(np.full_like(ANSWERS, np.nan), LABELS, HISTORY, PARAMS)


def test_numbers_are_rounded_to_six_decimals_wherever_they_stand() -> None:
    assert {"a": {"b": 0.333333}, "c": 3, "d": True} == rounded({"a": {"b": 1 / 3}, "c": 3, "d": True})
