"""The machine's own limit: how fast it multiplies matrices, and how much of that a recipe's network needs.

Usage: python -m benchmarks.limit prints JSON: `gflops`, and by recipe the arithmetic of an image and step.
"""

import json
import time
from typing import Any

import numpy as np

from digits.params import Params
from digits.training import networks
from digits.training.recipes import Recipe

SIZE, REPEATS = 4096, 7


def matrix_gflops() -> float:
    """Give the best rate of several products of two float32 matrices of 4096 by 4096, in 10⁹ per second.

    A multiplication and its addition count as two. TensorFlow multiplies, with all that the CPU has.
    """
    import tensorflow as tf

    left, right = tf.fill((SIZE, SIZE), 0.5), tf.fill((SIZE, SIZE), 0.25)
    # A corner of the product is fetched, so that its end is waited for.
    product = tf.function(lambda: tf.matmul(left, right)[0, 0])
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        product().numpy()
        seconds.append(time.perf_counter() - started)
    return 2 * SIZE**3 / min(seconds) / 1e9


def arithmetic(layers: list[Any]) -> int:
    """Count the operations of convolutions and dense layers for an image: forward, and both gradients.

    The first layer needs no gradient of its images.

    Args:
        layers: built Keras layers.
    """
    operations = []
    for layer in layers:
        if hasattr(layer, "kernel"):
            places = int(np.prod(layer.output.shape[1:-1]))
            operations.append(2 * places * int(np.prod(layer.kernel.shape)))
    return 3 * sum(operations) - operations[0]


def main() -> None:
    """Print the JSON."""
    params = Params()
    counts = {}
    for name in params.names("recipes"):
        recipe = params.section(f"recipes.{name}", Recipe)
        counts[name] = arithmetic(networks.build((28, 28, 1), 10, recipe).layers)
    print(json.dumps({"gflops": matrix_gflops(), "operations": counts}))


if __name__ == "__main__":
    main()
