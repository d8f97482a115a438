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
    balanced_accuracy,
    class_scores,
    cross_entropy,
    details,
    evaluate,
    largest_rise,
    rounded,
)
from digits.files import Table

PARAMS = EvaluateParams(seed=0, calibration_bins=2, marks=Marks(gap_below=0.05, loss_rise_at_most=0.0))

# Four answers about three classes; the second says 1 where 0 is right.
ANSWERS = np.array([[0.5, 0.25, 0.25], [0.25, 0.75, 0], [0, 1, 0], [0.25, 0.25, 0.5]], np.float32)
LABELS = np.array([0, 0, 1, 2], np.uint8)
ACCEPTED = np.array([True, True, False, False])
HISTORY: Table = {
    "loss": [1.0, 0.5, 0.25],
    "accuracy": [0.5, 0.75, 0.875],
    "val_loss": [0.9, 0.4, 0.6],
    "val_accuracy": [0.25, 0.625, 0.75],
}


def metrics(
    history: Table = HISTORY, params: EvaluateParams = PARAMS, accuracy_above: float = 0.7
) -> dict[str, Any]:
    return evaluate(ANSWERS, LABELS, ACCEPTED, history, accuracy_above, params)


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
    measured = metrics()

    assert (0.75, 1) == (measured["accuracy"], measured["errors"])


def test_the_accuracy_of_the_accepted_answers_counts_no_other() -> None:
    assert {"share": 0.5, "accuracy": 0.5} == metrics()["accepted"]


def test_the_loss_is_the_mean_negative_logarithm_of_the_right_answer() -> None:
    # -(log 1/2 + log 1/4 + log 1 + log 1/2) / 4 = log 2, but for 1, which is clipped to 1 - 1e-7
    assert math.log(2) + 2.5e-8 == pytest.approx(cross_entropy(ANSWERS, LABELS), abs=1e-14)
    assert 0.693147 == metrics()["loss"]


def test_a_right_class_of_probability_0_costs_as_much_as_in_keras() -> None:
    assert -math.log(1e-7) == pytest.approx(cross_entropy(np.array([[1, 0]], np.float32), np.array([1])))


def test_the_calibration_error_compares_confidence_and_accuracy() -> None:
    # Up to 1/2: two answers of confidence 1/2, both right; above: 3/4, wrong, and 1, right.
    # (|1 + 0 - 2| + |1.75 - 1|) / 4
    assert (1 + 0.75) / 4 == metrics()["calibration_error"]


def test_the_details_are_those_worked_out_by_hand() -> None:
    expected = {
        # Wilson: (0.75 + z²/8 ± z √(0.75 · 0.25 / 4 + z²/64)) / (1 + z²/4) with z = 1.96
        "accuracy_interval": {"low": 0.300642, "high": 0.954413},
        # (0.5 + z²/4 ± z √(0.25 / 2 + z²/16)) / (1 + z²/2)
        "accepted": {"accuracy_interval": {"low": 0.094531, "high": 0.905469}, "errors": 1},
        # (1/4 + 1/16 + 1/16) + (9/16 + 9/16) + 0 + (1/16 + 1/16 + 1/4) = 1.875
        # (1/2 + 1 + 1) / 3
        "balanced_accuracy": 0.833333,
        "brier_score": 1.875 / 4,
        "false_accepts": {"noise": 0.25},
        # (2/3 + 2/3 + 1) / 3
        "macro_f1": 0.777778,
        # Always the first class: wrong on two of four, which cost log 1e7.
        "uncalibrated": {"calibration_error": 0.5, "loss": 8.059048},
    }
    before = np.array([[1, 0, 0]] * 4, np.float32)

    assert expected == details(ANSWERS, before, LABELS, ACCEPTED, {"noise": 0.25}, PARAMS)


def test_where_no_answer_is_accepted_there_is_no_accuracy_of_those() -> None:
    none = np.zeros(4, bool)
    measured: dict[str, Any] = evaluate(ANSWERS, LABELS, none, HISTORY, 0.7, PARAMS)
    further: dict[str, Any] = details(ANSWERS, ANSWERS, LABELS, none, {}, PARAMS)

    assert {"share": 0.0, "accuracy": None} == measured["accepted"]
    assert {"accuracy_interval": None, "errors": 0} == further["accepted"]


