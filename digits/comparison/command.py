"""`digits compare`: whether one side is better than the other, or chance explains the difference."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digits.errors import DigitsError

if TYPE_CHECKING:
    from digits.comparison.sides import Run, Side
    from digits.comparison.statistics import Difference

SUMMARY = "say whether a revision, a sweep or the workspace is better than another, or chance explains it"
DESCRIPTION = """\
Compare the accuracy and the loss of two sides, with the 95% interval of the difference. A side is
a revision, the workspace, or the runs of a sweep: NAME, or NAME:KEY=VALUES where it has several groups.
Several runs tell by their seeds. One run each tells by its answers to the same test images, which says
whether these two models differ: another seed gives another model. The verdict is that of the accuracy.
"""
EPILOG = """\
exit status
  0    not worse
  1    could not be compared
  2    wrong arguments
  3    worse beyond noise, and by more than gate.worse_at_most of params.yaml

examples
  digits compare                               the workspace with the last commit
  digits compare main                          the workspace with the branch main
  digits compare main HEAD --json              two revisions, for machines
  digits compare runs:recipe=fast runs:recipe=accurate
  digits compare 'runs:train.seed=range(5)' 'runs:train.seed=range(5,10)'
"""
NO_DIFFERENCE = "no difference shown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `digits compare`, and the function that runs it."""
    help_before = "what to compare with (default: HEAD)"
    parser.add_argument("before", nargs="?", default="HEAD", metavar="REV_OR_SWEEP", help=help_before)
    help_after = "what is judged (default: the workspace)"
    parser.add_argument("after", nargs="?", metavar="REV_OR_SWEEP", help=help_after)
    parser.add_argument("--json", action="store_true", help="print JSON with sorted keys instead of Markdown")
    parser.set_defaults(run=compare)


def compare(arguments: argparse.Namespace) -> int:
    """Compare, print the verdict, and return the exit status."""
    from digits.comparison.sides import read_side
    from digits.verification.pipeline import find_root

    root = find_root(Path.cwd())
    sides = read_side(root, arguments.before), read_side(root, arguments.after)
    result = compared(*sides, worse_at_most(root))
    print(json.dumps(result, indent=2, sort_keys=True) if arguments.json else markdown(result))
    return int(result["exit_status"])


def compared(before: Side, after: Side, worse_at_most: float) -> dict[str, Any]:
    """Compare two sides, and return what JSON shows.

    Raises:
        DigitsError: they cannot be compared.
    """
    accuracy = _accuracy(before, after)
    verdict = NO_DIFFERENCE
    if accuracy.shown:
        verdict = "better" if accuracy.value > 0 else "worse"
    differences = {"accuracy": accuracy}
    if all("loss" in run.metrics for side in (before, after) for run in side.runs.values()):
        differences["loss"] = _loss(before, after)
    return {
        "before": before.name,
        "after": after.name,
        "verdict": verdict,
        "worse_at_most": worse_at_most,
        "exit_status": 3 if verdict == "worse" and -accuracy.value > worse_at_most else 0,
        "differences": {
            name: asdict(difference)
            | {"before": _mean(before.values(name)), "after": _mean(after.values(name))}
            for name, difference in differences.items()
        },
    }


def _accuracy(before: Side, after: Side) -> Difference:
    from digits.comparison.statistics import of_answers, of_counts, of_seeds

    first, second = before.values("accuracy"), after.values("accuracy")
    if len(first) > 1 or len(second) > 1:
        return of_seeds(first, second)
    (one,), (other,) = before.runs.values(), after.runs.values()
    if one.answers and other.answers:
        (labels, right), (other_labels, other_right) = one.right(), other.right()
        if labels.shape != other_labels.shape or (labels != other_labels).any():
            raise DigitsError(f"{before.name} and {after.name} were tested on different images")
        return of_answers(right, other_right)
    if _same(one, other):
        return _same_answers()
    return of_counts(_counts(before.name, one), _counts(after.name, other))


