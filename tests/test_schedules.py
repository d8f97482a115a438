"""The learning rate of each step is fixed beforehand where the schedule is one cycle."""

import numpy as np
import pytest

from digits.training.recipes import OneCycle

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]


@pytest.mark.parametrize(
    ("warm_up", "final", "expected"),
    [
        (0.5, 0.0, [0.25, 0.75, 0.75, 0.25]),
        (0.25, 0.0, [0.5, 5 / 6, 0.5, 1 / 6]),
        (0.0, 0.0, [0.875, 0.625, 0.375, 0.125]),
        (0.5, 0.5, [0.25, 0.75, 0.875, 0.625]),
    ],
)
def test_one_cycle_is_straight_up_and_straight_down(
    warm_up: float, final: float, expected: list[float]
) -> None:
    from digits.training.schedules import one_cycle_rates

    rates = one_cycle_rates(OneCycle(kind="one_cycle", warm_up=warm_up, final=final), 0.1, 4)

    np.testing.assert_allclose(0.1 * np.array(expected), rates, rtol=0, atol=1e-12)


def test_each_step_has_its_rate_and_the_last_one_stays() -> None:
    import tensorflow as tf

    from digits.training.schedules import FixedRates

    rates = FixedRates(np.array([0.5, 0.25, 0.125]))

    assert [0.5, 0.25, 0.125, 0.125] == [float(rates(tf.constant(step, tf.int64))) for step in (0, 1, 2, 7)]