def test_precision_recall_and_f1_of_each_class() -> None:
    # Class 0 is predicted once, rightly, of two; class 1 twice, once rightly, of one; class 2 is all right.
    assert {
        "images": [2, 1, 1],
        "precision": [1.0, 0.5, 1.0],
        "recall": [0.5, 1.0, 1.0],
        "f1": pytest.approx([2 / 3, 2 / 3, 1.0]),
    } == class_scores(ANSWERS, LABELS)


def test_a_class_that_is_neither_there_nor_predicted_scores_0() -> None:
    scores = class_scores(np.array([[1, 0], [1, 0]], np.float32), np.array([0, 0]))

    assert [0, 0.0, 0.0, 0.0] == [column[1] for column in scores.values()]


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
        ("gap_below", 0.126, "curves_close", True),
        ("gap_below", 0.125, "curves_close", False),
    ],
)
def test_a_mark_is_given_beyond_its_threshold(threshold: str, value: float, mark: str, answer: bool) -> None:
    marks = PARAMS.marks.model_copy(update={threshold: value})

    assert answer is metrics(params=PARAMS.model_copy(update={"marks": marks}))["marks"][mark]


def test_the_mark_of_a_good_accuracy_is_the_datasets() -> None:
    assert metrics(accuracy_above=0.74)["marks"]["accuracy_high"]
    assert not metrics(accuracy_above=0.75)["marks"]["accuracy_high"]


def test_the_balanced_accuracy_is_among_the_metrics_where_classes_differ_in_size() -> None:
    assert 0.833333 == metrics()["balanced_accuracy"]
    assert "balanced_accuracy" not in evaluate(ANSWERS[1:], LABELS[1:], ACCEPTED[1:], HISTORY, 0.7, PARAMS)


def test_a_class_without_an_image_does_not_lower_the_balanced_accuracy() -> None:
    # Class 0: one of two is right; class 2: one of one; class 1 is nowhere.
    answers, labels = ANSWERS[[0, 1, 3]], LABELS[[0, 1, 3]]

    assert 0.75 == balanced_accuracy(answers, labels)


def test_of_more_than_ten_classes_an_answer_counts_among_the_five_likeliest() -> None:
    # The labels 0 to 11 have the places 1 to 12, but for the last image, where they are the other way round.
    falling = np.arange(12, 0, -1, np.float32) / np.float32(78)
    answers, labels = np.array([falling, falling, falling[::-1]]), np.array([4, 5, 11])
    measured: dict[str, Any] = evaluate(answers, labels, labels > 0, HISTORY, 0.7, PARAMS)

    assert 0.666667 == measured["top_5_accuracy"]
    assert "top_5_accuracy" not in metrics()


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
    first, second = (
        (
            evaluate(answers, labels, labels > 0, HISTORY, 0.7, PARAMS),
            details(answers, answers, labels, labels > 0, {}, PARAMS),
        )
        for answers, labels in (example, (example[0][::-1], example[1][::-1]))
    )

    assert first == second


@pytest.mark.parametrize(
    ("answers", "labels"),
    [(ANSWERS[:3], LABELS), (ANSWERS, LABELS[:3]), (ANSWERS[:, :2], LABELS)],
)
def test_probabilities_that_do_not_belong_to_the_labels_are_refused(
    answers: np.ndarray, labels: np.ndarray
) -> None:
    with pytest.raises(DigitsError, match="do not fit"):
        evaluate(answers, labels, ACCEPTED, HISTORY, 0.7, PARAMS)


def test_probabilities_that_are_not_finite_are_refused() -> None:
    """They come from a model whose training has diverged."""
    with pytest.raises(DigitsError, match="nan"):
        evaluate(np.full_like(ANSWERS, np.nan), LABELS, ACCEPTED, HISTORY, 0.7, PARAMS)


def test_numbers_are_rounded_to_six_decimals_wherever_they_stand() -> None:
    assert {"a": {"b": 0.333333}, "c": 3, "d": True} == rounded({"a": {"b": 1 / 3}, "c": 3, "d": True})
