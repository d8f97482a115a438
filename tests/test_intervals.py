"""Wilson's interval of a share, against its formula worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.evaluation.intervals import wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    [
        # With z² = 3.8414588: the centre is (0.9942 + z²/20000) / (1 + z²/10000) = 0.9940102, and the margin
        # is z sqrt(0.9942 * 0.0058 / 10000 + z²/400000000) / (1 + z²/10000) = 0.0015001.
        (9942, 10000, (0.9925101, 0.9955103)),
        # The upper end is z² / (10 + z²) = 3.8414588 / 13.8414588.
        (0, 10, (0, 0.2775328)),
        # The mirror image: 10 / 13.8414588.
        (10, 10, (0.7224672, 1)),
    ],
)
def test_the_interval_is_the_one_worked_out_by_hand(
    successes: int, trials: int, interval: tuple[float, float]
) -> None:
    assert pytest.approx(interval, abs=1e-7) == wilson_interval(successes, trials)


@given(st.integers(1, 10**6).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_interval_holds_the_measured_share_and_stays_between_0_and_1(case: tuple[int, int]) -> None:
    successes, trials = case

    lower, upper = wilson_interval(successes, trials)

    assert 0 <= lower <= successes / trials <= upper <= 1


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 10), (11, 10)])
def test_impossible_counts_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match=f"{successes} successes in {trials} trials"):
        wilson_interval(successes, trials)
