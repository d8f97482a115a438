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


def fast(classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Give the layers of a network that spends little where images are large.

    It pools before it normalizes and cuts off, on a quarter of the values;
    and a convolution has no bias where batch norm takes it away again.
    """
    from keras import layers

    momentum = recipe.batch_norm_momentum
    return [
        layers.Cropping2D(1),
        layers.Conv2D(16, 3, use_bias=False),
        layers.MaxPooling2D(),
        layers.BatchNormalization(momentum=momentum),
        layers.ReLU(),
        layers.Dropout(recipe.dropout.convolution),
        layers.Conv2D(48, 3, use_bias=False),
        layers.MaxPooling2D(),
        layers.BatchNormalization(momentum=momentum),
        layers.ReLU(),
        layers.Dropout(recipe.dropout.convolution),
        layers.Flatten(),
        layers.Dense(128, use_bias=False),
        layers.BatchNormalization(momentum=momentum),
        layers.ReLU(),
        layers.Dropout(recipe.dropout.dense),
        layers.Dense(classes, activation="softmax"),
    ]


def accurate(classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Give the layers of a network of five convolutions, all but the first of them on small images."""
    from keras import layers

    momentum, dropout = recipe.batch_norm_momentum, recipe.dropout
    blocks: list[keras.Layer] = [layers.Conv2D(16, 3), layers.MaxPooling2D(), layers.ReLU()]
    for filters in (32, 32, 64, 64):
        blocks += [
            layers.Conv2D(filters, 3, use_bias=False),
            layers.BatchNormalization(momentum=momentum),
            layers.ReLU(),
            layers.Dropout(dropout.convolution),
        ]
    return [
        *blocks,
        layers.Flatten(),
        layers.Dropout(dropout.dense),
        layers.Dense(classes, activation="softmax"),
    ]


NETWORKS: dict[str, Network] = {"accurate": accurate, "article": article, "fast": fast}


def build(image_shape: tuple[int, int, int], classes: int, recipe: Recipe) -> keras.Sequential:
    """Build the recipe's network for images of `image_shape` (height, width, channels).

    Returns:
        A model of Keras's own layers, with initial weights drawn from Keras's global seed.
        It maps float32 images (N, *image_shape) in [0, 1] to float32 probabilities (N, classes).
    """
    import keras

    layers = NETWORKS[recipe.network](classes, recipe)
    return keras.Sequential([keras.Input(image_shape, name="image"), *layers], name=recipe.network)
