"""Whether outputs with other bytes are as good as the locked ones, by the metrics of the rerun."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import stdev
from typing import Any

from dvc.utils.serialize import load_yaml

from digits.errors import DigitsError
from digits.verification.lock import NOTHING, leaves

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
    """A metric of the locked run and of the rerun.

    Attributes:
        file: the metrics file.
        name: the key in it, with dots.
        locked: the number or boolean of the locked run, `(none)` where it has none.
        rerun: that of the rerun.
        allowed: how far apart the two may be; None for a metric that is only shown.
        allowed_from: what `allowed` was computed from.
    """

    file: str
    name: str
    locked: Any
    rerun: Any
    allowed: float | None
    allowed_from: str


def compare_metrics(
    file: str, locked: dict[str, Any], rerun: dict[str, Any], seed_errors: list[int]
) -> list[Metric]:
    """Return the metrics that differ, and in any case `accuracy` where a rerun can be judged by it.

    Args:
        file: the metrics file.
        locked: its locked content. To judge by `accuracy`, a share from 0 to 1, the number of `errors` is
            needed as well.
        rerun: its content after the rerun.
        seed_errors: the test errors of other seeds with the same recipe, if there are any.
    """
    before, after = _flat(locked), _flat(rerun)
    metrics = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name, NOTHING), after.get(name, NOTHING)
        judged = name == "accuracy" and NOTHING not in (old, new)
        allowed, allowed_from = _noise(old, locked.get("errors"), seed_errors) if judged else (None, "")
        if old != new or allowed is not None:
            metrics.append(Metric(file, name, old, new, allowed, allowed_from))
    return metrics


def _flat(metrics: dict[str, Any]) -> dict[str, Any]:
    flat = {key: value for name, content in metrics.items() for key, value in leaves(name, content).items()}
    return {key: value for key, value in flat.items() if isinstance(value, (bool, int, float))}


def _noise(accuracy: float, errors: Any, seed_errors: list[int]) -> tuple[float | None, str]:
    """Return how far from `accuracy` another seed's may be, or None, and what it was computed from."""
    if (accuracy, errors) == (1, 0):
        return 0.0, "the locked run has no error"
    if not isinstance(errors, int) or errors < 1 or not 0 <= accuracy < 1:
        return None, ""
    images = round(errors / (1 - accuracy))
    if len(seed_errors) > 1:
        deviation, source = (
            stdev(seed_errors) / images,
            f"standard deviations of {len(seed_errors)} seeds in {SEEDS}",
        )
    else:
        deviation = math.sqrt(accuracy * (1 - accuracy) / images)
        source = f"binomial standard errors of {images} images"
    return DEVIATIONS * deviation, f"{DEVIATIONS} {source}"


def judge(metrics: list[Metric]) -> Comparison:
    """Return the verdict on the outputs with other bytes."""
    judged = [metric for metric in metrics if metric.allowed is not None]
    if not judged:
        return Comparison("different", "other bytes, no metric to judge by")
    if all(abs(metric.locked - metric.rerun) <= metric.allowed for metric in judged):
        return Comparison("equivalent", "other bytes, accuracy within noise")
    return Comparison("different", "other bytes, accuracy outside noise")


def read_seed_errors(root: Path) -> list[int]:
    """Return the test errors of each seed that docs/seeds.json has for dataset and recipe of params.yaml.

    Raises:
        DigitsError: the file is damaged.
    """
    if not ((root / SEEDS).is_file() and (root / "params.yaml").is_file()):
        return []
    params = load_yaml(str(root / "params.yaml"))
    dataset, recipe = (params.get(key) if isinstance(params, dict) else None for key in ("dataset", "recipe"))
    try:
        recipes = json.loads((root / SEEDS).read_text(encoding="utf-8")).get(dataset, {})
        return [int(row["test_errors"]) for row in recipes[recipe]["rows"]] if recipe in recipes else []
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DigitsError(f"{SEEDS}: not a table of seeds ({error})") from error
