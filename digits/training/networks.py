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

    Shape = tuple[int, int, int]
    Network = Callable[[Shape, int, Recipe], list[keras.Layer]]

# Images of more pixels are made smaller by the stride of the first convolution.
MOST_PIXELS = 40 * 40
# With a shorter side, after that stride, the edges are padded: there is no room to lose them.
SMALLEST_UNPADDED = 20
# Pooling in `general` leaves a shorter side of at least so many positions.
SMALLEST_POOLED = 6


def stride_of(image_shape: Shape) -> int:
    """Return the stride of the first convolution: the least that leaves at most `MOST_PIXELS` positions."""
    height, width, _ = image_shape
    return math.isqrt(math.ceil(height * width / MOST_PIXELS) - 1) + 1


def padding_of(image_shape: Shape) -> str:
    """Return `valid`, Keras's word for no padding, or `same` where images are small."""
    shorter = min(image_shape[:2]) // stride_of(image_shape)
    return "valid" if shorter >= SMALLEST_UNPADDED else "same"


def window_of(image_shape: Shape, side: int = 3) -> dict[str, int]:
    """Return kernel size and stride of the first convolution, which are `side` and 1 unless images are large.

    With a stride of its own the windows overlap by a single row: each pixel is read about once.
    """
    stride = stride_of(image_shape)
    return (
        {"kernel_size": side, "strides": 1} if stride == 1 else {"kernel_size": stride + 1, "strides": stride}
    )


def article(image_shape: Shape, classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Return the layers of a common MNIST tutorial's CNN: convolution blocks, then a dense block."""
    from keras import layers

    dropout, momentum = recipe.dropout, recipe.batch_norm_momentum
    padding = padding_of(image_shape)
    *filters, units = recipe.widths
    stack: list[keras.Layer] = []
    for number, width in enumerate(filters):
        window = {"kernel_size": 3} if number else window_of(image_shape)
        stack += [
            layers.Conv2D(width, padding=padding, activation="relu", **window),
            layers.BatchNormalization(momentum=momentum),
            layers.MaxPooling2D(padding=padding),
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


def fast(image_shape: Shape, classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Return the layers of a network like `article` that does less work where images are large.

    It crops two rows and columns on each side, unless images are small, and its first convolution is 5x5.
    It pools before batch norm and ReLU, which then work on a quarter of the values.
    Layers before batch norm have no bias, which batch norm would subtract again.
    """
    from keras import layers

    dropout, momentum = recipe.dropout, recipe.batch_norm_momentum
    padding = padding_of(image_shape)
    *filters, units = recipe.widths
    stack: list[keras.Layer] = [layers.Cropping2D(2)] if padding == "valid" else []
    for number, width in enumerate(filters):
        window = {"kernel_size": 3} if number else window_of(image_shape, 5)
        stack += [
            layers.Conv2D(width, padding=padding, use_bias=False, **window),
            layers.MaxPooling2D(padding=padding),
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


def accurate(image_shape: Shape, classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Return the layers of a convolutional network without a hidden dense layer.

    It pools once, after the first convolution; each further convolution takes two pixels off the size,
    unless images are small.
    """
    from keras import layers

    dropout, momentum = recipe.dropout, recipe.batch_norm_momentum
    padding = padding_of(image_shape)
    first, *others = recipe.widths
    stack: list[keras.Layer] = [
        layers.Conv2D(first, padding=padding, **window_of(image_shape)),
        layers.MaxPooling2D(padding=padding),
        layers.ReLU(),
    ]
    for width in others:
        stack += [
            layers.Conv2D(width, 3, padding=padding, use_bias=False),
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


def general(image_shape: Shape, classes: int, recipe: Recipe) -> list[keras.Layer]:
    """Return the layers of a network for images of anything: padded convolutions, and no hidden dense layer.

    It pools after each of its first convolutions, until pooling again would leave too few positions, and
    once more before the last layer.
    """
    from keras import layers

    dropout, momentum = recipe.dropout, recipe.batch_norm_momentum
    side = math.ceil(min(image_shape[:2]) / stride_of(image_shape))
    stack: list[keras.Layer] = []
    for number, width in enumerate(recipe.widths):
        window = {"kernel_size": 3} if number else window_of(image_shape)
        stack.append(layers.Conv2D(width, padding="same", use_bias=False, **window))
        if side // 2 >= SMALLEST_POOLED:
            stack.append(layers.MaxPooling2D())
            side //= 2
        stack += [
            layers.BatchNormalization(momentum=momentum),
            layers.ReLU(),
            layers.Dropout(dropout.convolution),
        ]
    return [
        *stack,
        layers.MaxPooling2D(padding="same"),
        layers.Flatten(),
        layers.Dropout(dropout.dense),
        layers.Dense(classes, activation="softmax"),
    ]


NETWORKS: dict[str, Network] = {"accurate": accurate, "article": article, "fast": fast, "general": general}


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

    layers = NETWORKS[recipe.network](image_shape, classes, recipe)
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
