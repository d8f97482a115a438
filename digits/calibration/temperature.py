"""The temperature: by what logits are divided, so that a classifier is right as often as it is sure.

Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

# Far beyond what a network that has learned anything needs.
LOWEST, HIGHEST = 0.05, 20.0


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """Give the mean negative logarithm of the probability of the right class, in nats.

    Args:
        logits: float32 (N, classes).
        labels: integers (N,) in [0, classes).
        temperature: above 0.
    """
    # Python's own functions, since NumPy computes logarithms with what the CPU has.
    costs = []
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    for row, label in zip((shifted / temperature).tolist(), labels.tolist(), strict=True):
        costs.append(math.log(math.fsum(math.exp(value) for value in row)) - row[label])
    return math.fsum(costs) / len(costs)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Give the temperature of lowest negative log-likelihood, to four decimals.

    Where every answer is right, ever lower temperatures are ever better, until float64 sees no difference.

    Args:
        logits: float32 (N, classes), of images that the network was not trained on.
        labels: integers (N,) in [0, classes).
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda logarithm: negative_log_likelihood(logits, labels, math.exp(logarithm)),
        bounds=(math.log(LOWEST), math.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return round(math.exp(float(found.x)), 4)


def divide_logits(model: keras.Sequential, temperature: float) -> None:
    """Divide the weights of the last layer, a Dense one, and so its logits, by `temperature`."""
    last = model.layers[-1]
    last.set_weights([(np.asarray(weights) / np.float32(temperature)) for weights in last.get_weights()])
