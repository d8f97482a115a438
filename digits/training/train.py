"""Fitting a recipe's network to the training images."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digits.files import Arrays, Table
from digits.training import networks
from digits.training.recipes import Recipe

if TYPE_CHECKING:
    import keras

# A second of a small network's steps: more would gain nothing, and delay the answer to Ctrl-C.
MOST_AT_ONCE = 25


def train(
    train: Arrays, validation: Arrays, recipe: Recipe, seed: int, checkpoint: Path, key: str
) -> tuple[keras.Sequential, Table]:
    """Train the recipe's network; `digits.backend.runtime.start` must have been called.

    Args:
        train: `images` (N, H, W, 1), float32 in [0, 1] or uint8 in 255ths,
            and integer `labels` (N,) that name every class.
        validation: the same for the images that decide on the learning rate and the epoch to keep.
        recipe: the network and the numbers of its training.
        seed: governs the initial weights, the order of the images, dropout and augmentation.
        checkpoint: the file from which a stopped run goes on, and in which this one leaves its state.
        key: identifies the exact inputs; a checkpoint with another key is not used.

    Returns:
        A model of Keras's own layers with the weights of the epoch of lowest validation loss,
        or of the last epoch where the schedule is `one_cycle`, and the history:
        a value per epoch for each column of `digits.training.checkpoints.HISTORY`.
    """
    import keras

    from digits.backend.batches import batches_in_order, training_batches
    from digits.backend.exact import ExactAdam, exact_copy
    from digits.training.augmentation import augmented
    from digits.training.checkpoints import Journal
    from digits.training.schedules import scheduled

    keras.utils.set_random_seed(seed)
    classes = int(train["labels"].max()) + 1
    model = networks.build(train["images"].shape[1:], classes, recipe)
    exact = exact_copy(model)
    steps = math.ceil(len(train["labels"]) / recipe.batch_size)
    rate, (stopping, falling_rate) = scheduled(recipe, steps * recipe.epochs)
    optimizer = ExactAdam(rate, beta_2=recipe.beta_2)
    exact.compile(
        optimizer,
        loss=_loss(recipe.label_smoothing, classes),
        metrics=["accuracy"],
        steps_per_execution=steps_at_once(steps),
    )
    optimizer.build(exact.trainable_variables)

    changed = partial(augmented, augmentation=recipe.augmentation)
    on_terminal = sys.stdout.isatty()
    journal = Journal(checkpoint, key, stopping, falling_rate, says_epochs=not on_terminal)
    first_epoch = journal.epochs_done
    exact.fit(
        training_batches(train, recipe.batch_size, changed, seed, first_epoch),
        steps_per_epoch=steps,
        initial_epoch=first_epoch,
        epochs=first_epoch if journal.stopped else recipe.epochs,
        validation_data=batches_in_order(validation["images"], validation["labels"]),
        shuffle=False,
        callbacks=[callback for callback in (stopping, falling_rate, journal) if callback],
        verbose="auto" if on_terminal else 0,
    )
    model.set_weights(exact.get_weights())
    return model, journal.history


def steps_at_once(steps: int) -> int:
    """Give how many steps TensorFlow takes between two looks of Python's, for epochs of `steps` steps.

    It divides `steps`, or else Keras would take further ones from the next epoch.
    """
    return max(count for count in range(1, MOST_AT_ONCE + 1) if steps % count == 0)


def _loss(smoothing: float, classes: int) -> str | Callable[[Any, Any], Any]:
    """Give the cross-entropy, of which the share `smoothing` is towards all classes alike.

    The smoothing is that of Szegedy et al. (2016), "Rethinking the inception architecture".
    """
    import keras

    def smoothed(labels: Any, probabilities: Any) -> Any:
        truth = keras.ops.one_hot(keras.ops.reshape(labels, [-1]), classes)
        return keras.losses.categorical_crossentropy(truth, probabilities, label_smoothing=smoothing)

    return smoothed if smoothing else "sparse_categorical_crossentropy"
