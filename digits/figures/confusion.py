"""The confusion matrix, or of many classes the pairs that are confused most."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from digits.figures.style import BLUE, INK, QUIET, blank_figure, cut, heading, house_style

# From pale blue to nearly black, so that more errors are darker in a grey print too.
ERROR_COLORS = LinearSegmentedColormap.from_list("errors", ["#c6dbef", "#6baed6", BLUE, "#023858"])
NO_ERROR = "#f6f6f6"

# Stands for a share whose denominator is 0.
NO_VALUE = "\N{EN DASH}"

# The width of a character of the usual size, in inches.
CHARACTER = 0.08

# Characters of a class's name at the edge of the matrix, and in a row of pairs.
LONGEST_NAME, LONGEST_IN_PAIR = 24, 30

# A matrix of more classes could not be read.
MOST_CLASSES = 20
PAIRS = 20


@house_style()
def confusion_matrix_figure(actual: np.ndarray, predicted: np.ndarray, classes: tuple[str, ...]) -> Figure:
    """Draw the confusion matrix, with recall and precision at its edges; of many classes the worst pairs.

    Only the errors are coloured: on one scale with the diagonal, which is hundreds of times larger,
    they would all look the same.

    Args:
        actual: integers (N,), labels that index `classes`.
        predicted: integers (N,), the same.
        classes: the name of each label.
    """
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(actual, predicted, labels=range(len(classes)))
    errors = counts.sum() - np.trace(counts)
    title = f"{errors:,} {'error' if errors == 1 else 'errors'} in {len(actual):,} test images"
    if len(classes) > MOST_CLASSES:
        return _confused_pairs(counts, classes, title)
    classes = tuple(cut(name, LONGEST_NAME) for name in classes)
    longest = CHARACTER * max(len(name) for name in (*classes, "precision"))
    upright = longest if max(len(name) for name in classes) > 5 else 0.0
    figure = blank_figure(6.1 + upright, left=0.5 + longest, right=0.13, bottom=0.15, top=1.15 + upright)
    heading(
        figure,
        f"Confusion matrix: {title}",
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


def _confused_pairs(counts: np.ndarray, classes: tuple[str, ...], title: str) -> Figure:
    """Draw a bar for each pair of classes that is confused most: how many images of one were the other."""
    confused = counts - np.diag(np.diag(counts))
    order = np.argsort(-confused, axis=None, kind="stable")[:PAIRS]
    pairs = [divmod(int(place), len(classes)) for place in order if confused.flat[place]]
    names = [" → ".join(cut(classes[label], LONGEST_IN_PAIR) for label in pair) for pair in pairs]
    left = 0.4 + CHARACTER * max((len(name) for name in names), default=0)
    figure = blank_figure(1.0 + 0.26 * max(1, len(pairs)), left=left, right=1.5, bottom=0.15, top=0.75)
    heading(
        figure,
        f"Most confused of {len(classes)} classes: {title}",
        "actual → predicted: images, of all images of the actual class",
    )
    axes = figure.subplots()
    axes.barh(range(len(pairs)), [confused[pair] for pair in pairs], color=BLUE, height=0.7)
    for row, pair in enumerate(pairs):
        text = f"{confused[pair]:,} of {counts[pair[0]].sum():,}"
        place = (confused[pair], row)
        axes.annotate(text, place, (4, 0), textcoords="offset points", va="center", color=QUIET)
    axes.set_yticks(range(len(pairs)), names)
    axes.set_xticks([])
    axes.set_ylim(max(1, len(pairs)) - 0.4, -0.6)
    axes.tick_params(length=0)
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
    """Write each class's recall to the right of its row and its precision below its column."""
    size = len(counts)
    font_size = min(9.0, 100 / size)
    for label in range(size):
        hits, actual, predicted = counts[label, label], counts[label].sum(), counts[:, label].sum()
        recall = f"{100 * hits / actual:.1f}%" if actual else NO_VALUE
        precision = f"{100 * hits / predicted:.1f}%" if predicted else NO_VALUE
        axes.text(size, label, recall, color=QUIET, fontsize=font_size, ha="center", va="center")
        axes.text(label, size, precision, color=QUIET, fontsize=font_size, ha="center", va="center")
    axes.set_xlim(-0.5, size + 0.5)
    axes.set_ylim(size + 0.5, -0.5)
