"""The two sides of a comparison: the workspace, a revision, or the runs of a sweep."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from digits.errors import DigitsError
from digits.files import column_names, read_table
from digits.sweep.grid import key_of, read_grid
from digits.sweep.groups import Group, group_rows
from digits.sweep.results import locked_outputs, number_metrics, parse_metrics, read_metrics
from digits.sweep.rows import NAMES, read_rows, rows_path
from digits.sweep.source import metrics_files
from digits.sweep.table import name_of
from digits.verification import git
from digits.verification.pipeline import cached, file_hash, one_line, read_pipeline

ANSWERS = "predictions.csv"
LOSS = "loss"


@dataclass(frozen=True)
class Run:
    """What is known of one run.

    Attributes:
        metrics: its numbers by name.
        answers: the table of its answers; None where it is not here.
        answers_hash: of that table; None where it is not known.
    """

    metrics: dict[str, float]
    answers: Path | None
    answers_hash: str | None

    def right(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the labels (N,) of the test images, and which of them the run named rightly."""
        assert self.answers
        table = read_table(self.answers, ("actual", "predicted"))
        labels = np.array(table["actual"])
        return labels, labels == np.array(table["predicted"])

    def losses(self) -> np.ndarray | None:
        """Return the loss (N,) of each test image, in nats; None where the table has none, or is not here."""
        if not self.answers or LOSS not in column_names(self.answers):
            return None
        return np.array(read_table(self.answers, (LOSS,))[LOSS])


@dataclass(frozen=True)
class Side:
    """One side.

    Attributes:
        name: as people read it.
        runs: by their seeds.
    """

    name: str
    runs: dict[str, Run]

    def values(self, metric: str) -> dict[str, float]:
        """Return a metric of each run, by its seeds.

        Raises:
            DigitsError: a run lacks it.
        """
        lacking = [seed for seed, run in self.runs.items() if metric not in run.metrics]
        if lacking:
            raise DigitsError(
                f"{self.name}: no {metric} in the metrics{f' of {lacking[0]}' if lacking[0] else ''}"
            )
        return {seed: run.metrics[metric] for seed, run in self.runs.items()}


def read_side(root: Path, text: str | None) -> Side:
    """Read the sweep or the revision that `text` names; None stands for the workspace.

    Raises:
        DigitsError: it names neither, or several groups of runs, or the files are missing or damaged.
    """
    if text is None:
        return _workspace(root)
    name, *filters = text.split(":")
    if NAMES.fullmatch(name) and rows_path(root, name).exists():
        return _sweep(root, text, name, filters)
    return _revision(root, text)


def _workspace(root: Path) -> Side:
    pipeline = read_pipeline(root)
    paths = [pipeline.path(out) for stage in pipeline.stages for out in stage.outs]
    answers = next((root / path for path in paths if Path(path).name == ANSWERS), None)
    here = answers if answers and answers.is_file() else None
    metrics = read_metrics(root, metrics_files(pipeline))
    return Side("workspace", {"": Run(metrics, here, file_hash(here) if here else None)})


def _revision(root: Path, name: str) -> Side:
    commit = git.resolve(root, name)
    lock = git.content(root, commit, "dvc.lock")
    if lock is None:
        raise DigitsError(f"{name}: no dvc.lock in this commit")
    outputs = locked_outputs(lock)
    metrics: dict[str, float] = {}
    for file in metrics_files(read_pipeline(root)):
        text = git.content(root, commit, file)
        if text is None and file in outputs and (path := cached(root, outputs[file])).is_file():
            text = path.read_text(encoding="utf-8")
        if text is not None:
            try:
                metrics |= number_metrics(parse_metrics(file, text))
            except (ValueError, yaml.YAMLError) as error:
                raise DigitsError(f"{name}: {file}: {one_line(error)}") from error
    if not metrics:
        raise DigitsError(f"{name}: no metrics in this commit")
    return Side(f"{name} ({commit:.7})", {"": _run(root, metrics, outputs)})


def _run(root: Path, metrics: dict[str, float], outputs: dict[str, str]) -> Run:
    answers = next((value for path, value in outputs.items() if Path(path).name == ANSWERS), None)
    place = cached(root, answers) if answers else None
    return Run(metrics, place if place and place.is_file() else None, answers)


def _sweep(root: Path, text: str, name: str, filters: list[str]) -> Side:
    rows = [row for row in read_rows(rows_path(root, name)) if not row.check]
    commit = next((part.partition("=")[2] for part in filters if part.startswith("commit=")), "")
    grid = read_grid(root, [part for part in filters if not part.startswith("commit=")])
    wanted = {key_of(choice[0]): set(choice) for choice in grid.choices}
    chosen = [
        row
        for row in rows
        if row.commit.startswith(commit)
        and all(any(mine in texts for mine in row.overrides) for texts in wanted.values())
    ]
    groups = [group for group in group_rows(chosen) if group.rows]
    if not groups:
        raise DigitsError(f"{text}: no such runs in {rows_path(root, name).relative_to(root)}")
    if len(groups) > 1:
        raise DigitsError(
            f"{text}: several groups of runs: {'; '.join(map(_named, groups[:6]))}; "
            f"name one, for example {name}:{groups[0].overrides[0] if groups[0].overrides else 'commit=…'}"
        )
    runs = {" ".join(row.seeds): _run(root, row.metrics, row.outputs) for row in groups[0].rows}
    return Side(f"{text} ({len(runs)} run{'s' if len(runs) > 1 else ''})", runs)


def _named(group: Group) -> str:
    return f"{name_of(group)} of commit={group.commit:.7}"
