"""The style that the pictures share, and how they are written.

A picture is drawn and written within `house_style`, which starts from matplotlib's own settings:
a user's matplotlibrc changes no picture. `matplotlib.pyplot`, which keeps state, is not used.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from digits.files import whole_file

# Just below 1,000 pixels: `dvc plots diff` shows pictures at their own size, and cuts off wider ones.
WIDTH = 8.5  # inches
DOTS_PER_INCH = 117

# Blue and vermilion look different in every kind of colour vision.
# Source: M. Okabe and K. Ito, Color Universal Design (2008).
BLUE = "#0072b2"
VERMILION = "#d55e00"
INK = "#222222"
QUIET = "#666666"
FAINT = "#d9d9d9"

STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so it is on every machine
    "font.size": 9.5,
    "text.color": INK,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "figure.facecolor": "white",
}


def cut(name: str, longest: int) -> str:
    """Return `name`, or its beginning and an ellipsis, in at most `longest` characters."""
    return name if len(name) <= longest else f"{name[: longest - 1].rstrip()}…"


@contextmanager
def house_style() -> Iterator[None]:
    """Use these settings of matplotlib while the block, or the decorated function, runs."""
    settings: dict[Any, Any] = {**matplotlib.rcParamsDefault, **STYLE}
    del settings["backend"]  # concerns windows on a screen, and `rc_context` would not restore it
    with matplotlib.rc_context(settings):
        yield


def blank_figure(
    height: float, left: float = 0, right: float = 0, bottom: float = 0, top: float = 0, **spacing: float
) -> Figure:
    """Return a figure of the common width and of `height`, with margins around its axes, all in inches.

    The `spacing` between axes is that of `Figure.subplots_adjust`: `wspace` and `hspace`.
    """
    figure = Figure(figsize=(WIDTH, height))
    figure.subplots_adjust(left / WIDTH, bottom / height, 1 - right / WIDTH, 1 - top / height, **spacing)
    return figure


def heading(figure: Figure, title: str, explanation: str) -> None:
    """Write a title and a grey line of explanation at the top left, within the first 0.6 inches."""
    height = figure.get_size_inches()[1]
    figure.text(0.02, 1 - 0.28 / height, title, fontsize=11.5, fontweight="bold")
    figure.text(0.02, 1 - 0.52 / height, explanation, color=QUIET)


@house_style()
def write_figure(path: Path, figure: Figure) -> None:
    """Write `figure` to `path` as a PNG, with the same bytes in every process.

    Raises:
        DigitsError: the folder or the disk refuses the file.
    """
    with whole_file(path) as partial, warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", r"Glyph \d+ ")
        figure.savefig(partial, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
