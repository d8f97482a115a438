"""The network that finds ink: a U-Net that looks at 112 by 112 pixels in colour.

Source: Ronneberger, Fischer and Brox (2015), "U-Net: convolutional networks for biomedical image
segmentation", with sums in place of concatenations. It works on squares of 2 by 2 pixels, of which each is
one position. It is trained with batch norm, and asked with batch norm folded into the convolutions, so that
all that it needs is a kernel and a bias for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digits.files import read_arrays, write_arrays

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import tensorflow as tf

CLASSES = 5
"""Ground, the ink of digits, other marks, and again ground and the ink of digits, in the core of a digit."""

CONVOLUTIONS = 13

Weights = list[tuple[np.ndarray, np.ndarray]]


def u_net(
    images: Any, widths: list[int], convolution: Callable[[Any, int, int], Any], last: Any, own: Any
) -> Any:
    """Lead images (N, SIDE, SIDE, 3) through the network, which is described here once.

    Args:
        images: in [0, 1].
        widths: channels at 56, 28, 14 and 7 positions a side.
        convolution: applies a convolution of so many channels and such a size, batch norm and relu.
        last: the same without batch norm and relu.
        own: the functions `halved`, `to_depth` and `to_space` of what computes.
    """
    values = own.to_depth(images)
    passed = []
    for number, width in enumerate(widths):
        if number:
            values = own.halved(values)
        values = convolution(values, width, 3)
        if number > 1:
            values = convolution(values, width, 3)
        passed.append(values)
    for width, beside in zip(widths[-2::-1], passed[-2::-1], strict=True):
        values = own.to_space(last(values, 4 * width, 1)) + beside
        values = convolution(values, width, 3)
    return own.to_space(last(values, 4 * CLASSES, 3))


class Operations:
    """TensorFlow's operations between the convolutions."""

    @staticmethod
    def halved(values: tf.Tensor) -> tf.Tensor:
        """Return the strongest of each square of 2 by 2."""
        import tensorflow as tf

        return tf.nn.max_pool2d(values, 2, 2, "VALID")

    @staticmethod
    def to_depth(values: tf.Tensor) -> tf.Tensor:
        """Put squares of 2 by 2 positions into the channels of one."""
        import tensorflow as tf

        return tf.nn.space_to_depth(values, 2)

    @staticmethod
    def to_space(values: tf.Tensor) -> tf.Tensor:
        """Put the channels of one position into squares of 2 by 2."""
        import tensorflow as tf

        return tf.nn.depth_to_space(values, 2)


def write_weights(path: Path, weights: Weights) -> None:
    """Write what `folded` returned as named arrays."""
    write_arrays(path, dict(_named(weights)))


def read_weights(path: Path) -> Weights:
    """Read what `write_weights` wrote.

    Raises:
        DigitsError: the file is missing, damaged, or holds something else.
    """
    arrays = read_arrays(path, tuple(name for name, _ in _named([()] * CONVOLUTIONS)))
    return [(arrays[f"kernel_{number:02}"], arrays[f"bias_{number:02}"]) for number in range(CONVOLUTIONS)]


def _named(weights: list[Any]) -> list[tuple[str, Any]]:
    return [
        (f"{name}_{number:02}", array)
        for number, pair in enumerate(weights)
        for name, array in zip(("kernel", "bias"), pair or (None, None), strict=True)
    ]


def forward(images: tf.Tensor, weights: Weights) -> tf.Tensor:
    """Return the share of each class, float32 (N, SIDE, SIDE, CLASSES), for images in [0, 1]."""
    import tensorflow as tf

    remaining = iter(weights)

    def last(values: tf.Tensor, _width: int, _size: int) -> tf.Tensor:
        kernel, bias = next(remaining)
        return tf.nn.bias_add(tf.nn.conv2d(values, tf.constant(kernel), 1, "SAME"), tf.constant(bias))

    def convolution(values: tf.Tensor, width: int, size: int) -> tf.Tensor:
        return tf.nn.relu(last(values, width, size))

    # Kernels for 7, 14, 28 and 56 positions; each but the first is the third of its width.
    widths = [weights[place][0].shape[-1] for place in (0, 1, 2, 4)]
    return tf.nn.softmax(u_net(images, widths, convolution, last, Operations))
