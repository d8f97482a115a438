"""The networks that a recipe can name; another one is another function in `NETWORKS`.

Keras is imported where a network is built, so that a recipe is checked without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from digits.recipes import Recipe

    Network = Callable[[int, Recipe], list[keras.Layer]]


def article(classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Give the layers of the article's network: two convolution blocks and a dense block."""
    from keras import layers

    dropout, momentum = recipe.dropout, recipe.batch_norm_momentum
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.BatchNormalization(momentum=momentum),
        layers.MaxPooling2D(),
        layers.Dropout(dropout.convolution),
        layers.Conv2D(64, 3, activation="relu"),
        layers.BatchNormalization(momentum=momentum),
        layers.MaxPooling2D(),
        layers.Dropout(dropout.convolution),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.BatchNormalization(momentum=momentum),
        layers.Dropout(dropout.dense),
        layers.Dense(classes, activation="softmax"),
    ]


NETWORKS: dict[str, Network] = {"article": article}


def build(image_shape: tuple[int, int, int], classes: int, recipe: Recipe) -> keras.Sequential:
    """Build the recipe's network for images of `image_shape` (height, width, channels).

    Returns:
        A model of Keras's own layers, with initial weights drawn from Keras's global seed.
        It maps float32 images (N, *image_shape) in [0, 1] to float32 probabilities (N, classes).
    """
    import keras

    layers = NETWORKS[recipe.network](classes, recipe)
    return keras.Sequential([keras.Input(image_shape, name="image"), *layers], name=recipe.network)
