"""The pictures of a report: both results side by side, and the mistakes that are new and mended."""

import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from digits.figures.confusion import confusion_matrix_figure
from digits.figures.style import DOTS_PER_INCH, QUIET, blank_figure, heading, house_style, write_figure
from digits.figures.training import training_curves
from digits.files import whole_file
from digits.report.changes import Changes
from digits.report.results import Results

COLUMNS = 10
# More thumbnails than these say no more.
MOST_SHOWN = 40
# The height of a row of thumbnails, and what a title takes, in inches.
ROW, TITLE = 1.12, 0.62


def draw(before: Results, after: Results, changes: Changes, folder: Path) -> dict[str, str]:
    """Write the pictures that can be drawn into `folder`, and return their names by what they show.

    The keys are `results`, for curves and confusion matrices, and `mistakes`.
    """
    pictures = {}
    panels = _panels(before, after)
    if panels:
        with whole_file(folder / "results.png") as partial:
            _side_by_side(panels).save(partial, format="PNG")
        pictures["results"] = "results.png"
    images = after.images
    if images is not None and len(changes.new_mistakes) + len(changes.mended_mistakes):
        write_figure(folder / "mistakes.png", mistakes_figure(images, before, after, changes))
        pictures["mistakes"] = "mistakes.png"
    return pictures


def _panels(before: Results, after: Results) -> list[list[Image.Image]]:
    """Return the rows of the picture, with a panel for each result; a panel that cannot be had is blank."""
    rows: list[tuple[str, Callable[[Results], Figure | None]]] = [
        ("training", lambda result: training_curves(result.history) if result.history else None),
        ("confusion", _confusion),
    ]
    panels = []
    for name, figure in rows:
        drawn = [figure(result) for result in (before, after)]
        if any(drawn):
            height = max(one.get_size_inches()[1] for one in drawn if one)
            titled = zip((before, after), drawn, strict=True)
            panels.append([_image(one or _absent(result, name, height)) for result, one in titled])
    if panels:
        panels.insert(0, [_image(_title(result)) for result in (before, after)])
    return panels


def _confusion(result: Results) -> Figure | None:
    if not result.predictions:
        return None
    return confusion_matrix_figure(result.predictions.actual, result.predictions.predicted, result.classes)


@house_style()
def _title(result: Results) -> Figure:
    figure = blank_figure(TITLE)
    heading(figure, result.name, f"commit {result.commit:.7}")
    return figure


@house_style()
def _absent(result: Results, name: str, height: float) -> Figure:
    figure = blank_figure(height)
    heading(figure, f"{name}: not to be had", result.name)
    return figure


@house_style()
def _image(figure: Figure) -> Image.Image:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return Image.open(content).convert("RGB")


def _side_by_side(rows: list[list[Image.Image]]) -> Image.Image:
    width = sum(image.width for image in rows[0])
    heights = [max(image.height for image in row) for row in rows]
    whole = Image.new("RGB", (width, sum(heights)), "white")
    for number, row in enumerate(rows):
        left = 0
        for image in row:
            whole.paste(image, (left, sum(heights[:number])))
            left += image.width
    return whole


@house_style()
def mistakes_figure(images: np.ndarray, before: Results, after: Results, changes: Changes) -> Figure:
    """Draw thumbnails of the new mistakes, and below them of those that are mended.

    Each has the actual class, the one that it was or is taken for, and its index in the test set.

    Args:
        images: float32 (N, height, width, 1) in [0, 1], of which 1 is ink.
        before: the earlier result, with predictions.
        after: the later one.
        changes: the indices of the images.
    """
    groups = [("new", after, changes.new_mistakes), ("mended", before, changes.mended_mistakes)]
    groups = [group for group in groups if len(group[2])]
    rows = [math.ceil(min(len(indices), MOST_SHOWN) / COLUMNS) for _, _, indices in groups]
    figure = blank_figure(sum(TITLE + ROW * count for count in rows))
    height = float(figure.get_size_inches()[1])
    top = height
    for (title, result, indices), count in zip(groups, rows, strict=True):
        shown = f", the first {MOST_SHOWN} of them" if len(indices) > MOST_SHOWN else ""
        figure.text(
            0.02,
            (top - 0.3) / height,
            f"{len(indices):,} {title} {'mistake' if len(indices) == 1 else 'mistakes'}{shown}",
            fontsize=11.5,
            fontweight="bold",
        )
        top -= TITLE
        for place, index in enumerate(indices[:MOST_SHOWN]):
            row, column = divmod(place, COLUMNS)
            bottom = (top - ROW * (row + 1) + 0.42) / height
            axes = figure.add_axes((0.02 + column * 0.097, bottom, 0.085, 0.72 / height))
            axes.imshow(images[index, ..., 0], cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set(visible=True)
            axes.set_xlabel(_caption(result, index), labelpad=2, fontweight="bold")
            axes.annotate(
                f"#{index}", (0.5, 0), (0, -17), xycoords="axes fraction", textcoords="offset points",
                ha="center", va="top", color=QUIET, fontsize=7.5,
            )  # fmt: skip
        top -= ROW * count
    return figure


def _caption(result: Results, index: int) -> str:
    assert result.predictions  # only such a result has mistakes
    classes = result.classes
    return f"{classes[result.predictions.actual[index]]} → {classes[result.predictions.predicted[index]]}"
