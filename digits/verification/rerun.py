"""The pipeline run again from nothing, in a temporary clone, and compared with the committed lock."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, NoReturn

from digits.errors import DigitsError
from digits.verification import git
from digits.verification.comparison import Comparison, Metric, compare_metrics, judge, read_seed_errors
from digits.verification.lock import StageState, examine
from digits.verification.pipeline import Pipeline, cached, content_hash, file_hash, name_of, read_pipeline

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The clone shares no cache with the checkout, and starts without cached outputs or earlier runs.
DVC_SETTINGS = """\
[core]
    analytics = false
    check_update = false
    autostage = true
[cache]
    dir = {folder}/cache
"""


@dataclass(frozen=True)
class Rerun:
    """The result of a rerun.

    Attributes:
        states: how the commit's lock compares with its files; nothing was run where they differ.
        comparisons: the stage and the path of each output, and how it compares with the locked one.
        metrics: what outputs with other bytes were judged by; empty where there are none.
        named: the uncommitted files that the commit's stages name.
    """

    states: list[StageState]
    comparisons: list[tuple[str, str, Comparison]]
    metrics: list[Metric]
    named: set[str]


def rerun(original: Path, commit: str, target: str | None, uncommitted: Iterable[str]) -> Rerun:
    """Run the stages of `commit` again, or `target` and those it depends on, and compare their outputs.

    Args:
        original: the root of the checkout. It and its cache are only read, to find the locked metrics.
        commit: the full hash of the commit.
        target: the name of a stage; None means all stages.
        uncommitted: files of the checkout that the rerun does not have.

    Raises:
        DigitsError: the commit's pipeline cannot be read, or a stage fails.
    """
    with temporary_folder() as folder:
        root = git.clone(original, commit, folder / "clone")
        try:
            pipeline = read_pipeline(root, target)
            states, named = examine(pipeline), pipeline.named(uncommitted)
            if not all(state.current for state in states):
                return Rerun(states, [], [], named)
            seed_errors = read_seed_errors(root)
            committed = _set_aside(pipeline, folder / "committed")
            _reproduce(pipeline, target, folder)
            metrics = _read_metrics(pipeline, committed, original, seed_errors)
            judgement = judge(metrics)
            altered = {out.path for state in states for out in state.outputs if out.state == "altered"}
            comparisons = []
            for out in pipeline.outputs():
                path = pipeline.path(out)
                comparisons.append((name_of(out.stage), path, _compare(out, path in altered, judgement)))
        except DigitsError as error:
            raise DigitsError(f"commit {commit:.7}: {_without(root, str(error))}") from error
    judged = any(comparison == judgement for *_, comparison in comparisons)
    return Rerun(states, comparisons, metrics if judged else [], named)


def _without(root: Path, text: str) -> str:
    """Return `text` with the paths inside `root`, absolute or relative, as paths relative to it."""
    for start in (str(root), os.path.relpath(root)):
        text = text.replace(f"{start}/", "").replace(start, ".")
    return text


def _set_aside(pipeline: Pipeline, folder: Path) -> Path:
    """Move the outputs that are in Git out of the clone, so that no stage finds an earlier output."""
    for out in pipeline.outputs():
        path = Path(out.fs_path)
        if path.exists():
            place = folder / pipeline.path(out)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)
    return folder


def _reproduce(pipeline: Pipeline, target: str | None, folder: Path) -> None:
    """Run the stages with this Python; their output goes to standard error."""
    (pipeline.root / ".dvc/config.local").write_text(DVC_SETTINGS.format(folder=folder), encoding="utf-8")
    (folder / "tmp").mkdir()
    environment = git.environment() | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "TMPDIR": str(folder / "tmp"),
    }
    # With it, Python would not look for the stages' modules in the clone.
    environment.pop("PYTHONSAFEPATH", None)
    command = [sys.executable, "-P", "-m", "dvc", "repro", "--force", "--no-run-cache", "--no-commit"]
    process = subprocess.Popen(
        command + ([target] if target else []),
        cwd=pipeline.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        status = process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if status:
        raise DigitsError(f"`dvc repro` ended with status {status}; its last lines say why")


def _read_metrics(
    pipeline: Pipeline, committed: Path, original: Path, seed_errors: list[int]
) -> list[Metric]:
    """Compare the metrics of the rerun with the locked ones, from the commit, the checkout or its cache."""
    metrics = []
    for out in (out for out in pipeline.outputs() if out.metric and out.hash_info.value):
        path, locked_hash = pipeline.path(out), out.hash_info.value
        for place in (committed / path, original / path, cached(original, locked_hash)):
            if place.is_file() and file_hash(place) == locked_hash:
                contents = _read_json(place), _read_json(Path(out.fs_path))
                metrics += compare_metrics(path, *contents, seed_errors)
                break
    return metrics


def _read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; that of another file has no metrics that are known here."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _compare(out: Any, altered: bool, judgement: Comparison) -> Comparison:
    if altered:
        return Comparison("different", "the file in the commit is not the locked one")
    actual = content_hash(out)
    if actual is None:
        return Comparison("different", "not written by the rerun")
    return Comparison("identical") if actual == out.hash_info.value else judgement


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed at the end, also when a signal ends the process."""
    handled = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = [signal.signal(number, _stop) for number in handled]
    try:
        # A process that was killed may still be ending: better a file left behind than a result lost.
        with TemporaryDirectory(prefix="digits-verify-", ignore_cleanup_errors=True) as folder:
            yield Path(folder).resolve()
    finally:
        for number, handler in zip(handled, before, strict=True):
            signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    """End the process, and ignore further signals so that the cleaning up is not interrupted."""
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)
