"""The networks that a recipe can name; another one is another function in `NETWORKS`.

Keras is imported where a network is built, so that a recipe is checked without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from digits.errors import DigitsError

if TYPE_CHECKING:
    import keras

    from digits.training.recipes import Recipe

    Network = Callable[[int, Recipe], list[keras.Layer]]


def article(classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Give the layers of the article's network: convolution blocks, and a dense block of the last width."""
    from keras import layers

    dropout, momentum = recipe.dropout, recipe.batch_norm_momentum
    *filters, units = recipe.widths
    stack: list[keras.Layer] = []
    for width in filters:
        stack += [
            layers.Conv2D(width, 3, activation="relu"),
            layers.BatchNormalization(momentum=momentum),
            layers.MaxPooling2D(),
            layers.Dropout(dropout.convolution),
        ]
    return [
        *stack,
        layers.Flatten(),
        layers.Dense(units, activation="relu"),
        layers.BatchNormalization(momentum=momentum),
        layers.Dropout(dropout.dense),
        layers.Dense(classes, activation="softmax"),
    ]


def fast(classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Give the layers of a network like the article's that spends less where images are large.

    It leaves out the two outermost rows and columns on each side, and looks at 5x5 pixels first.
    It pools before it normalizes and cuts off, so that both have a quarter of the values,
    and a layer has no bias where batch norm would take it away again.
    """
    from keras import layers

    dropout, momentum = recipe.dropout, recipe.batch_norm_momentum
    *filters, units = recipe.widths
    stack: list[keras.Layer] = [layers.Cropping2D(2)]
    for number, width in enumerate(filters):
        stack += [
            layers.Conv2D(width, 3 if number else 5, use_bias=False),
            layers.MaxPooling2D(),
            layers.BatchNormalization(momentum=momentum),
            layers.ReLU(),
            layers.Dropout(dropout.convolution),
        ]
    return [
        *stack,
        layers.Flatten(),
        layers.Dense(units, use_bias=False),
        layers.BatchNormalization(momentum=momentum),
        layers.ReLU(),
        layers.Dropout(dropout.dense),
        layers.Dense(classes, activation="softmax"),
    ]


def accurate(classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Give the layers of a network of convolutions alone, all but the first of them on small images.

    The images shrink by two pixels a convolution instead of by further pooling.
    """
    from keras import layers

    dropout, momentum = recipe.dropout, recipe.batch_norm_momentum
    first, *others = recipe.widths
    stack: list[keras.Layer] = [layers.Conv2D(first, 3), layers.MaxPooling2D(), layers.ReLU()]
    for width in others:
        stack += [
            layers.Conv2D(width, 3, use_bias=False),
            layers.BatchNormalization(momentum=momentum),
            layers.ReLU(),
            layers.Dropout(dropout.convolution),
        ]
    return [
        *stack,
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

    Raises:
        DigitsError: nothing is left of the images after so many convolutions.
    """
    import keras

    layers = NETWORKS[recipe.network](classes, recipe)
    try:
        return keras.Sequential([keras.Input(image_shape, name="image"), *layers], name=recipe.network)
    except ValueError as error:
        height, width, _ = image_shape
        what = f"the network {recipe.network!r} with {len(recipe.widths)} widths"
        raise DigitsError(f"{what} does not fit images of {height} by {width} pixels; give fewer") from error
