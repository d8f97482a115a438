"""The pipeline made again from nothing, in a temporary clone, and held against the committed lock."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType
from typing import Any, NoReturn

from digits.errors import DigitsError
from digits.params import Params
from digits.verification import git
from digits.verification.comparison import Comparison, VerifyParams, compare
from digits.verification.lock import StageState, examine
from digits.verification.pipeline import Pipeline, cached, content_hash, file_hash, name_of, read_pipeline

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The clone keeps all that DVC writes to itself, and starts with no cache of outputs or of earlier runs.
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
    """What came of a rerun.

    Attributes:
        states: what the commit's own lock and files say; where they disagree, nothing was run.
        comparisons: each output's stage and path, and how it compares with the locked one.
        names: the path of every file that the commit's stages name.
    """

    states: list[StageState]
    comparisons: list[tuple[str, str, Comparison]]
    names: set[str]


def rerun(original: Path, commit: str, target: str | None) -> Rerun:
    """Make the stages of `commit` again, or `target` and those it needs, and compare what they made.

    Args:
        original: the root of the checkout; it and its cache are only read, for locked bytes to compare with.
        commit: the full name of the commit.
        target: the name of a stage; None stands for all.

    Raises:
        DigitsError: the commit's pipeline cannot be read, or does not run to its end.
    """
    with temporary_folder() as folder:
        root = git.clone(original, commit, folder / "clone")
        try:
            pipeline = read_pipeline(root, target)
            tolerances = Params(root / "params.yaml").section("verify", VerifyParams)
            states = examine(pipeline)
            if not all(state.current for state in states):
                return Rerun(states, [], pipeline.names())
            kept = _set_aside(pipeline, folder / "locked")
            _reproduce(pipeline, target, folder)
            altered = {out.path for state in states for out in state.outputs if out.state == "altered"}
            comparisons = []
            for out in (out for stage in pipeline.stages for out in stage.outs):
                found = _compare(out, pipeline, kept, original, tolerances)
                if pipeline.path(out) in altered:
                    found = Comparison("different", "the file in the commit is not the locked one")
                comparisons.append((name_of(out.stage), pipeline.path(out), found))
        except DigitsError as error:
            raise DigitsError(f"commit {commit:.7}: {_without(root, str(error))}") from error
        return Rerun(states, comparisons, pipeline.names())


def _without(root: Path, text: str) -> str:
    """Give `text` with the paths inside `root`, absolute or from the working folder, told from there."""
    for start in (str(root), os.path.relpath(root)):
        text = text.replace(f"{start}/", "").replace(start, ".")
    return text


def _set_aside(pipeline: Pipeline, folder: Path) -> Path:
    """Move the outputs that Git brought along out of the clone, so that the stages start without any."""
    for out in (out for stage in pipeline.stages for out in stage.outs):
        path = Path(out.fs_path)
        if path.exists():
            place = folder / pipeline.path(out)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)
    return folder


def _reproduce(pipeline: Pipeline, target: str | None, folder: Path) -> None:
    """Run the stages with this Python; what they print goes to standard error."""
    (pipeline.root / ".dvc/config.local").write_text(DVC_SETTINGS.format(folder=folder), encoding="utf-8")
    (folder / "tmp").mkdir()
    environment = git.environment() | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "TMPDIR": str(folder / "tmp"),
    }
    # With it, Python would not look for modules in the clone first.
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


def _compare(
    out: Any, pipeline: Pipeline, kept: Path, original: Path, tolerances: VerifyParams
) -> Comparison:
    wanted, found = out.hash_info.value, content_hash(out)
    if found is None:
        return Comparison("different", "was not made")
    if found == wanted:
        return Comparison("identical")
    path = pipeline.path(out)
    for place in (kept / path, original / path, cached(original, wanted)):
        if place.is_file() and file_hash(place) == wanted:
            # The ending of the name, which content in a cache does not have, says what it is.
            named = kept.with_name("named") / path
            named.parent.mkdir(parents=True, exist_ok=True)
            named.symlink_to(place)
            return compare(named, Path(out.fs_path), tolerances, pipeline.root)
    return Comparison("different", "other bytes; the locked ones are not here to compare")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is gone afterwards, also when the process is told to stop."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS[1:]:
        signal.signal(number, _stop)
    folder = Path(mkdtemp(prefix="digits-verify-")).resolve()
    try:
        yield folder
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        _remove(folder)
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _remove(folder: Path) -> None:
    """Remove `folder`, again where a process that is just ending has still added to it."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
    shutil.rmtree(folder)
