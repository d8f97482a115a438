"""Fitting a recipe's network to the training images."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from digits import networks
from digits.arrays import Arrays
from digits.recipes import Recipe
from digits.tables import Table

if TYPE_CHECKING:
    import keras


def train(
    train: Arrays, validation: Arrays, recipe: Recipe, seed: int, checkpoint: Path, key: str
) -> tuple[keras.Sequential, Table]:
    """Train the recipe's network; `digits.runtime.start` must have been called.

    Args:
        train: `images` (N, H, W, 1), float32 in [0, 1] or uint8 in 255ths,
            and integer `labels` (N,) that name every class.
        validation: the same for the images that decide on the learning rate and the epoch to keep.
        recipe: the network and the numbers of its training.
        seed: governs the initial weights, the order of the images, dropout and shifts.
        checkpoint: the file from which a stopped run goes on, and in which this one leaves its state.
        key: identifies the exact inputs; a checkpoint with another key is not used.

    Returns:
        A model of Keras's own layers with the weights of the epoch of lowest validation loss,
        and the history: a value per epoch for each column of `digits.checkpoints.HISTORY`.
    """
    import keras

    from digits.batches import batches_in_order, training_batches
    from digits.checkpoints import Journal
    from digits.exact import ExactAdam, exact_copy

    keras.utils.set_random_seed(seed)
    classes = int(train["labels"].max()) + 1
    model = networks.build(train["images"].shape[1:], classes, recipe)
    exact = exact_copy(model)
    optimizer = ExactAdam(recipe.learning_rate)
    exact.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    optimizer.build(exact.trainable_variables)

    on_terminal = sys.stdout.isatty()
    stopping, plateau = recipe.early_stopping, recipe.plateau
    early_stopping = keras.callbacks.EarlyStopping(patience=stopping.patience, restore_best_weights=True)
    falling_rate = keras.callbacks.ReduceLROnPlateau(factor=plateau.factor, patience=plateau.patience)
    journal = Journal(checkpoint, key, early_stopping, falling_rate, says_epochs=not on_terminal)
    first_epoch = journal.epochs_done
    exact.fit(
        training_batches(train, recipe.batch_size, recipe.shift, seed, first_epoch),
        steps_per_epoch=math.ceil(len(train["labels"]) / recipe.batch_size),
        initial_epoch=first_epoch,
        epochs=first_epoch if journal.stopped else recipe.epochs,
        validation_data=batches_in_order(validation["images"], validation["labels"]),
        shuffle=False,
        callbacks=[early_stopping, falling_rate, journal],
        verbose="auto" if on_terminal else 0,
    )
    model.set_weights(exact.get_weights())
    return model, journal.history
