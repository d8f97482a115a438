"""Train the network that finds ink, on pictures that are composed as it learns."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from digits.composing.composer import compose
from digits.composing.stock import Stock
from digits.ink.finding import with_tensorflow
from digits.ink.look import INK, SIDE, of_classes
from digits.ink.network import Weights
from digits.ink.trainable import build, folded
from digits.params import Section
from digits.training.recipes import OneCycle, Share, Width

AHEAD = 12
"""Batches that are composed before they are asked for."""

LEAST_NEAR = 0.05
"""The share of a picture that its ink counts for as if it covered at least so much."""

CORE_WEIGHT = 0.5
"""What the cores of a picture weigh together, where its ink and what is near it weigh 1."""

TAKEN_WEIGHT = 4.0
"""What ground that is taken for ink weighs more than other ground, which is 1."""


class InkParams(Section):
    """The section `ink` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    widths: Annotated[list[Width], Field(min_length=4, max_length=4)]
    batch_norm_momentum: Share
    epochs: int = Field(ge=1, le=1000)
    pictures: int = Field(ge=1, le=10_000_000)
    batch_size: int = Field(ge=1, le=4096)
    learning_rate: float = Field(gt=0, le=10)
    schedule: OneCycle
    measured: int = Field(ge=1, le=1_000_000)


