"""The figure of `--explain`: the steps from a picture to what the network sees, and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digits.classifier.metadata import are_digits
from digits.decoding.reading import printable
from digits.figures.style import BLUE, QUIET, VERMILION, blank_figure, heading, house_style
from digits.prediction.output import percent

if TYPE_CHECKING:
    from digits.prediction.predict import Prediction

# Digits that `--many` finds beyond this number are in the table, but not drawn.
MOST_ROWS = 12
ROW_HEIGHT = 1.75
# Pixels along the longer side of a drawn step; more would not be visible.
MOST_PIXELS = 600
# Classes that have a bar, and letters of their names beside it.
MOST_BARS, MOST_LETTERS = 10, 18


@house_style()
def explanation(name: str, predictions: list[Prediction]) -> Figure:
    """Draw a row for each prediction: its steps side by side, and the probabilities of the likeliest classes.

    Args:
        name: the picture's name, for the heading.
        predictions: at least one; the first MOST_ROWS are drawn.
    """
    shown = predictions[:MOST_ROWS]
    columns = max(len(prediction.steps) for prediction in shown) + 1
    figure = blank_figure(
        0.9 + ROW_HEIGHT * len(shown), left=0.15, right=0.25, bottom=0.35, top=0.85, wspace=0.12, hspace=0.35
    )
    heading(figure, _cut(name, 80, from_end=True), _summary(predictions))
    grid = figure.subplots(len(shown), columns, squeeze=False)
    for row, (axes, prediction) in enumerate(zip(grid, shown, strict=True)):
        for place, (step, array) in zip(axes, prediction.steps, strict=False):
            _draw_step(place, step if row == 0 else "", array)
        for place in axes[len(prediction.steps) : -1]:
            place.set_axis_off()
        _draw_probabilities(axes[-1], prediction)
    return figure


def _cut(text: str, most: int, from_end: bool = False) -> str:
    """Shorten a long text, to its end if wanted, and escape `$`, which matplotlib reads as mathematics."""
    text = printable(text)
    if len(text) > most:
        text = f"…{text[1 - most :]}" if from_end else f"{text[: most - 1]}…"
    return text.replace("$", r"\$")


def _summary(predictions: list[Prediction]) -> str:
    if len(predictions) > 1:
        return f"{len(predictions)} digits: {_cut(' '.join(one.label for one in predictions), 100)}"
    prediction = predictions[0]
    if prediction.box is None:
        return prediction.reason
    doubt = f"; unsure: {prediction.reason}" if prediction.reason else ""
    confidence = percent(prediction.confidence)
    return f"{_cut(prediction.label, 60)}: confidence {confidence}, score {prediction.score:.2f}{doubt}"


def _draw_step(axes: Axes, name: str, array: np.ndarray) -> None:
    stride = -(-max(array.shape) // MOST_PIXELS)
    low, high = min(0.0, float(array.min())), max(1.0, float(array.max()))
    axes.imshow(array[::stride, ::stride], cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    axes.set_title(name, fontsize=8, fontweight="normal", color=QUIET)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)


def _draw_probabilities(axes: Axes, prediction: Prediction) -> None:
    colour = BLUE if prediction.sure else VERMILION
    (_draw_digits if are_digits(prediction.classes) else _draw_labels)(axes, prediction, colour)
    label = _cut(prediction.label, MOST_LETTERS)
    text = "no ink" if prediction.box is None else f"{label}: {percent(prediction.confidence)}"
    axes.set_title(text, fontsize=8, fontweight="normal", color=colour)


def _draw_digits(axes: Axes, prediction: Prediction, colour: str) -> None:
    """Draw upright bars, which digits have room below."""
    digits = range(len(prediction.probabilities))
    axes.bar(digits, prediction.probabilities, color=colour)
    axes.set_xticks(digits, list(prediction.classes), fontsize=7)
    axes.set_yticks([])
    axes.set_ylim(0, 1.12)
    axes.set_box_aspect(1)
    axes.spines["left"].set_visible(False)


def _draw_labels(axes: Axes, prediction: Prediction, colour: str) -> None:
    """Draw lying bars, from the top, with the names of the classes in them."""
    indices = prediction.likeliest(MOST_BARS)
    places = range(len(indices))
    axes.barh(places, prediction.probabilities[indices], color=colour, alpha=0.5)
    for place, index in zip(places, indices, strict=True):
        axes.text(0.02, place, _cut(prediction.classes[index], 2 * MOST_LETTERS), fontsize=7, va="center")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlim(0, 1.12)
    # Two classes have bars no thicker than those of five.
    axes.set_ylim(max(len(indices), 5) - 0.4, -0.6)
    axes.set_box_aspect(1)
    axes.spines["bottom"].set_visible(False)
