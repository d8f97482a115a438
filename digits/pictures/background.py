"""What lies under the ink: told apart from it, whatever the light, and taken away."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

COARSE_SIDE = 96
"""Pixels of the longer side of the small copy on which the background is estimated."""

FLAT = 0.03
"""How far a pixel may be from a flat ground, as a share of the picture's range."""

FLAT_SHARE = 0.2
"""The share of pixels that makes a level a flat ground."""

NEAR_END = 0.2
"""How far from an end of the range a pixel may be to count as that end, as a share of the range."""

BOTH_ENDS_SHARE = 0.15
"""The share of pixels at each of the two ends where a digit fills its picture."""

ENDS_TOGETHER = 0.5
"""The share of pixels at both ends together there; a slope of light alone has less."""

BLUR = 5.0
"""Coarse pixels over which the light of the background is averaged."""

ROUNDS = 4
"""How often ink and background are told apart anew."""

OUTLIER = 3.0
"""Standard deviations of the background beyond which a pixel is taken for ink."""

LEAST_RANGE = 0.02
"""Luminance: what differs less over a whole picture shows nothing."""


def contrast(luminance: np.ndarray) -> np.ndarray:
    """Give how much each pixel of a luminance (H, W) stands out as ink does.

    Drawings, scans and pictures without margins have a ground of one level at an end of their range;
    of others, the background is estimated.

    Returns:
        Float32 (H, W), about 0 on the background and larger on ink, whether it is dark or light;
        below 0 where a pixel differs from the background the other way.
    """
    darkest, lightest = float(luminance.min()), float(luminance.max())
    if lightest - darkest < LEAST_RANGE:
        return np.zeros(luminance.shape, np.float32)
    dark_ink = flat_ground(luminance)
    if dark_ink is not None:
        standing_out: np.ndarray = lightest - luminance if dark_ink else luminance - darkest
        return standing_out
    return _uneven_contrast(luminance)


def flat_ground(luminance: np.ndarray) -> bool | None:
    """Tell whether the ground is one level at an end of the range.

    Returns:
        True for a light one (the ink is dark), False for a dark one, None where there is none.
    """
    flat, near = _ends(luminance, FLAT), _ends(luminance, NEAR_END)
    # The border is counted once more: ink seldom lies there.
    shares = [(end.mean() + _border(end).mean()) / 2 for end in flat]
    ends = [float(end.mean()) for end in near]
    filled = min(ends) >= BOTH_ENDS_SHARE and sum(ends) >= ENDS_TOGETHER
    if max(shares) < FLAT_SHARE and not filled:
        return None
    return bool(shares[1] >= shares[0])


def _ends(luminance: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Mark the pixels within a share of the range from its dark end, and from its light end."""
    darkest, lightest = luminance.min(), luminance.max()
    slack = share * (lightest - darkest)
    return luminance <= darkest + slack, luminance >= lightest - slack


def _border(values: np.ndarray) -> np.ndarray:
    """Give the outermost pixels of (H, W)."""
    return np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])


def _uneven_contrast(luminance: np.ndarray) -> np.ndarray:
    """Estimate a background of uneven light, and take it away."""
    factor = max(1, round(max(luminance.shape) / COARSE_SIDE))
    coarse = np.asarray(Image.fromarray(luminance).reduce(factor))
    surface = _surface(coarse)
    residual = coarse - surface
    spread = _spread(residual)
    tails = [np.clip(sign * residual - OUTLIER * spread, 0, None).sum() for sign in (-1, 1)]
    sign = -1 if tails[0] >= tails[1] else 1
    background = surface
    for _ in range(ROUNDS):
        residual = sign * (coarse - background)
        ink = residual > max(OUTLIER * _spread(residual), 0.25 * float(residual.max()))
        paper = (~ndimage.binary_dilation(ink)).astype(np.float32)
        weight = ndimage.gaussian_filter(paper, BLUR, mode="nearest")
        mean = ndimage.gaussian_filter(coarse * paper, BLUR, mode="nearest")
        # Far from all paper the surface stands in for what cannot be seen.
        background = (mean + 1e-2 * surface) / (weight + 1e-2)
    whole = _enlarged(background, factor, luminance.shape)
    lighter: np.ndarray = luminance - whole
    if sign > 0:
        return lighter
    # Light multiplies: in a shadow, the same ink differs less from its paper.
    shaded: np.ndarray = -lighter / np.maximum(whole, np.float32(0.1))
    return shaded


def _surface(values: np.ndarray) -> np.ndarray:
    """Fit a quadratic surface to (H, W), leaving out what is far from it."""
    height, width = values.shape
    down, across = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(down), down, across, down * across, down**2, across**2], axis=-1)
    kept = np.ones(values.shape, bool)
    for _ in range(ROUNDS + 1):
        known = terms[kept]
        fitted = terms @ np.linalg.solve(known.T @ known, known.T @ values[kept])
        residual = values - fitted
        near = np.abs(residual - np.median(residual)) <= 2 * _spread(residual)
        # Six terms need more than a handful of pixels.
        kept = near if near.mean() > 0.1 else np.ones_like(near)
    surface: np.ndarray = fitted.astype(np.float32)
    return surface


def _spread(residual: np.ndarray) -> float:
    """Estimate a standard deviation that ink hardly moves: from the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(residual - np.median(residual)))) + 1e-4


def _enlarged(values: np.ndarray, factor: int, shape: tuple[int, ...]) -> np.ndarray:
    """Bring a coarse (h, w) back to (H, W), the way `reduce` made it coarse."""
    height, width = shape
    box = (0.0, 0.0, width / factor, height / factor)
    image = Image.fromarray(values.astype(np.float32))
    enlarged: np.ndarray = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box))
    return enlarged