def _same(one: Run, other: Run) -> bool:
    return one.answers_hash is not None and one.answers_hash == other.answers_hash


def _same_answers() -> Difference:
    from digits.comparison.statistics import Difference

    return Difference(0.0, 0.0, 0.0, "the hash of the answers, which is the same")


def _counts(name: str, run: Run) -> tuple[int, int]:
    """Return how many test images a run named rightly, and of how many."""
    accuracy, errors = run.metrics["accuracy"], run.metrics.get("errors")
    if not errors or accuracy >= 1:
        raise DigitsError(
            f"{name}: the table of its answers is not here, and its metrics do not say how many images were "
            "tested; get it with `dvc pull`"
        )
    images = round(errors / (1 - accuracy))
    return images - int(errors), images


def _loss(before: Side, after: Side) -> Difference:
    from digits.comparison.statistics import Difference, of_losses, of_seeds

    first, second = before.values("loss"), after.values("loss")
    if len(first) > 1 or len(second) > 1:
        return of_seeds(first, second)
    (one,), (other,) = before.runs.values(), after.runs.values()
    losses, other_losses = one.losses(), other.losses()
    if losses is not None and other_losses is not None:
        return of_losses(losses, other_losses)
    if _same(one, other):
        return _same_answers()
    return Difference(
        _mean(second) - _mean(first), None, None, "one run each, without the loss of each image"
    )


def _mean(values: dict[str, float]) -> float:
    return sum(values.values()) / len(values)


def worse_at_most(root: Path) -> float:
    """Return how much worse is still let through: `gate.worse_at_most` of params.yaml, or 0 without it."""
    import yaml

    # Not by `Params`, which knows the sections of this pipeline only.
    path = root / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    if not isinstance(params, dict) or "gate" not in params:
        return 0.0
    gate = params["gate"]
    value = gate.get("worse_at_most") if isinstance(gate, dict) else None
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise DigitsError(f"params.yaml: gate.worse_at_most: {value!r} is not allowed; expected 0 to 1")
    return float(value)


def markdown(result: dict[str, Any]) -> str:
    """Return the comparison for people: the verdict, a table, and what would tell more."""
    lines = [
        f"**{result['verdict']}**: {result['after']} compared with {result['before']}",
        "",
        "| | before | after | difference | 95% interval |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, values in result["differences"].items():
        share = name == "accuracy"
        low, high = values["low"], values["high"]
        cells = [
            name,
            *(f"{values[side]:.3%}" if share else f"{values[side]:.5f}" for side in ("before", "after")),
            _signed(values["value"], share) + (" points" if share else ""),
            "not known" if low is None else f"{_signed(low, share)} to {_signed(high, share)}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    accuracy = result["differences"]["accuracy"]
    lines += ["", f"The interval of the accuracy comes from {accuracy['method']}."]
    if result["verdict"] == NO_DIFFERENCE:
        lines += _what_would_tell(accuracy)
    if result["verdict"] == "worse" and not result["exit_status"]:
        lines.append(
            f"It is within the {100 * result['worse_at_most']:g} points that params.yaml lets through."
        )
    return "\n".join(lines)


def _signed(value: float, share: bool) -> str:
    """Return a difference with its sign, a share in points."""
    return f"{100 * value:+.3f}" if share else f"{value:+.5f}"


def _what_would_tell(accuracy: dict[str, Any]) -> list[str]:
    from digits.comparison.statistics import MOST_SEEDS

    more = accuracy["more_seeds"]
    if more:
        count = f"more than {MOST_SEEDS}" if more > MOST_SEEDS else f"about {more}"
        return [f"If the difference is truly this large, {count} more seeds of each side would show it."]
    if accuracy["value"] and more is None:
        return ["One run each: `digits sweep` makes more seeds, which tell more."]
    return []
