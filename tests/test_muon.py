"""Muon steps as far in all directions of a convolution's kernel, and leaves the rest to Adam."""

import numpy as np
import pytest

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]

RATE = 0.01


def stepped(gradients: list[np.ndarray], last: int) -> list[np.ndarray]:
    """Return how far the first step moves variables with these gradients, in learning rates."""
    import keras

    from digits.ink.muon import Muon

    variables = [keras.Variable(np.zeros_like(each), name=str(n)) for n, each in enumerate(gradients)]
    Muon(RATE, last_kernel=variables[last]).apply(gradients, variables)
    return [-np.asarray(variable) / RATE for variable in variables]


def gradient(*shape: int) -> np.ndarray:
    """Return a gradient that is a hundred times as large in one direction as in the others."""
    random = np.random.default_rng(0)
    base = random.normal(size=shape).astype(np.float32)
    matrix = base.reshape(-1, shape[-1])
    strong = 100 * np.outer(random.normal(size=len(matrix)), random.normal(size=shape[-1]))
    return (matrix + strong).reshape(shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(3, 3, 8, 6), (1, 1, 4, 20)])
def test_a_kernel_s_step_is_about_as_long_in_all_directions(shape: tuple[int, ...]) -> None:
    step, _ = stepped([gradient(*shape), gradient(1, 1, 2, 3)], last=1)
    matrix = step.reshape(-1, shape[-1])
    lengths = np.linalg.svd(matrix, compute_uv=False) / (0.2 * np.sqrt(max(matrix.shape)))

    assert step.shape == shape
    assert 0.5 < lengths.min() <= lengths.max() < 1.3


def test_vectors_and_the_last_kernel_step_as_adam_s_do() -> None:
    gradients = [gradient(3, 3, 2, 4), gradient(3, 3, 2, 4), np.array([5.0, -0.1], np.float32)]
    _, kernel, vector = stepped(gradients, last=1)

    np.testing.assert_allclose(np.sign(gradients[1]), kernel, rtol=0, atol=1e-4)
    np.testing.assert_allclose([1, -1], vector, rtol=0, atol=1e-4)
