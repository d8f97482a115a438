"""What a sweep runs: a commit of this repository, and what its stages share."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dvc.dependency import ParamsDependency

from digits.errors import DigitsError
from digits.sweep.grid import PARAMS_FILE, Grid, Point, key_of
from digits.sweep.rows import FOLDER
from digits.verification import git
from digits.verification.pipeline import Pipeline, name_of, read_pipeline

PICTURE = Path("reports/sweep.png")
# What sweeps write into the checkout themselves.
OWN = (FOLDER.as_posix(), PICTURE.as_posix())
INTERPOLATION = re.compile(r"\$\{\s*([^}\s]+)\s*\}")


@dataclass(frozen=True)
class Level:
    """Stages that are the same in all runs whose overrides of `keys` are the same."""

    stages: tuple[str, ...]
    keys: frozenset[str]

    def signature(self, point: Point) -> str:
        """Return a name for what the stages of the level are in the run of `point`."""
        chosen = sorted(text for text in point if key_of(text) in self.keys)
        return hashlib.sha256(json.dumps([self.stages, chosen]).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Source:
    """What is run.

    Attributes:
        root: the folder of dvc.yaml.
        subfolder: its place in the Git repository.
        commit: to clone; one that no branch has where there are uncommitted changes.
        base: the commit that is checked out.
        inputs: a hash of the pipeline's code, commands and numbers before the overrides.
        metrics: the metrics files.
        threads: of a run.
        raw: the files that stages begin with, by their paths: their hashes, as far as the lock knows them.
        pipeline: the stages.
    """

    root: Path
    subfolder: str
    commit: str
    base: str
    inputs: str
    metrics: tuple[str, ...]
    threads: int
    raw: dict[str, str]
    pipeline: Pipeline

    @property
    def dirty(self) -> bool:
        """Whether there are uncommitted changes."""
        return self.commit != self.base


def read_source(root: Path, dirty: bool) -> Source:
    """Read what the repository at `root` runs.

    Raises:
        DigitsError: the pipeline cannot be read, or has uncommitted changes and `dirty` is false.
    """
    pipeline = read_pipeline(root)
    base = commit = git.commit(root)
    if changed := list(_changed(root, pipeline)):
        if not dirty:
            more = f" and {len(changed) - 1} more" if changed[1:] else ""
            raise DigitsError(f"{changed[0]}{more}: not committed; commit it, or take it along with --dirty")
        temporary = root / ".dvc/tmp/sweep-index"
        temporary.parent.mkdir(exist_ok=True)
        commit = git.snapshot(root, list(OWN), temporary)
        temporary.unlink()
    stages = pipeline.stages
    made = {pipeline.path(out) for stage in stages for out in stage.outs}
    read = {pipeline.path(item) for stage in stages for item in stage.deps}
    files = (
        {Path(stage.path).relative_to(root).as_posix() for stage in stages} | (read - made) | {PARAMS_FILE}
    )
    inside = sorted(path for path in files if not Path(path).is_absolute())
    inputs = hashlib.sha256(git.blobs(root, commit, inside).encode()).hexdigest()[:16]
    return Source(
        root,
        root.relative_to(git.top(root).resolve()).as_posix(),
        commit,
        base,
        inputs,
        metrics_files(pipeline),
        _threads(root),
        _raw(pipeline, made),
        pipeline,
    )


def metrics_files(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the paths of the files that dvc.yaml calls metrics."""
    return tuple(sorted("/".join(key) for key in pipeline.repo.index.metric_keys.get("repo", ())))


def _changed(root: Path, pipeline: Pipeline) -> Iterator[str]:
    """Yield the files that differ from the commit, without those untracked ones that no stage names."""
    uncommitted = git.uncommitted(root)
    named = pipeline.named(uncommitted) | {PARAMS_FILE}
    for path, state in uncommitted.items():
        if any(path == own or path.startswith(f"{own}/") for own in OWN):
            continue
        if state != "untracked" or path in named:
            yield path


def _threads(root: Path) -> int:
    path = root / PARAMS_FILE
    params = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    runtime = params.get("runtime") if isinstance(params, dict) else None
    threads = runtime.get("threads", 1) if isinstance(runtime, dict) else 1
    return threads if type(threads) is int and threads > 0 else 1


def _raw(pipeline: Pipeline, made: set[str]) -> dict[str, str]:
    first = [stage for stage in pipeline.stages if not {pipeline.path(item) for item in stage.deps} & made]
    outs = [out for stage in first for out in stage.outs if out.use_cache and out.hash_info.value]
    return {pipeline.path(out): str(out.hash_info.value) for out in outs}


def shared_levels(source: Source, grid: Grid) -> list[Level]:
    """Return the stages that several points of `grid` share, each level behind those that it needs.

    Left out are stages that DVC keeps no run of, and those behind them: they are run again each time.
    """
    pipeline = source.pipeline
    keys = [key_of(choice[0]) for choice in grid.choices]
    varied = {key_of(choice[0]) for choice in grid.choices if choice[1:]}
    raw = _definitions(pipeline)
    depends: dict[str, frozenset[str]] = {}
    levels: dict[frozenset[str], list[str]] = {}
    for stage in pipeline.stages:
        name = name_of(stage)
        before = [name_of(needed) for needed in pipeline.stages_before(stage)]
        kept = stage.cmd and stage.deps and stage.outs and not any(out.persist for out in stage.outs)
        if not kept or not all(needed in depends for needed in before):
            continue
        own = {key for key in keys if _reads(stage, raw.get(name.partition("@")[0], ""), key, pipeline)}
        depends[name] = frozenset(own).union(*(depends[needed] for needed in before))
        if not varied <= depends[name]:
            levels.setdefault(depends[name], []).append(name)
    return [
        Level(tuple(stages), names) for names, stages in sorted(levels.items(), key=lambda item: len(item[0]))
    ]


def _definitions(pipeline: Pipeline) -> dict[str, str]:
    """Return the text of each stage's definition, its templates as they are written."""
    texts = {}
    for path in {stage.path for stage in pipeline.stages if Path(stage.path).name == "dvc.yaml"}:
        for name, definition in yaml.safe_load(Path(path).read_text(encoding="utf-8"))["stages"].items():
            texts[name] = json.dumps(definition)
    return texts


def _reads(stage: Any, definition: str, key: str, pipeline: Pipeline) -> bool:
    """Return whether what the stage does can depend on the override of `key`."""
    file, _, name = key.rpartition(":")
    file = file or PARAMS_FILE
    for item in stage.deps:
        if pipeline.path(item) != file:
            continue
        if not isinstance(item, ParamsDependency) or not item.params:
            return True
        if any(_overlap(name, declared) for declared in item.params):
            return True
    # A template may take another value, or name another section.
    interpolated = any(_overlap(name, inner) for inner in INTERPOLATION.findall(definition))
    prefixes = re.findall(r"([\w.-]+)\.\$\{", definition)
    return interpolated or any(_overlap(name, prefix) for prefix in prefixes)


def _overlap(one: str, other: str) -> bool:
    """Return whether one of two keys with dots is the other, or lies in it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
