"""Train a recipe's network: build it, compile it, and fit it to the training images."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digits.files import Arrays, Table
from digits.training import networks
from digits.training.recipes import Recipe

if TYPE_CHECKING:
    import keras

# A second of a small network's steps; more would save nothing, and delay the response to Ctrl-C.
MOST_STEPS_PER_EXECUTION = 25


def train(
    train: Arrays, validation: Arrays, recipe: Recipe, seed: int, checkpoint: Path, key: str
) -> tuple[keras.Sequential, Table]:
    """Train the recipe's network; call `digits.backend.runtime.start` before.

    Args:
        train: `images` (N, H, W, 1), float32 in [0, 1] or uint8 in 255ths,
            and integer `labels` (N,), in which every class occurs.
        validation: the same, for the learning rate and the choice of the epoch to keep.
        recipe: the network and the numbers of its training.
        seed: governs the initial weights, the order of the images, dropout and augmentation.
        checkpoint: the file from which an interrupted run resumes, and to which this one saves its state.
        key: identifies the exact inputs; a checkpoint with another key is ignored.

    Returns:
        A model of Keras's own layers with the weights of the epoch of lowest validation loss,
        or of the last epoch if the schedule is `one_cycle`, and the history:
        a value per epoch for each column of `digits.files.HISTORY`.
    """
    import keras

    from digits.backend.batches import batches_in_order, training_batches
    from digits.backend.exact import exact_copy
    from digits.training.augmentation import augmented
    from digits.training.checkpoints import Journal
    from digits.training.schedules import scheduled

    keras.utils.set_random_seed(seed)
    classes = int(train["labels"].max()) + 1
    model = networks.build(train["images"].shape[1:], classes, recipe)
    exact = exact_copy(model)
    steps = math.ceil(len(train["labels"]) / recipe.batch_size)
    learning_rate, (early_stopping, plateau) = scheduled(recipe, steps * recipe.epochs)
    optimizer = keras.optimizers.Adam(learning_rate, beta_2=recipe.beta_2)
    exact.compile(
        optimizer,
        loss=_loss(recipe.label_smoothing, classes),
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution(steps),
    )
    optimizer.build(exact.trainable_variables)

    augment = partial(augmented, augmentation=recipe.augmentation)
    on_terminal = sys.stdout.isatty()
    journal = Journal(checkpoint, key, early_stopping, plateau, prints_epochs=not on_terminal)
    first_epoch = journal.epochs_done
    exact.fit(
        training_batches(train, recipe.batch_size, augment, seed, first_epoch),
        steps_per_epoch=steps,
        initial_epoch=first_epoch,
        epochs=first_epoch if journal.stopped else recipe.epochs,
        validation_data=batches_in_order(validation["images"], validation["labels"]),
        shuffle=False,
        class_weight=class_weights(train["labels"], recipe.class_weights),
        callbacks=[callback for callback in (early_stopping, plateau, journal) if callback],
        verbose="auto" if on_terminal else 0,
    )
    model.set_weights(exact.get_weights())
    return model, journal.history


def steps_per_execution(steps: int) -> int:
    """Return how many steps TensorFlow runs without returning to Python, for epochs of `steps` steps.

    It divides `steps`; otherwise Keras would run the last steps of an epoch into the next one.
    """
    return max(count for count in range(1, MOST_STEPS_PER_EXECUTION + 1) if steps % count == 0)


def class_weights(labels: np.ndarray, strength: float) -> dict[int, float] | None:
    """Return what the loss of each class is multiplied by, or None for no weights.

    With `strength` 1 the weights are inverse to the number of images, so that each class counts as much as
    any other; with less they lie in between, as that share of the way from 1. They average 1 over the images.

    Args:
        labels: integers (N,), in which every class occurs.
        strength: from 0, no weights, to 1.
    """
    if not strength:
        return None
    counts = np.bincount(labels)
    inverse = len(labels) / (len(counts) * counts)
    return {label: float(1 + strength * (weight - 1)) for label, weight in enumerate(inverse)}


def _loss(smoothing: float, classes: int) -> str | Callable[[Any, Any], Any]:
    """Return the cross-entropy, with a share `smoothing` of the label spread evenly over all classes.

    Label smoothing: Szegedy et al. (2016), "Rethinking the inception architecture for computer vision".
    """
    import keras

    def smoothed(labels: Any, probabilities: Any) -> Any:
        truth = keras.ops.one_hot(keras.ops.reshape(labels, [-1]), classes)
        return keras.losses.categorical_crossentropy(truth, probabilities, label_smoothing=smoothing)

    return smoothed if smoothing else "sparse_categorical_crossentropy"
