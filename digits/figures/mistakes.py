"""The gallery of the mistakes that a classifier is most confident of."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digits.figures.style import QUIET, blank_figure, cut, heading, house_style

FRAME = "#cccccc"
ROWS, COLUMNS = 3, 8
# Characters of a class's name below a tile.
LONGEST_NAME = 15
# The last axis of a grey image.
GREY = 1


@house_style()
def mistakes_gallery(
    images: np.ndarray,
    actual: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    classes: tuple[str, ...],
    ink: bool,
) -> Figure:
    """Draw the most confident mistakes, the most confident first.

    Args:
        images: float32 (N, height, width, C) in [0, 1].
        actual: integers (N,), labels that index `classes`.
        predicted: integers (N,), the same.
        confidence: float64 (N,) in [0, 1].
        classes: the name of each label.
        ink: whether 1 is ink, which is drawn dark, and not light.
    """
    classes = tuple(cut(name, LONGEST_NAME) for name in classes)
    mistakes = np.flatnonzero(actual != predicted)
    order = np.argsort(-confidence[mistakes], kind="stable")
    shown = mistakes[order][: ROWS * COLUMNS]
    rows = math.ceil(len(shown) / COLUMNS)
    if not rows:
        figure = blank_figure(0.8)
        heading(figure, f"No mistakes in {len(actual):,} test images", "")
        return figure
    lines = 1 if max(len(name) for name in classes) <= 3 else 2
    figure = blank_figure(
        0.74 + rows * (1.25 + 0.17 * lines), left=0.17, right=0.17, bottom=0.29 + 0.17 * lines, top=0.66
    )
    heading(figure, *_gallery_heading(len(shown), len(mistakes), len(actual)))
    spacing = {"wspace": 0.1, "hspace": 0.33 + 0.17 * lines}
    tiles = figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw=spacing)
    for axes in tiles.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, index in zip(tiles.flat, shown, strict=False):
        _draw_tile(axes, images[index], ink)
        names = classes[actual[index]], classes[predicted[index]]
        certainty = f"{100 * confidence[index]:.2f}%  #{index}"
        _write_below(axes, 4, (" → " if lines == 1 else "\n→ ").join(names), fontweight="bold")
        _write_below(axes, 5 + 13 * lines, certainty, color=QUIET, fontsize=8)
    return figure


def _draw_tile(axes: Axes, image: np.ndarray, ink: bool) -> None:
    shown = image[..., 0] if image.shape[-1] == GREY else image
    axes.imshow(shown, cmap="gray_r" if ink else "gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(visible=True, color=FRAME)


def _write_below(axes: Axes, points: int, text: str, **look: Any) -> None:
    longest = max(len(line) for line in text.split("\n"))
    look = {"fontsize": min(10.5, 106 / longest), "ha": "center", "va": "top", **look}
    axes.annotate(text, (0.5, 0), (0, -points), xycoords="axes fraction", textcoords="offset points", **look)


def _gallery_heading(shown: int, mistakes: int, images: int) -> tuple[str, str]:
    if mistakes == 1:
        which = "The one mistake"
    elif shown == mistakes:
        which = f"All {mistakes} mistakes"
    else:
        which = f"The {shown} most confident of {mistakes:,} mistakes"
    return (
        f"{which} in {images:,} test images",
        "actual → predicted, the confidence in it, and the image's index in the test set",
    )
