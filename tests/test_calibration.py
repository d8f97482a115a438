"""Bins of confidence and the expected calibration error, against sums done by hand."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digits.evaluation.calibration_error import calibration_bins, expected_calibration_error

# Two bins: 0.3 (wrong) and 0.5 (right) are in (0, 0.5], 0.8 (right) and 1.0 (wrong) in (0.5, 1].
CONFIDENCE = np.array([0.3, 0.5, 0.8, 1.0])
CORRECT = np.array([False, True, True, False])

Examples = list[tuple[float, bool]]
FALLING: Examples = [(0.5, False), (2**-54, False), (2**-54, False)]
EXAMPLES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50)


def test_each_bin_has_its_count_mean_confidence_and_accuracy() -> None:
    counts, mean_confidence, accuracy = calibration_bins(CONFIDENCE, CORRECT, bins=2)

    assert [2, 2] == counts.tolist()
    assert pytest.approx([0.4, 0.9]) == mean_confidence.tolist()
    assert [0.5, 0.5] == accuracy.tolist()


def test_the_error_is_the_mean_gap_weighted_by_the_examples_in_each_bin() -> None:
    # Three examples at 0.9, all right, and one at 0.2, wrong: 3/4 * 0.1 + 1/4 * 0.2.
    confidence = np.array([0.9, 0.9, 0.9, 0.2])

    error = expected_calibration_error(confidence, np.array([True, True, True, False]), bins=10)

    assert pytest.approx(0.125) == error


def test_a_confidence_on_an_edge_belongs_to_the_bin_below_and_0_to_the_first() -> None:
    edges = np.arange(16) / 15

    counts, _, _ = calibration_bins(edges, np.ones(16, bool), bins=15)

    assert [2] + [1] * 14 == counts.tolist()


def test_an_empty_bin_has_no_mean_and_counts_for_nothing() -> None:
    counts, mean_confidence, accuracy = calibration_bins(np.array([0.75]), np.array([True]), bins=2)

    assert [0, 1] == counts.tolist()
    assert np.isnan([mean_confidence[0], accuracy[0]]).all()
    assert 0.25 == expected_calibration_error(np.array([0.75]), np.array([True]), bins=2)


def test_confidences_in_single_precision_are_binned_by_their_own_value() -> None:
    # The float32 nearest to 0.2 lies above 0.2, and so in the second of five bins.
    counts, _, _ = calibration_bins(np.array([0.2], np.float32), np.array([True]), bins=5)

    assert [0, 1, 0, 0, 0] == counts.tolist()


@given(EXAMPLES, st.integers(1, 30))
def test_the_error_is_between_0_and_1_and_every_example_is_in_one_bin(examples: Examples, bins: int) -> None:
    confidence, correct = (np.array(column) for column in zip(*examples, strict=True))

    counts, _, _ = calibration_bins(confidence, correct, bins)

    assert len(examples) == counts.sum()
    assert 0 <= expected_calibration_error(confidence, correct, bins) <= 1


# Added one by one to 0.5, each of the two small numbers is lost; added to each other first, they are not.
@example((FALLING, FALLING[::-1]))
@given(EXAMPLES.flatmap(lambda examples: st.tuples(st.just(examples), st.permutations(examples))))
def test_the_order_of_the_examples_changes_not_one_bit_of_the_error(
    orders: tuple[Examples, Examples],
) -> None:
    first, second = (
        expected_calibration_error(
            np.array([confidence for confidence, _ in order]),
            np.array([correct for _, correct in order]),
            bins=1,
        )
        for order in orders
    )

    assert first == second


@pytest.mark.parametrize("confidence", [-0.1, 1.1, np.nan])
def test_a_confidence_that_is_no_probability_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
        calibration_bins(np.array([confidence]), np.array([True]), bins=15)


def test_as_many_confidences_as_examples_are_needed() -> None:
    with pytest.raises(ValueError, match="confidences for"):
        calibration_bins(np.array([0.5, 0.5]), np.array([True]), bins=15)
