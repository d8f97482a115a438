"""The training curves: accuracy and loss after each epoch.

Both axes are logarithmic, that of accuracy in the share of errors. After the first epoch a network whose
batch norm lags may validate at 17%, and the last epochs differ by tenths of a percent: one axis shows both.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digits.errors import DigitsError
from digits.figures.style import BLUE, FAINT, QUIET, VERMILION, blank_figure, house_style
from digits.files import HISTORY, Table

# Added to a value before its logarithm is taken, so that the axis has a place for 0.
OFFSET = 0.001

# The digits that ticks may have in each power of ten, from few to many.
TICK_DIGITS = (("1",), ("1", "2", "5"), ("1", "1.5", "2", "3", "4", "5", "6", "7", "8", "9"))

# A learning rate that falls more often than this follows a schedule, of which one line says enough.
MOST_FALLS_MARKED = 4


@dataclass(frozen=True)
class _Quantity:
    """What a panel shows: the distance from the ideal, and whether the ideal is at the top or the bottom."""

    title: str
    scale: str
    column: str
    distance: Callable[[float], float]
    up: bool
    tick_name: Callable[[float], str]
    exact_name: Callable[[float], str]

    def height(self, distance: float) -> float:
        # Rounded, since the last bit of a logarithm depends on the CPU.
        logarithm = round(math.log10(distance + OFFSET), 6)
        return -logarithm if self.up else logarithm


ACCURACY = _Quantity(
    title="Accuracy",
    scale="log scale of the errors",
    column="accuracy",
    distance=lambda accuracy: 1 - accuracy,
    up=True,
    tick_name=lambda error: f"{100 * (1 - error):.6g}%",
    exact_name=lambda error: f"{100 * (1 - error):.2f}%",
)
LOSS = _Quantity(
    title="Loss",
    scale="cross-entropy, log scale",
    column="loss",
    distance=lambda loss: loss,
    up=False,
    tick_name=lambda loss: f"{loss:g}",
    exact_name=lambda loss: f"{loss:.4f}",
)


@house_style()
def training_curves(history: Table) -> Figure:
    """Draw accuracy and loss side by side, and mark the epoch of lowest validation loss.

    Args:
        history: a row per epoch with the columns `HISTORY`; epochs count from 1, accuracies are in [0, 1],
            losses and learning rates at least 0.

    Raises:
        DigitsError: a number is not finite, as after a training that diverged.
    """
    for name in HISTORY:
        for epoch, value in zip(history["epoch"], history[name], strict=True):
            if not math.isfinite(value):
                raise DigitsError(f"history: epoch {epoch:g}: {name} is {value}; the training has diverged")
    figure = blank_figure(3.7, left=0.65, right=0.85, bottom=0.5, top=0.6, wspace=0.5)
    for axes, quantity in zip(figure.subplots(1, 2), (ACCURACY, LOSS), strict=True):
        _draw_panel(axes, quantity, history)
    return figure


def _draw_panel(axes: Axes, quantity: _Quantity, history: Table) -> None:
    epochs = history["epoch"]
    training = [quantity.distance(value) for value in history[quantity.column]]
    validation = [quantity.distance(value) for value in history[f"val_{quantity.column}"]]
    _scale_axes(axes, quantity, epochs, training + validation)
    _mark_learning_rate(axes, quantity, history)
    _mark_best_epoch(axes, quantity, history, validation)
    ends = {}
    for label, values, color, style in (
        ("training", training, VERMILION, "s--"),
        ("validation", validation, BLUE, "o-"),
    ):
        heights = [quantity.height(value) for value in values]
        axes.plot(epochs, heights, style, color=color, markersize=3.5, linewidth=1.5, markeredgewidth=0)
        ends[label] = (heights[-1], color)
    _label_ends(axes, ends)


def _scale_axes(axes: Axes, quantity: _Quantity, epochs: list[float], values: list[float]) -> None:
    title = axes.set_title(quantity.title, pad=24)
    axes.annotate(
        quantity.scale, (1, 0), (6, 0), xycoords=title, textcoords="offset points", color=QUIET, va="bottom"
    )
    axes.set_xlabel("epoch")
    axes.grid(axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)

    last = int(max(epochs))
    step = next(step for step in (1, 5, 10, 50, 100, 500, 1000, last) if last / step <= 10)
    axes.set_xticks(sorted({1, *range(step, last + 1, step)}))
    axes.set_xlim(0.5, last + 0.5)

    heights = [quantity.height(value) for value in values]
    margin = 0.08 * (max(heights) - min(heights)) + 0.02
    bottom, top = min(heights) - margin, max(heights) + margin
    for digits in TICK_DIGITS:
        candidates = [0.0, *(float(f"{digit}e{power}") for power in range(-3, 3) for digit in digits)]
        ticks = [value for value in candidates if bottom <= quantity.height(value) <= top]
        if len(ticks) >= 4:
            break
    axes.set_yticks([quantity.height(tick) for tick in ticks], [quantity.tick_name(tick) for tick in ticks])
    axes.set_ylim(bottom, top)


def _mark_learning_rate(axes: Axes, quantity: _Quantity, history: Table) -> None:
    """Mark in grey, where the curves leave room, when the learning rate fell."""
    epochs, rates = history["epoch"], history["learning_rate"]
    falls = [place for place in range(1, len(rates)) if rates[place] < rates[place - 1]]
    free = 0.03 if quantity.up else 0.97
    look: dict[str, Any] = {
        "ha": "right",
        "va": "bottom" if quantity.up else "top",
        "color": QUIET,
        "fontsize": 8,
    }
    if len(falls) > MOST_FALLS_MARKED:
        text = f"learning rate {_plain(max(rates))} → {_plain(rates[-1])}"
        axes.text(0.9, free, text, transform=axes.transAxes, **look)
        return
    for fall in falls:
        between = (epochs[fall - 1] + epochs[fall]) / 2
        axes.axvline(between, color=FAINT, linewidth=0.8, linestyle=":")
        text = f"learning rate {_plain(rates[fall])}"
        axes.text(between, free, text, transform=axes.get_xaxis_transform(), rotation=90, **look)


def _plain(rate: float) -> str:
    """Return a rate with three digits and no exponent: 0.00002 rather than 2e-05."""
    return f"{Decimal(f'{rate:.3g}'):f}"


def _mark_best_epoch(axes: Axes, quantity: _Quantity, history: Table, validation: list[float]) -> None:
    best = int(np.argmin(history["val_loss"]))
    epoch = history["epoch"][best]
    axes.axvline(epoch, color=QUIET, linewidth=0.8)
    axes.plot(
        epoch, quantity.height(validation[best]), "o", markersize=9, color="white", markeredgecolor=BLUE
    )
    text = f"best epoch {epoch:g}: {quantity.exact_name(validation[best])}"
    share = (epoch - 0.5) / len(history["epoch"])
    axes.annotate(
        text,
        (epoch, 1),
        (0, 3),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        color=BLUE,
        ha="left" if share < 0.3 else "right" if share > 0.7 else "center",
    )


def _label_ends(axes: Axes, ends: dict[str, tuple[float, str]]) -> None:
    """Write the name of each curve to the right of its last point, and keep the names apart."""
    bottom, top = axes.get_ylim()
    apart = 0.065 * (top - bottom)
    (_, (low, _)), (_, (high, _)) = ordered = sorted(ends.items(), key=lambda end: end[1][0])
    push = max(0.0, (apart - (high - low)) / 2)
    for (label, (height, color)), shift in zip(ordered, (-push, push), strict=True):
        place = axes.get_yaxis_transform()
        axes.text(1.015, height + shift, label, transform=place, color=color, va="center", fontweight="bold")
