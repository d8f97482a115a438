"""The reliability diagram: accuracy by confidence."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digits.evaluation.calibration_error import calibration_bins, expected_calibration_error
from digits.evaluation.intervals import wilson_interval
from digits.figures.style import BLUE, QUIET, blank_figure, heading, house_style

# The space on either side of a bar.
GAP = 0.002

# With more bins there is no room for numbers and large points.
MOST_BINS_NUMBERED = 20


@house_style()
def reliability_diagram(
    confidence: np.ndarray, uncalibrated: np.ndarray, correct: np.ndarray, bins: int
) -> Figure:
    """Draw accuracy against mean confidence in each bin, and the number of images in it.

    Args:
        confidence: floats (N,) in [0, 1].
        uncalibrated: the same before calibration.
        correct: booleans (N,), whether each prediction was right.
        bins: number of bins of equal width (see `calibration_bins`).
    """
    counts, mean_confidence, accuracy = calibration_bins(confidence, correct, bins)
    before, after = (
        expected_calibration_error(values, correct, bins) for values in (uncalibrated, confidence)
    )
    figure = blank_figure(5.6, left=0.85, right=0.25, bottom=0.5, top=0.72, hspace=0.1)
    heading(
        figure,
        f"Reliability: expected calibration error {after:.4f} in {bins} {'bin' if bins == 1 else 'bins'},"
        f" before calibration {before:.4f}",
        f"mean confidence {100 * math.fsum(confidence) / len(correct):.2f}%,"
        f" accuracy {100 * np.count_nonzero(correct) / len(correct):.2f}%;"
        " the lines are 95% intervals of each bin's accuracy",
    )
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.1))
    _draw_accuracy(above, counts, mean_confidence, accuracy)
    _draw_uncalibrated(above, *calibration_bins(uncalibrated, correct, bins))
    _draw_counts(below, counts)
    for axes in (above, below):
        axes.yaxis.set_label_coords(-0.085, 0.5)
    return figure


def _draw_accuracy(axes: Axes, counts: np.ndarray, mean_confidence: np.ndarray, accuracy: np.ndarray) -> None:
    axes.plot([0, 1], [0, 1], "--", color=QUIET, linewidth=1)
    for count, confidence, share in zip(counts, mean_confidence, accuracy, strict=True):
        if count:
            interval = wilson_interval(round(share * count), int(count))
            axes.plot([confidence, confidence], interval, color=BLUE, linewidth=1.5, alpha=0.55)
            axes.plot(confidence, share, "o", color=BLUE, markersize=_point_size(len(counts)))
    axes.set_ylabel("accuracy")
    ticks = np.arange(6) / 5
    axes.set_yticks(ticks, [f"{100 * tick:.0f}%" for tick in ticks])
    axes.set_ylim(-0.03, 1.03)
    axes.grid()
    axes.annotate(
        "perfect calibration", (0.1, 0.1), (6, -6), textcoords="offset points", va="top", color=QUIET
    )


def _draw_uncalibrated(
    axes: Axes, counts: np.ndarray, mean_confidence: np.ndarray, accuracy: np.ndarray
) -> None:
    """Draw the points before calibration, and the legend."""
    there, size = counts > 0, _point_size(len(counts))
    before = axes.plot(mean_confidence[there], accuracy[there], "o", color=QUIET, markersize=size, zorder=1.5)
    before[0].set(fillstyle="none", label="before calibration")
    axes.plot([], [], "o", color=BLUE, markersize=size, label="calibrated")
    axes.legend(loc="lower right", reverse=True)


def _point_size(bins: int) -> int:
    return 6 if bins <= MOST_BINS_NUMBERED else 4


def _draw_counts(axes: Axes, counts: np.ndarray) -> None:
    """Draw the counts on a logarithmic axis that starts below 1, so that a bar of one image is visible."""
    bins = len(counts)
    edges = np.arange(bins + 1) / bins
    floor = -0.3
    for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            # Rounded, since the last bit of a logarithm depends on the CPU.
            top = round(math.log10(count), 6)
            axes.fill_between([left + GAP, right - GAP], floor, top, color=BLUE, linewidth=0)
            middle = (left + right) / 2
            if bins <= MOST_BINS_NUMBERED:
                axes.annotate(
                    f"{count:,}", (middle, top), (0, 2), textcoords="offset points", ha="center", fontsize=8
                )
    highest = math.ceil(math.log10(counts.max()))
    powers = range(max(1, highest) + 1)
    axes.set_yticks(powers, [f"{10**power:,}" for power in powers])
    axes.set_ylim(floor, max(1, highest) + 0.5)
    axes.set_ylabel("images")
    axes.set_xlabel("confidence in the predicted class")
    ticks = np.arange(6) / 5
    axes.set_xticks(ticks, [f"{100 * tick:.0f}%" for tick in ticks])
    axes.set_xlim(-0.01, 1.01)
    axes.grid(axis="y")
