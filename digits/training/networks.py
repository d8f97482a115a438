"""The networks that a recipe can name.

To add one, write a function that returns its layers, add it to `NETWORKS`, and its name to `Recipe.network`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from digits.errors import DigitsError, short
from digits.training.recipes import Recipe

if TYPE_CHECKING:
    import keras

    Network = Callable[[int, Recipe], list[keras.Layer]]


def article(classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Return the layers of a common MNIST tutorial's CNN: convolution blocks, then a dense block."""
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
    """Return the layers of a network like `article` that does less work where images are large.

    It crops two rows and columns on each side, and its first convolution is 5x5.
    It pools before batch norm and ReLU, which then work on a quarter of the values.
    Layers before batch norm have no bias, which batch norm would subtract again.
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
    """Return the layers of a convolutional network without a hidden dense layer.

    It pools once, after the first convolution; each further convolution takes two pixels off the size.
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


def memory_needed(layers: list[keras.Layer], image_shape: tuple[int, ...], batch_size: int) -> int:
    """Return the bytes that training needs at least: weights and outputs of each layer, in float32.

    Weights are there six times: in the model and its exact copy, as gradients, as the two averages of Adam,
    and as those of the best epoch. Outputs are there for each image of a batch, with their gradients.
    The layers need not be built, and no memory is taken for them.
    """
    weights = outputs = 0
    shape: tuple[int | None, ...] = (None, *image_shape)
    for layer in layers:
        window = math.prod(getattr(layer, "kernel_size", (1,)))
        units = getattr(layer, "filters", getattr(layer, "units", 0))
        weights += window * (shape[-1] or 0) * units
        shape = layer.compute_output_shape(shape)
        outputs += math.prod(length or 1 for length in shape)
    return 4 * (6 * weights + 2 * outputs * batch_size)


def machine_memory() -> int:
    """Return the bytes of memory that this machine has, or the container that this process is in."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError, ValueError):  # no such limit, or the word max
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(limits)


def build(image_shape: tuple[int, int, int], classes: int, recipe: Recipe) -> keras.Sequential:
    """Build the recipe's network for images of `image_shape` (height, width, channels).

    Returns:
        A model of Keras's own layers, with initial weights drawn from Keras's global seed.
        It maps float32 images (N, *image_shape) in [0, 1] to float32 probabilities (N, classes).

    Raises:
        DigitsError: the images are too small for so many layers, or the machine's memory for their widths.
    """
    import keras

    layers = NETWORKS[recipe.network](classes, recipe)
    try:
        needed, available = memory_needed(layers, image_shape, recipe.batch_size), machine_memory()
        if needed > available:
            raise DigitsError(
                f"params.yaml: the network {recipe.network!r} with the widths {short(recipe.widths)} and the "
                f"batch size {recipe.batch_size} needs {needed / 1e9:,.1f} GB of memory to train; "
                f"this machine has {available / 1e9:,.1f} GB"
            )
        return keras.Sequential([keras.Input(image_shape, name="image"), *layers], name=recipe.network)
    except ValueError as error:
        height, width, _ = image_shape
        what = f"the network {recipe.network!r} with {len(recipe.widths)} widths"
        raise DigitsError(f"{what} does not fit images of {height} by {width} pixels; give fewer") from error
