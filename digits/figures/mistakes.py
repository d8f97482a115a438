"""The pictures of what a classifier gets wrong."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from digits.figures.style import BLUE, INK, QUIET, blank_figure, heading, house_style

# From pale to nearly black by way of blue, so that more errors are darker in grey too.
ERROR_COLORS = LinearSegmentedColormap.from_list("errors", ["#c6dbef", "#6baed6", BLUE, "#023858"])
NO_ERROR = "#f6f6f6"
FRAME = "#cccccc"

# Stands where there is nothing to divide by.
NO_VALUE = "\N{EN DASH}"

GALLERY_ROWS = 3
GALLERY_COLUMNS = 8

# The width of a character of the usual size, in inches.
CHARACTER = 0.08


def confusion_matrix(actual: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count how often each class was taken for each.

    Args:
        actual: integers (N,), labels from 0 to `classes - 1`.
        predicted: integers (N,), the same.
        classes: the number of classes.

    Returns:
        int64 (classes, classes): row i, column j counts the images of class i that were taken for j.
    """
    return np.bincount(actual.astype(np.int64) * classes + predicted, minlength=classes**2).reshape(
        classes, classes
    )


@house_style()
def confusion_matrix_figure(actual: np.ndarray, predicted: np.ndarray, classes: tuple[str, ...]) -> Figure:
    """Draw the confusion matrix, with recall and precision at its edges.

    Colours count the errors alone: on one scale with the diagonal, hundreds of times larger,
    all of them would look the same.

    Args:
        actual: integers (N,), labels that index `classes`.
        predicted: integers (N,), the same.
        classes: the name of each label.
    """
    counts = confusion_matrix(actual, predicted, len(classes))
    errors = counts.sum() - np.trace(counts)
    longest = CHARACTER * max(len(name) for name in (*classes, "precision"))
    upright = longest if max(len(name) for name in classes) > 5 else 0.0
    figure = blank_figure(6.1 + upright, left=0.5 + longest, right=0.13, bottom=0.15, top=1.15 + upright)
    heading(
        figure,
        f"Confusion matrix: {errors:,} {'error' if errors == 1 else 'errors'} in {len(actual):,} test images",
        "the darker a cell, the more images of one class were taken for the other",
    )
    axes = figure.subplots()
    _draw_cells(axes, counts)
    _draw_shares(axes, counts)
    size = len(classes)
    axes.set_xticks(range(size + 1), [*classes, "recall"], rotation=90 if upright else 0)
    axes.set_yticks(range(size + 1), [*classes, "precision"])
    axes.set_xlabel("predicted", fontweight="bold")
    axes.set_ylabel("actual", fontweight="bold")
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0, labelsize=min(9.5, 200 / size), labelbottom=False, labeltop=True)
    axes.spines[:].set_visible(False)
    return figure


def _draw_cells(axes: Axes, counts: np.ndarray) -> None:
    size = len(counts)
    most = (counts - np.diag(np.diag(counts))).max()
    font_size = min(10.0, 110 / size)
    for row in range(size):
        for column in range(size):
            count = counts[row, column]
            darkness = (count - 1) / max(1, most - 1)
            if row == column:
                fill, edge, ink = "white", QUIET, INK
            elif count:
                fill, edge, ink = ERROR_COLORS(darkness), "none", "white" if darkness > 0.4 else INK
            else:
                fill, edge, ink = NO_ERROR, "none", INK
            cell = Rectangle((column - 0.47, row - 0.46), 0.94, 0.92, facecolor=fill, edgecolor=edge)
            axes.add_patch(cell)
            if count:
                axes.text(column, row, f"{count}", color=ink, fontsize=font_size, ha="center", va="center")


def _draw_shares(axes: Axes, counts: np.ndarray) -> None:
    """Write each class's recall behind its row and its precision below its column."""
    size = len(counts)
    font_size = min(9.0, 100 / size)
    for place in range(size):
        hits, actual, predicted = counts[place, place], counts[place].sum(), counts[:, place].sum()
        recall = f"{100 * hits / actual:.1f}%" if actual else NO_VALUE
        precision = f"{100 * hits / predicted:.1f}%" if predicted else NO_VALUE
        axes.text(size, place, recall, color=QUIET, fontsize=font_size, ha="center", va="center")
        axes.text(place, size, precision, color=QUIET, fontsize=font_size, ha="center", va="center")
    axes.set_xlim(-0.5, size + 0.5)
    axes.set_ylim(size + 0.5, -0.5)


@house_style()
def mistakes_gallery(
    images: np.ndarray,
    actual: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    classes: tuple[str, ...],
) -> Figure:
    """Draw the most confident mistakes, the most confident first.

    Args:
        images: float32 (N, height, width, 1) in [0, 1], of which 1 is ink.
        actual: integers (N,), labels that index `classes`.
        predicted: integers (N,), the same.
        confidence: float64 (N,) in [0, 1].
        classes: the name of each label.
    """
    mistakes = np.flatnonzero(actual != predicted)
    order = np.argsort(-confidence[mistakes], kind="stable")
    shown = mistakes[order][: GALLERY_ROWS * GALLERY_COLUMNS]
    rows = math.ceil(len(shown) / GALLERY_COLUMNS)
    if not rows:
        figure = blank_figure(0.8)
        heading(figure, f"No mistakes in {len(actual):,} test images", "so there is none to show")
        return figure
    lines = 1 if max(len(name) for name in classes) <= 3 else 2
    figure = blank_figure(
        0.74 + rows * (1.25 + 0.17 * lines), left=0.17, right=0.17, bottom=0.29 + 0.17 * lines, top=0.66
    )
    heading(figure, *_gallery_heading(len(shown), len(mistakes), len(actual)))
    spacing = {"wspace": 0.1, "hspace": 0.33 + 0.17 * lines}
    tiles = figure.subplots(rows, GALLERY_COLUMNS, squeeze=False, gridspec_kw=spacing)
    for axes in tiles.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, index in zip(tiles.flat, shown, strict=False):
        _draw_tile(axes, images[index, ..., 0])
        names = classes[actual[index]], classes[predicted[index]]
        certainty = f"{100 * confidence[index]:.2f}%  #{index}"
        _write_below(axes, 4, (" → " if lines == 1 else "\n→ ").join(names), fontweight="bold")
        _write_below(axes, 5 + 13 * lines, certainty, color=QUIET, fontsize=8)
    return figure


def _draw_tile(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(visible=True, color=FRAME)


def _write_below(axes: Axes, points: int, text: str, **look: Any) -> None:
    longest = max(len(line) for line in text.split("\n"))
    look = {"fontsize": min(10.5, 115 / longest), "ha": "center", "va": "top", **look}
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
