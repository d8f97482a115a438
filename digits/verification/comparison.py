"""Whether two files with other bytes mean the same, within the tolerances of params.yaml."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from digits.errors import DigitsError
from digits.params import Section
from digits.verification.differences import (
    Differences,
    answer_differences,
    array_differences,
    json_differences,
    pixel_differences,
    table_differences,
)


class Tolerance(Section):
    """How far apart what means the same may be.

    Attributes:
        difference: two values no further apart than this are as good as equal.
        share: how many of the values may be further apart.
    """

    difference: float = Field(ge=0)
    share: float = Field(ge=0, lt=1)


class VerifyParams(Section):
    """The section `verify` of params.yaml: a tolerance for each kind of output."""

    arrays: Tolerance
    tables: Tolerance
    metrics: Tolerance
    model: Tolerance
    pictures: Tolerance


# By a file name's ending: the tolerance that holds, what is counted, and what measures the differences.
KINDS: dict[str, tuple[str, str, Callable[[Path, Path, Path], Differences]]] = {
    ".csv": ("tables", "cells", table_differences),
    ".json": ("metrics", "numbers", json_differences),
    ".keras": ("model", "answers", answer_differences),
    ".npz": ("arrays", "values", array_differences),
    ".png": ("pictures", "pixels", pixel_differences),
    ".tflite": ("model", "answers", answer_differences),
}


@dataclass(frozen=True)
class Comparison:
    """How an output that was made again compares with the locked one.

    Attributes:
        verdict: `identical`, `equivalent` or `different`.
        reason: why, in words; empty where the bytes are identical.
        figures: the largest and the mean difference, the share of values beyond the tolerance, and how many
            values were compared; None where nothing could be measured.
    """

    verdict: str
    reason: str = ""
    figures: dict[str, float] | None = None


def compare(locked: Path, made: Path, tolerances: VerifyParams, root: Path) -> Comparison:
    """Compare what two files say whose bytes differ; the ending of the name tells what kind they are.

    Args:
        locked: the file that the lock knows.
        made: the file that was made again.
        tolerances: how far apart they may be.
        root: the pipeline that made the second, which also has the images to compare models on.
    """
    if made.is_dir() or made.suffix not in KINDS:
        return Comparison("different", "other bytes; what such an output means is not known")
    name, unit, differences = KINDS[made.suffix]
    try:
        return judge(differences(locked, made, root), getattr(tolerances, name), unit)
    except DigitsError as error:
        return Comparison("different", str(error).replace(f"{root}/", ""))


def judge(differences: Differences, tolerance: Tolerance, unit: str) -> Comparison:
    """Count the differences that are larger than the tolerance, and say whether they are too many."""
    count, beyond, largest, total = 0, 0, 0.0, 0.0
    for some in differences:
        count += some.size
        beyond += int((some > tolerance.difference).sum())
        largest = max(largest, float(some.max(initial=0)))
        total += float(some.sum())
    share, mean = (beyond / count, total / count) if count else (0.0, 0.0)
    reason = (
        f"differs by at most {largest:.2g}, on average by {mean:.2g}; {beyond} of {count} {unit} "
        f"({share:.2%}) by more than {tolerance.difference:g}, allowed are {tolerance.share:.2%}"
    )
    figures = {"count": count, "largest": largest, "mean": mean, "share_beyond": share}
    return Comparison("equivalent" if share <= tolerance.share else "different", reason, figures)
