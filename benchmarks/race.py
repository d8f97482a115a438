"""The picture of a race: validation accuracy against the seconds since a process was started."""

from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, NullLocator

from benchmarks.contestants import RECIPES, WIDER, Result
from digits.figures.style import BLUE, INK, QUIET, VERMILION, blank_figure, heading, house_style

# The pipeline's own recipes in colours, the others in greys, told apart by their lines.
LOOKS = {
    "fast": (VERMILION, "-"),
    "accurate": ("#009e73", "-"),
    "article": (BLUE, "-"),
    "tiny": ("#cc79a7", "-"),
    "keras": (INK, "--"),
    "pytorch": (QUIET, ":"),
    "keras-jax": (QUIET, "-."),
}
NAMES = {"keras": "plain Keras", "pytorch": "plain PyTorch", "keras-jax": "plain Keras on JAX"}
LOOKS |= {name + WIDER: (LOOKS[name][0], ":") for name in RECIPES}
NAMES |= {name + WIDER: f"{name}, AVX-512" for name in RECIPES}
TICKS = (0.95, 0.98, 0.99, 0.994, 0.996)
# Below it, first epochs would take most of the picture.
LOWEST = 0.95


@house_style()
def race_picture(results: dict[str, list[Result]]) -> Figure:
    """Draw the first run of each contestant, both axes logarithmic, accuracy in the share of errors."""
    figure = blank_figure(height=4.2, left=0.75, right=2.5, bottom=0.55, top=0.85)
    heading(figure, "Accuracy against time", "Validation accuracy after each epoch, imports counted")
    axes = figure.add_subplot()
    for name, (run, *_) in results.items():
        color, line = LOOKS[name]
        moments = [epoch.moment for epoch in run.epochs]
        errors = [1 - epoch.val_accuracy for epoch in run.epochs]
        label = f"{NAMES.get(name, name)}, {run.seconds:.0f} s"
        axes.plot(moments, errors, line, color=color, marker="o", markersize=3, linewidth=1.5, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    # Upside down: better is higher.
    axes.set_ylim(1 - LOWEST, 0.003)
    axes.yaxis.set_major_locator(FixedLocator([1 - tick for tick in TICKS]))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{tick:.1%}" for tick in TICKS]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator([5, 10, 20, 50, 100, 200, 500, 1000, 2000]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(True, axis="y")
    axes.set_xlabel("seconds since the start of the process")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, title="saved after")
    return figure
