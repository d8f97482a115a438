"""Whether outputs with other bytes are as good as the locked ones, by the metrics of the rerun."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import stdev
from typing import Any

from dvc.utils.serialize import load_yaml

from digits.errors import DigitsError
from digits.verification.lock import NOTHING, leaves, plain

SEEDS = Path("docs/seeds.json")
# A larger difference than so many standard deviations is not noise.
DEVIATIONS = 3


@dataclass(frozen=True)
class Comparison:
    """How an output of the rerun compares with the locked one.

    Attributes:
        verdict: `identical`, `equivalent` or `different`.
        reason: why, in words; empty where the bytes are identical.
    """

    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Metric:
    """A metric before and after.

    Attributes:
        file: the metrics file.
        name: the key in it, with dots.
        locked: the number or boolean in the locked file, `(none)` where it has none.
        rerun: the one in the file of the rerun.
        allowed: how far apart the two may be by chance; None for a metric that is only shown.
        allowed_from: what `allowed` was computed from.
    """

    file: str
    name: str
    locked: Any
    rerun: Any
    allowed: float | None = None
    allowed_from: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the metric as values of JSON, with a text for people."""
        text = f"{plain(self.locked)} → {plain(self.rerun)}"
        if self.allowed is not None:
            text += f" (may differ by {self.allowed:.2g}: {self.allowed_from})"
        return {**asdict(self), "text": text}


def compare_metrics(
    file: str, locked: dict[str, Any], rerun: dict[str, Any], seed_errors: list[int]
) -> list[Metric]:
    """Return the metrics that differ, and `accuracy`, which a rerun is judged by, in any case.

    Args:
        file: the metrics file.
        locked: its locked content.
        rerun: its content after the rerun. `accuracy`, a share from 0 to 1, is judged where both have it and
            the locked content has the number of `errors` as well, which tells how many images were tested.
        seed_errors: the test errors of other seeds with the same recipe, if there are any.
    """
    before, after = _flat(locked), _flat(rerun)
    metrics = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name, NOTHING), after.get(name, NOTHING)
        if name == "accuracy" and NOTHING not in (old, new) and _has_test_size(locked):
            metrics.append(Metric(file, name, old, new, *_allowed(old, locked["errors"], seed_errors)))
        elif old != new:
            metrics.append(Metric(file, name, old, new))
    return metrics


def _flat(metrics: dict[str, Any]) -> dict[str, Any]:
    flat = {key: value for name, content in metrics.items() for key, value in leaves(name, content).items()}
    return {key: value for key, value in flat.items() if isinstance(value, (bool, int, float))}


def _has_test_size(metrics: dict[str, Any]) -> bool:
    """Return whether the number of test images follows from `accuracy` and `errors`, or does not matter."""
    accuracy, errors = metrics["accuracy"], metrics.get("errors")
    return isinstance(errors, int) and (0 <= accuracy < 1 if errors > 0 else accuracy == 1)


def _allowed(accuracy: float, errors: int, seed_errors: list[int]) -> tuple[float, str]:
    """Return how far apart two accuracies may be by chance, and what that was computed from."""
    if not errors:
        return 0.0, "the locked run has no error"
    images = round(errors / (1 - accuracy))
    if len(seed_errors) > 1:
        deviation = stdev(seed_errors) / images
        return (
            DEVIATIONS * deviation,
            f"{DEVIATIONS} standard deviations of {len(seed_errors)} seeds, {SEEDS}",
        )
    error = math.sqrt(accuracy * (1 - accuracy) / images)
    return DEVIATIONS * error, f"{DEVIATIONS} binomial standard errors of {images} images"


def judge(metrics: list[Metric]) -> Comparison:
    """Return the verdict on the outputs with other bytes."""
    judged = [metric for metric in metrics if metric.allowed is not None]
    if not judged:
        return Comparison("different", "other bytes, no metric to judge by")
    if all(abs(metric.locked - metric.rerun) <= metric.allowed for metric in judged):
        return Comparison("equivalent", "other bytes, accuracy within noise")
    return Comparison("different", "other bytes, accuracy outside noise")


def read_seed_errors(root: Path) -> list[int]:
    """Return the test errors of each seed that docs/seeds.json has for the recipe in params.yaml.

    Raises:
        DigitsError: the file is damaged.
    """
    if not ((root / SEEDS).is_file() and (root / "params.yaml").is_file()):
        return []
    recipe = load_yaml(str(root / "params.yaml")).get("recipe")
    try:
        recipes = json.loads((root / SEEDS).read_text(encoding="utf-8"))
        return [int(row["test_errors"]) for row in recipes[recipe]["rows"]] if recipe in recipes else []
    except (KeyError, TypeError, ValueError) as error:
        raise DigitsError(f"{SEEDS}: not a table of seeds ({error})") from error
