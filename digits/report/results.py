"""The committed result of a commit or of a checkout: its lock, metrics, training history and predictions."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml

from digits.errors import DigitsError
from digits.evaluation.predictions import Predictions, read_predictions
from digits.files import HISTORY, Table, read_arrays, read_table
from digits.verification import git
from digits.verification.pipeline import cached, file_hash, one_line

Content = TypeVar("Content")
# The sections of DVC's configuration that say where remotes are.
REMOTES = ("core", "remote")


@dataclass(frozen=True)
class Results:
    """What is known of one result.

    Attributes:
        name: of the commit, as the user calls it, or `this checkout`.
        commit: its full hash; for a checkout, that of the commit that is checked out.
        lock: the stages of dvc.lock.
        metrics: the content of reports/metrics.json; empty where there is none.
        classes: the name of each label, from reports/classes.csv.
        history: of the training, or None where it cannot be had.
        predictions: about the test images, or None where they cannot be had.
        answers: the file of those predictions.
        images: float32 (N, height, width, 1), the test images; None together with the predictions.
        missing: why something is None, a line for each.
    """

    name: str
    commit: str
    lock: dict[str, Any]
    metrics: dict[str, Any]
    classes: tuple[str, ...]
    history: Table | None
    predictions: Predictions | None
    answers: Path | None
    images: np.ndarray | None
    missing: list[str]


def results_at(root: Path, name: str, folder: Path) -> Results:
    """Read the results of the commit called `name`; what only a remote has is brought into `folder`.

    Raises:
        DigitsError: there is no such commit, or it has no dvc.lock.
    """
    commit = git.resolve(root, name)

    def text(path: str) -> str:
        content = git.content(root, commit, path)
        if content is None:
            raise DigitsError(f"{name}: no {path} in this commit")
        return content

    return _read(root, name, commit, text, commit, folder)


def results_here(root: Path, folder: Path) -> Results:
    """Read the results of the checkout at `root`; what only a remote has is brought into `folder`.

    Raises:
        DigitsError: it has no dvc.lock.
    """

    def text(path: str) -> str:
        try:
            return (root / path).read_text(encoding="utf-8")
        except OSError as error:
            raise DigitsError(f"{path}: {error.strerror}") from error

    return _read(root, "this checkout", git.commit(root), text, None, folder)


def _read(
    root: Path, name: str, commit: str, text: Callable[[str], str], rev: str | None, folder: Path
) -> Results:
    lock = yaml.safe_load(text("dvc.lock")).get("stages", {})
    missing: list[str] = []

    def tried(path: str, read: Callable[[Path], Content]) -> Content | None:
        try:
            return read(_output(root, rev, lock, path, folder))
        except DigitsError as error:
            missing.append(f"{path} of {name}: {error}")
            return None

    history = tried("data/history.csv", lambda path: read_table(path, HISTORY))
    test = tried("data/prepared/test.npz", lambda path: read_arrays(path, ("images", "labels")))
    read = None
    if test:
        labels = test["labels"]
        count = int(labels.max()) + 1
        read = tried("data/predictions.csv", lambda path: (path, read_predictions(path, labels, count)))
    answers, predictions = read or (None, None)
    return Results(
        name=name,
        commit=commit,
        lock=lock,
        metrics=_metrics(text),
        classes=_classes(text, predictions),
        history=history,
        predictions=predictions,
        answers=answers,
        images=test["images"] if test and predictions else None,
        missing=missing,
    )


def _output(root: Path, rev: str | None, lock: dict[str, Any], path: str, folder: Path) -> Path:
    """Return a file with the locked bytes of the output at `path`: here, in DVC's cache, or from its remote.

    Raises:
        DigitsError: it is in none of them.
    """
    outs = [out for stage in lock.values() for out in stage.get("outs", [])]
    wanted = next((out.get("md5") for out in outs if out["path"] == path), None)
    if wanted is None:
        raise DigitsError("dvc.lock has no such output")
    for place in (root / path, cached(root, wanted)):
        if place.is_file() and file_hash(place) == wanted:
            return place
    from dvc.api import DVCFileSystem
    from dvc.config import Config

    folder.mkdir(exist_ok=True)
    target = folder / Path(path).name
    # An earlier commit may not name the remote yet, and its credentials are in no commit.
    settings = {part: content for part, content in Config(str(root / ".dvc")).items() if part in REMOTES}
    try:
        DVCFileSystem(str(root), rev=rev, config=settings).get_file(path, str(target))
    # A remote's library may raise anything.
    except Exception as error:
        raise DigitsError(f"neither here nor in DVC's cache, nor on a remote ({one_line(error)})") from error
    if file_hash(target) != wanted:
        raise DigitsError("the remote's file is not the locked one")
    return target


def _metrics(text: Callable[[str], str]) -> dict[str, Any]:
    try:
        content = json.loads(text("reports/metrics.json"))
    except (DigitsError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _classes(text: Callable[[str], str], predictions: Predictions | None) -> tuple[str, ...]:
    try:
        rows = csv.DictReader(io.StringIO(text("reports/classes.csv")))
        return tuple(row["class"] for row in rows)
    except (DigitsError, KeyError):
        return tuple(map(str, range(predictions.actual.max() + 1))) if predictions else ()
