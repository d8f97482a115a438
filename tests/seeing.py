"""What finds ink in tests, without a trained network: what differs from the ground, the median of a look."""

import numpy as np

from digits.ink.network import CLASSES, CONVOLUTIONS, Weights

LEAST = 0.25


def find_ink(looks: np.ndarray) -> np.ndarray:
    """Return the shares of the network's classes, without cores: reddish ink is another mark's."""
    levels = looks.mean(axis=3)
    ground = np.median(levels, axis=(1, 2), keepdims=True)
    ink = np.clip((np.abs(levels - ground) - LEAST) * 8, 0, 1).astype(np.float32)
    red = looks[..., 0] - looks[..., 1] > LEAST
    none = np.zeros_like(ink)
    return np.stack([1 - ink, np.where(red, 0, ink), np.where(red, ink, 0), none, none], axis=-1)


def find_cores(looks: np.ndarray) -> np.ndarray:
    """Return the same, with all ink of digits in the core of its digit."""
    answer = find_ink(looks)
    answer[..., 4], answer[..., 1] = answer[..., 1], 0
    return answer


def dark_ink_network() -> Weights:
    """Return the weights of a network that takes all that is darker than middle grey for the ink of digits.

    Its first convolution measures how dark each of the four pixels of a square is, and its last one says
    for each whether that is enough; what is between hands the four numbers on.
    """
    dark = np.zeros((3, 3, 12, 4), np.float32)
    answer = np.zeros((3, 3, 4, 4 * CLASSES), np.float32)
    bias = np.tile(np.array([0, -6, -30, -30, -30], np.float32), 4)
    for pixel in range(4):
        dark[1, 1, 3 * pixel : 3 * pixel + 3, pixel] = -1 / 3
        answer[1, 1, pixel, CLASSES * pixel + 1] = 60
    same = np.zeros((3, 3, 4, 4), np.float32)
    same[1, 1] = np.eye(4)
    channels = [(3, 12, 4), (3, 4, 1), *[(3, 1, 1)] * 4, *[(1, 1, 4), (3, 1, 1)] * 2, (1, 1, 16)]
    weights = [
        (np.zeros((size, size, before, after), np.float32), np.zeros(after, np.float32))
        for size, before, after in channels
    ]
    weights[0] = (dark, np.full(4, 0.6, np.float32))
    weights += [(same, np.zeros(4, np.float32)), (answer, bias)]
    assert len(weights) == CONVOLUTIONS
    return weights
