"""The picture of a sweep: each run a dot, groups side by side, with the interval of their means."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from digits.figures.style import BLUE, INK, QUIET, VERMILION, blank_figure, heading, house_style, write_figure
from digits.sweep.groups import Group, mean_and_deviation, mean_interval
from digits.sweep.table import main_metric

# More groups than these do not fit side by side: those with the highest means are shown.
MOST_GROUPS = 12


def write_picture(path: Path, groups: Sequence[Group]) -> bool:
    """Draw the groups and write the PNG; return False where no run has a metric."""
    metric = main_metric(groups)
    if metric is None:
        return False
    write_figure(path, sweep_figure([group for group in groups if group.values(metric)], metric))
    return True


@house_style()
def sweep_figure(groups: Sequence[Group], metric: str) -> Figure:
    """Draw `metric` of each run of the groups, which all have runs with that metric."""
    means = {id(group): mean_and_deviation(group.values(metric))[0] for group in groups}
    highest = sorted(groups, key=lambda group: -means[id(group)])[:MOST_GROUPS]
    shown = [group for group in groups if group in highest]
    left_out = len(groups) - len(shown)
    figure = blank_figure(4.2, left=0.9, right=0.3, bottom=0.9, top=0.8)
    more = f"; {left_out} groups with lower means are left out" if left_out else ""
    heading(figure, "Runs of the sweep", f"each dot a run, each bar the 95% interval of the mean{more}")
    axes = figure.subplots()
    for place, group in enumerate(shown):
        values = group.values(metric)
        # Dots of nearly equal height stand beside each other, in the order of their seeds.
        spread = np.linspace(-0.18, 0.18, len(values)) if values[1:] else np.zeros(1)
        axes.plot(place - 0.12 + spread, values, "o", color=BLUE, markersize=4, alpha=0.7, markeredgewidth=0)
        if interval := mean_interval(values):
            axes.plot([place + 0.25] * 2, interval, color=VERMILION, linewidth=2)
            axes.plot(place + 0.25, means[id(group)], "_", color=VERMILION, markersize=10, markeredgewidth=2)
    axes.set_xlim(-0.6, len(shown) - 0.4)
    axes.set_xticks(range(len(shown)), ["\n".join(group.overrides) or "params.yaml" for group in shown])
    axes.tick_params(axis="x", labelsize=7.5 if len(shown) > 4 else 9, labelcolor=INK, color=QUIET)
    axes.grid(axis="y")
    axes.set_ylabel(metric)
    if metric == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=2))
    return figure
