"""The table of a sweep, in Markdown: a row for each group of runs."""

from collections.abc import Sequence

from digits.sweep.groups import Group, best_group, mean_and_deviation

# More values than these are not told one by one.
MOST_VALUES = 20


def table(groups: Sequence[Group]) -> str:
    """Return the table of all groups, and the lines of runs that failed."""
    metric = main_metric(groups)
    several = len({group.commit for group in groups}) > 1
    marked = several or any(group.dirty for group in groups)
    head = ["overrides", "runs", *([f"{metric}, mean ± standard deviation"] if metric else []), "each run"]
    rows = [
        [
            *([_commit(group)] if marked else []),
            name_of(group),
            str(len(group.rows)) + (f" ({len(group.failed)} failed)" if group.failed else ""),
            *([_mean(metric, group.values(metric))] if metric else []),
            _each(group, metric),
        ]
        for group in groups
    ]
    head = [*(["commit"] if marked else []), *head]
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows), *_best_line(groups, metric)]
    for group in groups:
        lines += [f"{' '.join(row.overrides) or 'no override'} failed: {row.error}" for row in group.failed]
    return "\n".join(lines)


def main_metric(groups: Sequence[Group]) -> str | None:
    """Return the metric that a table is about: the accuracy where there is one, else the first by name."""
    names = sorted({name for group in groups for row in group.rows for name in row.metrics})
    return "accuracy" if "accuracy" in names else next(iter(names), None)


def name_of(group: Group) -> str:
    """Return the overrides of a group in a line."""
    return ", ".join(group.overrides) or "(as in params.yaml)"


def _commit(group: Group) -> str:
    return f"{group.commit:.7}" + (" (uncommitted changes)" if group.dirty else "")


def _mean(metric: str | None, values: list[float]) -> str:
    if not metric or not values:
        return ""
    mean, deviation = mean_and_deviation(values)
    digits = ".3%" if metric == "accuracy" else ".6g"
    return f"{mean:{digits}} ± {deviation:{digits}}" if values[1:] else f"{mean:{digits}}"


def _each(group: Group, metric: str | None) -> str:
    """Return the errors of each run, or its metric where it counts no errors."""
    errors = group.values("errors")
    values = [f"{value:g}" for value in errors or (group.values(metric) if metric else [])]
    more = f", … ({len(values) - MOST_VALUES} more)" if len(values) > MOST_VALUES else ""
    unit = " errors" if errors else ""
    return ", ".join(values[:MOST_VALUES]) + more + (unit if values else "")


def _best_line(groups: Sequence[Group], metric: str | None) -> list[str]:
    measured = [group for group in groups if metric and group.values(metric)]
    if metric != "accuracy" or len(measured) < 2:
        return []
    best, confidence = best_group([group.values(metric) for group in measured])
    said = "" if confidence is None else f", with a probability of {confidence:.0%} that it truly is"
    return ["", f"best: {name_of(measured[best])}{said}"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