def train(learn: Stock, choose: Stock, params: InkParams, checkpoint: Path, key: str) -> Weights:
    """Train the network; call `digits.backend.runtime.start` before.

    Args:
        learn: what the training pictures are composed of.
        choose: what the pictures are composed of that the epochs are judged by.
        params: the network and the numbers of its training.
        checkpoint: the file from which an interrupted run resumes, and to which this one saves its state.
        key: identifies the exact inputs; a checkpoint with another key is ignored.

    Returns:
        The kernel and the bias of each convolution, as `digits.ink.network.forward` takes them.
    """
    import keras

    from digits.backend.batches import batches_in_order
    from digits.ink.muon import Muon
    from digits.training.checkpoints import Journal
    from digits.training.schedules import FixedRates, one_cycle_rates

    keras.utils.set_random_seed(params.seed)
    model = build(params.widths, params.batch_norm_momentum)
    steps = max(1, params.pictures // params.batch_size)
    rates = one_cycle_rates(params.schedule, params.learning_rate, steps * params.epochs)
    kernels = [variable for variable in model.trainable_variables if len(variable.shape) == 4]
    optimizer = Muon(FixedRates(rates), last_kernel=kernels[-1])
    model.compile(optimizer, loss=ink_loss, metrics=[keras.metrics.MeanMetricWrapper(overlap, "accuracy")])
    optimizer.build(model.trainable_variables)
    on_terminal = sys.stdout.isatty()
    journal = Journal(checkpoint, key, None, None, prints_epochs=not on_terminal)
    first = journal.epochs_done
    with Composing(learn, params.seed, params.batch_size) as composing:
        model.fit(
            composing.dataset(first * steps, params.epochs * steps),
            steps_per_epoch=steps,
            initial_epoch=first,
            epochs=params.epochs,
            validation_data=batches_in_order(*compose_batch(choose, params.seed, range(params.measured))),
            shuffle=False,
            callbacks=[journal],
            verbose="auto" if on_terminal else 0,
        )
    return folded(model)


def measure(weights: Weights, stock: Stock, params: InkParams) -> dict[str, float]:
    """Measure on composed pictures how much of the ink is found, and how much of what is found is ink.

    Returns:
        `recall`, `precision` and their harmonic mean, the `overlap` (Dice coefficient), over all pixels.
    """
    colours, shares = compose_batch(stock, params.seed, range(params.measured))
    find = with_tensorflow(weights)
    found = [
        find(colours[start : start + 32].astype(np.float32) * np.float32(1 / 255))
        for start in range(0, len(colours), 32)
    ]
    wanted = shares[..., 0] > 127
    answered = of_classes(np.concatenate(found))[..., INK] > 0.5
    both = int((wanted & answered).sum())
    return {
        "overlap": round(2 * both / max(1, int(wanted.sum()) + int(answered.sum())), 4),
        "precision": round(both / max(1, int(answered.sum())), 4),
        "recall": round(both / max(1, int(wanted.sum())), 4),
    }


def compose_batch(stock: Stock, seed: int, numbers: range) -> tuple[np.ndarray, np.ndarray]:
    """Compose the pictures of some numbers: uint8 (N, SIDE, SIDE, 3) and (N, SIDE, SIDE, 3)."""
    composed = [compose(stock, seed, number) for number in numbers]
    return np.array([each.colours for each in composed]), np.array([each.shares for each in composed])


def ink_loss(shares: Any, logits: Any) -> Any:
    """Return the cross-entropy of the shares, in which ink and what is near it weigh as much as the rest.

    Cores weigh half as much, and what is wrongly taken for ink weighs more than other ground: the walls of
    cells and the edges of things are few pixels.
    """
    import tensorflow as tf

    truth = _truth(shares)
    cost = tf.nn.softmax_cross_entropy_with_logits(truth, logits)
    # Of each square of 5 by 5.
    near = shares[..., 0:1] + shares[..., 1:2]
    for window in ((1, 5), (5, 1)):
        near = tf.nn.max_pool2d(near, window, 1, "SAME")
    near, core = (tf.cast(values > 0.1, tf.float32) for values in (near[..., 0], shares[..., 2]))
    taken = _taken_for_ink(logits) * (1 - near)
    weight = 1 + near / _covered(near) + CORE_WEIGHT * core / _covered(core) + TAKEN_WEIGHT * taken
    return tf.reduce_mean(cost * weight, axis=(1, 2))


def _taken_for_ink(logits: Any) -> Any:
    """Return 1 for each pixel (N, SIDE, SIDE) of which the ink of a digit is likeliest, and 0 for others."""
    import tensorflow as tf

    ground, digit, other, core, digit_in_core = tf.unstack(logits, axis=-1)
    likeliest = tf.maximum(digit, digit_in_core) > tf.maximum(tf.maximum(ground, core), other)
    return tf.cast(likeliest, tf.float32)


def _covered(part: Any) -> Any:
    """Return the share of each picture (N, 1, 1) that a part of it (N, SIDE, SIDE) covers."""
    import tensorflow as tf

    return tf.maximum(tf.reduce_mean(part, axis=(1, 2), keepdims=True), LEAST_NEAR)


def overlap(shares: Any, logits: Any) -> Any:
    """Return how much of the ink of digits is found: the Dice coefficient of each picture, 1 without ink."""
    import tensorflow as tf

    wanted, found = tf.cast(shares[..., 0] > 0.5, tf.float32), _taken_for_ink(logits)
    both = tf.reduce_sum(wanted * found, axis=(1, 2))
    return (2 * both + 1) / (tf.reduce_sum(wanted + found, axis=(1, 2)) + 1)


def _truth(shares: Any) -> Any:
    """Return the share of each class (N, SIDE, SIDE, CLASSES), given those of digits, marks and cores."""
    import tensorflow as tf

    digits, others, core = (shares[..., number : number + 1] for number in range(3))
    ground = 1 - digits - others
    return tf.concat(
        [ground * (1 - core), digits * (1 - core), others, ground * core, digits * core], axis=-1
    )


def _scaled(values: Any) -> Any:
    """Return uint8 as float32 in [0, 1]."""
    import tensorflow as tf

    return tf.cast(values, tf.float32) * np.float32(1 / 255)


class Composing:
    """Processes that compose batches ahead of the training; how many changes nothing of the pictures."""

    def __init__(self, stock: Stock, seed: int, batch_size: int) -> None:
        self.seed, self.batch_size = seed, batch_size
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.processes = ProcessPoolExecutor(cores, get_context("spawn"), _take, (stock,))

    def __enter__(self) -> Composing:
        return self

    def __exit__(self, *_: object) -> None:
        self.processes.shutdown(cancel_futures=True)

    def dataset(self, first: int, end: int) -> Any:
        """Return the batches from number `first` to `end`, which have pictures of numbers of their own."""
        import tensorflow as tf

        from digits.backend.batches import PLAIN

        kinds = tuple(tf.TensorSpec((None, SIDE, SIDE, depth), tf.uint8) for depth in (3, 3))
        batches = tf.data.Dataset.from_generator(lambda: self._batches(first, end), output_signature=kinds)
        return (
            batches.map(lambda *arrays: tuple(_scaled(array) for array in arrays))
            .prefetch(2)
            .with_options(PLAIN)
        )

    def _batches(self, first: int, end: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        waiting: deque[Future[tuple[np.ndarray, np.ndarray]]] = deque()
        for batch in range(first, end):
            start = batch * self.batch_size
            waiting.append(self.processes.submit(_composed, self.seed + 1, start, start + self.batch_size))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_stock: Stock | None = None


def _take(stock: Stock) -> None:
    """Keep what a process composes of."""
    global _stock
    _stock = stock


def _composed(seed: int, first: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    assert _stock is not None
    return compose_batch(_stock, seed, range(first, end))
