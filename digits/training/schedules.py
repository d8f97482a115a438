"""How the learning rate goes: what follows the validation loss, and what is fixed for each step beforehand.

The module needs Keras, and so it is imported where it is used, after `digits.backend.runtime.start`.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from digits.training.recipes import OneCycle, Plateau, Recipe

Callbacks = tuple[keras.callbacks.EarlyStopping | None, keras.callbacks.ReduceLROnPlateau | None]


def scheduled(recipe: Recipe, steps: int) -> tuple[float | FixedRates, Callbacks]:
    """Give the learning rate to start with, or that of each of `steps` steps, and what changes it on the way.

    The second part is what stops early and what lowers the rate, None twice where all is fixed beforehand.
    """
    schedule = recipe.schedule
    if schedule.kind == "one_cycle":
        return FixedRates(one_cycle_rates(schedule, recipe.learning_rate, steps)), (None, None)
    return recipe.learning_rate, plateau_callbacks(schedule)


class FixedRates(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate for each step, looked up: the same bits on every CPU, and after any interruption."""

    def __init__(self, rates: np.ndarray) -> None:
        self.rates = tf.constant(rates, tf.float32)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Give the rate of the step with that number (0-based), the last one after the end."""
        return tf.gather(self.rates, tf.minimum(tf.cast(step, tf.int32), len(self.rates) - 1))


def one_cycle_rates(schedule: OneCycle, highest: float, steps: int) -> np.ndarray:
    """Give the learning rate in the middle of each of `steps` steps: float64 (steps,).

    It is linear between 0, `highest` and the share `schedule.final` of it, as in Smith and Topin (2018),
    "Super-convergence: very fast training of neural networks using large learning rates".
    """
    done = (np.arange(steps) + 0.5) / steps
    rates: np.ndarray = np.interp(
        done,
        [0, schedule.warm_up, 1],
        [0 if schedule.warm_up else highest, highest, schedule.final * highest],
    )
    return rates


def plateau_callbacks(schedule: Plateau) -> Callbacks:
    """Give what stops early, and what lowers the learning rate."""
    stopping = keras.callbacks.EarlyStopping(patience=schedule.stopping_patience, restore_best_weights=True)
    return stopping, keras.callbacks.ReduceLROnPlateau(factor=schedule.factor, patience=schedule.patience)
