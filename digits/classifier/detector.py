"""The detector: a small network that tells images of the classes from others, by the classifier's features.

The features, which are the input of the classifier's last layer, say more than its probabilities:
those of all classes sum to 1, whatever the image shows.
Everything is computed through exact copies and `predict` or `fit`, for the same bits on every CPU.
Keras is imported where it is used, after `digits.backend.runtime.start`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from digits.params import Section

if TYPE_CHECKING:
    import keras

# The columns of the detector's output.
OTHER, MEMBER = 0, 1

# Images that a network answers at a time.
BATCH = 256
# Bytes of images that are given to TensorFlow at a time, unless a single batch has more.
BLOCK = 2**26


class DetectorParams(Section):
    """The section `calibrate.detector` of params.yaml."""

    units: int = Field(ge=1, le=4096)
    epochs: int = Field(ge=1, le=10_000)
    batch_size: int = Field(ge=1, le=65_536)
    learning_rate: float = Field(gt=0, le=10)


def tapped(model: keras.Sequential) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return what the last layer of `model`, a Dense one with a softmax, is given, and its logits.

    Returns:
        A function from float32 images (N, H, W, C) in [0, 1] to features, float32 (N, F), and logits,
        float32 (N, classes).
    """
    import keras

    from digits.backend.exact import exact_copy

    copy = exact_copy(model)
    last = copy.layers[-1]
    last.activation = keras.activations.linear
    network = keras.Model(copy.inputs, [last.input, last.output])

    def answer(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features, logits = _predicted(network, images)
        return features, logits

    return answer


def train_detector(
    members: np.ndarray, others: np.ndarray, params: DetectorParams, seed: int
) -> list[np.ndarray]:
    """Train a detector on the features of images of the classes, its members, and of others.

    Args:
        members: float32 (N, F).
        others: float32 (M, F).
        params: its size and the hyperparameters of its training.
        seed: governs the initial weights and the order of the examples.

    Returns:
        Kernel and bias of the first layer, then of the second, float32.
    """
    import keras

    from digits.backend.batches import batches_in_order

    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(members) + len(others))
    features = np.concatenate([members, others])[order]
    kinds = np.where(order < len(members), MEMBER, OTHER).astype(np.uint8)

    keras.utils.set_random_seed(seed)
    detector = _layers(features.shape[1], params.units)
    optimizer = keras.optimizers.Adam(params.learning_rate)
    detector.compile(optimizer, loss="sparse_categorical_crossentropy")
    detector.fit(
        batches_in_order(features, kinds, batch_size=params.batch_size),
        epochs=params.epochs,
        shuffle=False,
        verbose=0,
    )
    return [np.asarray(weights) for weights in detector.get_weights()]


def answerer(
    model: keras.Sequential, detector: list[np.ndarray]
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Join a classifier and its detector, which share its features.

    Returns:
        A function from float32 images (N, H, W, C) to probabilities, float32 (N, classes), and scores,
        float32 (N,): the detector's probability that an image is of a class at all.
    """
    import keras

    from digits.backend.exact import exact_copy

    copy = exact_copy(model)
    last = copy.layers[-1]
    joined = keras.Model(copy.inputs, [last.output, _with_weights(detector)(last.input)])

    def answer(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probabilities, kinds = _predicted(joined, images)
        return probabilities, kinds[:, MEMBER]

    return answer


def _predicted(network: keras.Model, images: np.ndarray) -> list[np.ndarray]:
    """Return each of the network's answers to float32 images (N, H, W, C); there may be no image."""
    from digits.backend.batches import batches_in_order

    if not len(images):
        return [np.zeros((0, *output.shape[1:]), np.float32) for output in network.outputs]
    answers = [
        network.predict(batches_in_order(block, batch_size=BATCH), verbose=0) for block in blocks(images)
    ]
    return [np.concatenate(answer) for answer in zip(*answers, strict=True)]


def blocks(images: np.ndarray) -> Iterator[np.ndarray]:
    """Yield float32 images (N, H, W, C) in parts of whole batches, but for the last.

    TensorFlow copies what it is given twice; whole batches answer with the same bits as all images at once.
    """
    size = BATCH * max(1, BLOCK // (BATCH * 4 * math.prod(images.shape[1:])))
    for first in range(0, len(images), size):
        yield images[first : first + size]


def _layers(features: int, units: int) -> keras.Sequential:
    import keras

    return keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def _with_weights(detector: list[np.ndarray]) -> keras.Sequential:
    network = _layers(*detector[0].shape)
    network.set_weights(detector)
    return network
