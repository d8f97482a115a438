"""What differs between two results, by their locks, metrics and predictions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digits.comparison.command import compared, worse_at_most
from digits.comparison.sides import Run, Side
from digits.errors import DigitsError
from digits.report.results import Results
from digits.sweep.results import number_metrics
from digits.verification import git
from digits.verification.lock import NOTHING, leaves

VERSIONS = "environment.yaml"


@dataclass(frozen=True)
class Changes:
    """What differs.

    Attributes:
        values: the file, the key, and its value before and after, of each param and library version.
        code: the paths of the files that stages read and no stage writes.
        outputs: the paths of the outputs with other bytes.
        metrics: the name of each metric that moved, and its value before and after.
        comparison: as `digits compare` judges the accuracy and the loss; None where it cannot.
        not_compared: why it cannot, else an empty text.
        new_mistakes: integers, the indices of the test images that only the later result names wrongly.
        mended_mistakes: those that only the earlier one names wrongly.
    """

    values: list[tuple[str, str, Any, Any]]
    code: list[str]
    outputs: list[str]
    metrics: list[tuple[str, Any, Any]]
    comparison: dict[str, Any] | None
    not_compared: str
    new_mistakes: np.ndarray
    mended_mistakes: np.ndarray


def changes_between(root: Path, before: Results, after: Results) -> Changes:
    """Compare two results of the repository at `root`."""
    new, mended = _mistakes(before, after)
    comparison, not_compared = _comparison(root, before, after)
    return Changes(
        values=_values(before.lock, after.lock),
        code=_code(root, before, after),
        outputs=_differing(_hashes(before.lock, "outs"), _hashes(after.lock, "outs")),
        metrics=_moved(before.metrics, after.metrics),
        comparison=comparison,
        not_compared=not_compared,
        new_mistakes=new,
        mended_mistakes=mended,
    )


def _comparison(root: Path, before: Results, after: Results) -> tuple[dict[str, Any] | None, str]:
    try:
        return compared(_side(before), _side(after), worse_at_most(root)), ""
    except DigitsError as error:
        return None, str(error)


def _side(results: Results) -> Side:
    return Side(results.name, {"": Run(number_metrics(results.metrics), results.answers, None)})


def _moved(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    earlier, later = (
        {key: value for name, content in metrics.items() for key, value in leaves(name, content).items()}
        for metrics in (before, after)
    )
    values = [
        (key, earlier.get(key, NOTHING), later.get(key, NOTHING)) for key in dict.fromkeys([*earlier, *later])
    ]
    return [(key, old, new) for key, old, new in values if old != new]


def _values(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    earlier, later = _locked_values(before), _locked_values(after)
    return [
        (*key, earlier.get(key, NOTHING), later.get(key, NOTHING))
        for key in dict.fromkeys([*earlier, *later])
        if earlier.get(key, NOTHING) != later.get(key, NOTHING)
    ]


def _locked_values(lock: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Return each value by its file and key, with the recipe's name left out of the keys.

    So the numbers of two recipes stand side by side.
    """
    names = [values.get("recipe") for stage in lock.values() for values in stage.get("params", {}).values()]
    recipe = next((f"recipes.{name}." for name in names if name), "recipes.")
    return {
        (file, f"recipe.{key.removeprefix(recipe)}" if key.startswith(recipe) else key): value
        for stage in lock.values()
        for file, values in stage.get("params", {}).items()
        for name, content in values.items()
        for key, value in leaves(name, content).items()
    }


def _hashes(lock: dict[str, Any], part: str) -> dict[str, str]:
    return {item["path"]: item.get("md5", "") for stage in lock.values() for item in stage.get(part, [])}


def _differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _code(root: Path, before: Results, after: Results) -> list[str]:
    """Return the files that changed; those of a folder that stages name are the ones that Git tells."""
    written = _hashes(before.lock, "outs").keys() | _hashes(after.lock, "outs").keys()
    paths = _differing(_hashes(before.lock, "deps"), _hashes(after.lock, "deps"))
    files: set[str] = set()
    for path in paths:
        if path not in written:
            folder = (root / path).is_dir()
            files |= set(git.changed_in(root, before.commit, path) or [path]) if folder else {path}
    return sorted(files)


def _mistakes(before: Results, after: Results) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.array([], np.int64)
    earlier, later = before.predictions, after.predictions
    if not earlier or not later or not np.array_equal(earlier.actual, later.actual):
        return nothing, nothing
    wrong_before, wrong_after = earlier.predicted != earlier.actual, later.predicted != later.actual
    return np.flatnonzero(wrong_after & ~wrong_before), np.flatnonzero(wrong_before & ~wrong_after)
