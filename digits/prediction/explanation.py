"""The picture of how a picture became what the network sees, and of what the network answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digits.figures.style import BLUE, QUIET, VERMILION, blank_figure, heading, house_style
from digits.prediction.output import percent

if TYPE_CHECKING:
    from digits.prediction.predict import Prediction

# What `--many` found beyond this is in the table, but not drawn.
MOST_ROWS = 12
ROW_HEIGHT = 1.75
# Pixels along the longer side of a step that is drawn; a photograph has more than anyone would see.
MOST_PIXELS = 600


@house_style()
def explanation(name: str, predictions: list[Prediction]) -> Figure:
    """Draw a row for each prediction: its steps side by side, and the probabilities of the ten digits.

    Args:
        name: the picture's name, for the heading.
        predictions: at least one; the first MOST_ROWS are drawn.
    """
    shown = predictions[:MOST_ROWS]
    columns = max(len(prediction.steps) for prediction in shown) + 1
    figure = blank_figure(
        0.9 + ROW_HEIGHT * len(shown), left=0.15, right=0.25, bottom=0.35, top=0.85, wspace=0.12, hspace=0.35
    )
    heading(figure, _title(name), _summary(predictions))
    grid = figure.subplots(len(shown), columns, squeeze=False)
    for row, (axes, prediction) in enumerate(zip(grid, shown, strict=True)):
        for place, (step, array) in zip(axes, prediction.steps, strict=False):
            _draw_step(place, step if row == 0 else "", array)
        for place in axes[len(prediction.steps) : -1]:
            place.set_axis_off()
        _draw_probabilities(axes[-1], prediction)
    return figure


def _title(name: str) -> str:
    """Keep the end of a long name, and matplotlib from reading `$` as mathematics."""
    return (name if len(name) <= 80 else f"…{name[-79:]}").replace("$", r"\$")


def _summary(predictions: list[Prediction]) -> str:
    if len(predictions) > 1:
        found = " ".join(str(prediction.digit) for prediction in predictions)
        return f"{len(predictions)} digits: {found if len(found) <= 100 else found[:99] + '…'}"
    only = predictions[0]
    if only.box is None:
        return only.reason
    doubt = f"; unsure: {only.reason}" if only.reason else ""
    sure = f"confidence {percent(only.confidence)}, score {only.score:.2f}"
    return f"{only.digit}: {sure}{doubt}"


def _draw_step(axes: Axes, name: str, array: np.ndarray) -> None:
    every = -(-max(array.shape) // MOST_PIXELS)
    low, high = min(0.0, float(array.min())), max(1.0, float(array.max()))
    axes.imshow(array[::every, ::every], cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    axes.set_title(name, fontsize=8, fontweight="normal", color=QUIET)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)


def _draw_probabilities(axes: Axes, prediction: Prediction) -> None:
    digits = range(len(prediction.probabilities))
    colour = BLUE if prediction.sure else VERMILION
    axes.bar(digits, prediction.probabilities, color=colour)
    axes.set_xticks(digits, [str(digit) for digit in digits], fontsize=7)
    axes.set_yticks([])
    axes.set_ylim(0, 1.12)
    axes.set_box_aspect(1)
    axes.spines["left"].set_visible(False)
    text = "no ink" if prediction.box is None else f"{prediction.digit}: {percent(prediction.confidence)}"
    axes.set_title(text, fontsize=8, fontweight="normal", color=colour)
