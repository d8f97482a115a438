"""The ink of a picture: what is strong enough, without ruled lines and specks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from digits.pictures.background import FLAT, FLAT_SHARE

LEAST_CONTRAST = 0.04
"""Contrast under which nothing is ink."""

NOISE_RATIO = 6.0
"""How many times the background's standard deviation ink must stand out."""

MASK_LEVEL = 0.45
"""The share of the full ink's contrast from which a pixel is ink."""

FAINT_LEVEL = 0.05
"""The share of the full ink's contrast below which a pixel shows nothing."""

LINE_SHARE = 0.6
"""The share of a picture's width that a ruled line covers at least."""

LINE_THICKNESS = 0.03
"""The share of a picture's height that a ruled line is thick at most."""

LINE_SLOPES = np.linspace(-0.12, 0.12, 13)
"""How far a ruled line may rise, in pixels per pixel."""

LINE_SIDE = 150
"""Columns that are looked at when lines are searched."""


def strength(contrast: np.ndarray) -> np.ndarray:
    """Give the strength of the ink in a contrast (H, W).

    Returns:
        Float32 (H, W) in [0, 1]: 1 is full ink, 0 none; all 0 where nothing stands out of the noise.
    """
    full = _full_ink(contrast)
    if full is None:
        return np.zeros(contrast.shape, np.float32)
    inked = np.clip((contrast / full - FAINT_LEVEL) / (1 - 2 * FAINT_LEVEL), 0, 1).astype(np.float32)
    if min(contrast.shape) >= 40:
        inked = np.where(_ruled_lines(inked > MASK_LEVEL), np.float32(0), inked)
    return inked


def _full_ink(contrast: np.ndarray) -> float | None:
    """Give the contrast of full ink, or None where there is none.

    Full ink is what the upper half of the pixels that stand out reaches, so that a stain counts no more
    than its area.
    """
    middle = float(np.median(contrast))
    noise = 1.4826 * float(np.median(np.abs(contrast - middle)))
    high = float(np.percentile(contrast, 99.8))
    if high < LEAST_CONTRAST:
        return None
    standing_out = contrast[contrast > max(0.4 * high, min(NOISE_RATIO * noise, 0.7 * high))]
    full = float(np.median(standing_out)) if standing_out.size else high
    flat = np.mean(np.abs(contrast) < FLAT * high) >= FLAT_SHARE
    return full if flat or full > NOISE_RATIO * noise else None


def _ruled_lines(mask: np.ndarray) -> np.ndarray:
    """Find lines across the whole picture, level or upright, but not where a stroke crosses them."""
    lines: np.ndarray = _level_lines(mask) | _level_lines(mask.T).T
    return lines


def _level_lines(mask: np.ndarray) -> np.ndarray:
    """Find the nearly level lines of a mask (H, W)."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    step = max(1, round(width / LINE_SIDE))
    columns = np.arange(0, width, step)
    sparse = mask[:, ::step]
    thickest = max(2, round(LINE_THICKNESS * height))
    if sparse.sum(axis=0).max() == 0:
        return found
    rows = np.arange(height)[:, np.newaxis]
    best = np.zeros(height, np.float32)
    slope_of = np.zeros(height, np.float32)
    for slope in LINE_SLOPES:
        shifts = np.rint(slope * (columns - width / 2)).astype(int)
        wanted = rows + shifts
        inside = (wanted >= 0) & (wanted < height)
        along = sparse[np.clip(wanted, 0, height - 1), np.arange(len(columns))] & inside
        share = along.mean(axis=1)
        slope_of = np.where(share > best, np.float32(slope), slope_of)
        best = np.maximum(best, share)
    runs, count = ndimage.label(best >= LINE_SHARE)
    for run in ndimage.find_objects(runs)[:count]:
        thickness = run[0].stop - run[0].start
        if thickness > 2 * thickest:
            continue
        centre = run[0].start + int(np.argmax(best[run[0]]))
        found |= _one_line(mask, centre, float(slope_of[centre]), thickness + 2)
    return found


def _one_line(mask: np.ndarray, row: int, slope: float, reach: int) -> np.ndarray:
    """Mark the pixels of one line, but for the columns where ink goes on above and below it."""
    height, width = mask.shape
    centres = row + np.rint(slope * (np.arange(width) - width / 2)).astype(int)
    offsets = np.arange(height)[:, np.newaxis] - centres
    above = (mask & (offsets < -reach) & (offsets >= -2 * reach)).any(axis=0)
    below = (mask & (offsets > reach) & (offsets <= 2 * reach)).any(axis=0)
    crossed = ndimage.binary_dilation(above & below, iterations=1)
    line: np.ndarray = (np.abs(offsets) <= reach) & ~crossed
    return line
