"""Whether dvc.lock matches a checkout: its commands, params, files and outputs."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.stage import PipelineStage

from digits.errors import DigitsError
from digits.verification import git
from digits.verification.pipeline import Pipeline, content_hash, name_of

TEXTS = {
    "stage added": "not in dvc.lock",
    "command changed": "command {locked} → {actual}",
    "param changed": "{subject} {locked} → {actual}",
    "param added": "{subject} is a new param",
    "param removed": "{subject} is no longer a param",
    "dependency changed": "{subject} changed",
    "dependency missing": "{subject} is missing",
    "dependency added": "{subject} is a new dependency",
    "dependency removed": "{subject} is no longer a dependency",
    "file changed": "{subject} changed",
    "file missing": "{subject} is missing",
    "file added": "{subject} is new",
    "input replaced": "dvc.lock is inconsistent: {subject} was read as {locked:.8}, written as {actual:.8}",
    "output added": "{subject} is a new output",
    "output removed": "{subject} is no longer an output",
}
NOTHING = "(none)"


@dataclass(frozen=True)
class Change:
    """A difference between the lock and the checkout.

    Attributes:
        kind: a key of `TEXTS`; those of `file` are about a file in a folder that is a dependency.
        subject: the file, or the file and the key in it.
        locked: the value or hash in the lock.
        actual: the one in the checkout, or that of the output in the lock which the input comes from.
    """

    kind: str
    subject: str
    locked: Any = NOTHING
    actual: Any = NOTHING

    def __str__(self) -> str:
        locked, actual = plain(self.locked), plain(self.actual)
        if locked == actual:
            locked, actual = repr(self.locked), repr(self.actual)
        return TEXTS[self.kind].format(subject=self.subject, locked=locked, actual=actual)


@dataclass(frozen=True)
class Output:
    """An output of a stage: its path, its hash in the lock, and its hash in the checkout if it is there."""

    path: str
    locked: str
    actual: str | None

    @property
    def state(self) -> str:
        """`locked` where the bytes are the locked ones, `altered` where they are others, else `not here`."""
        if self.actual is None:
            return "not here"
        return "locked" if self.actual == self.locked else "altered"


@dataclass(frozen=True)
class StageState:
    """How a stage's entry in the lock compares with the checkout.

    Attributes:
        name: the stage's name.
        changes: the differences of the stage itself.
        stale_before: the stages with differences that it depends on, directly or not.
        outputs: the outputs that the lock names.
    """

    name: str
    changes: list[Change]
    stale_before: list[str]
    outputs: list[Output]

    @property
    def current(self) -> bool:
        """Whether neither the stage nor any that it depends on has changed."""
        return not self.changes and not self.stale_before

    def as_json(self) -> dict[str, Any]:
        """Return the state as values of JSON."""
        return {
            "name": self.name,
            "current": self.current,
            "changes": [{**asdict(change), "text": str(change)} for change in self.changes],
            "stale_before": self.stale_before,
            "outputs": [{**asdict(output), "state": output.state} for output in self.outputs],
        }


def examine(pipeline: Pipeline) -> list[StageState]:
    """Compare each stage with its entry in the lock, and each output that is there with its locked hash.

    Raises:
        DigitsError: a dependency is not on this machine, or is a part of an output.
    """
    output_hashes = {pipeline.path(out): out.hash_info.value for out in pipeline.repo.index.outs}
    outs = pipeline.outputs()
    with ThreadPoolExecutor() as pool:
        actual_hashes = dict(zip(map(id, outs), pool.map(content_hash, outs), strict=True))

    states: dict[str, StageState] = {}
    for stage in pipeline.stages:
        stale: set[str] = set()
        for before in (states[name_of(needed)] for needed in pipeline.stages_before(stage)):
            stale |= {*before.stale_before, *([before.name] if before.changes else [])}
        outputs = [
            Output(pipeline.path(out), out.hash_info.value, actual_hashes[id(out)])
            for out in stage.outs
            if out.hash_info.value
        ]
        changes = list(_changes(stage, pipeline, output_hashes)) if isinstance(stage, PipelineStage) else []
        in_order = [name for name in states if name in stale]
        states[name_of(stage)] = StageState(name_of(stage), changes, in_order, outputs)
    return list(states.values())


def _changes(stage: Any, pipeline: Pipeline, output_hashes: dict[str, str | None]) -> Iterator[Change]:
    entry = pipeline.locked_entry(stage)
    if entry is None:
        yield Change("stage added", name_of(stage))
        return
    if entry["cmd"] != stage.cmd:
        yield Change("command changed", name_of(stage), entry["cmd"], stage.cmd)
    params = [item for item in stage.deps if isinstance(item, ParamsDependency)]
    for item in params:
        locked = entry.get("params", {}).get(item.def_path, {})
        yield from _param_changes(pipeline.path(item), locked, item.read_params(), item.params)
    for path in entry.get("params", {}).keys() - {item.def_path for item in params}:
        yield Change("param removed", path)
    yield from _dependency_changes(stage, entry, pipeline, output_hashes)
    declared, locked = {out.def_path for out in stage.outs}, {out["path"] for out in entry.get("outs", [])}
    yield from (Change("output added", path) for path in sorted(declared - locked))
    yield from (Change("output removed", path) for path in sorted(locked - declared))


def _param_changes(
    file: str, locked: dict[str, Any], actual: dict[str, Any], declared: list[str]
) -> Iterator[Change]:
    """Name each value of a params file that differs, down to the innermost keys.

    Args:
        file: the params file.
        locked: the values in the lock, by declared key.
        actual: the values in the file, by declared key.
        declared: the keys that the stage names; an empty list means the whole file.
    """
    for key in declared or dict.fromkeys([*locked, *actual]):
        if key not in locked:
            yield Change("param added", f"{file}: {key}", actual=actual.get(key, NOTHING))
            continue
        before, after = leaves(key, locked[key]), leaves(key, actual[key]) if key in actual else {}
        for leaf in dict.fromkeys([*before, *after]):
            old, new = before.get(leaf, NOTHING), after.get(leaf, NOTHING)
            if old != new:
                yield Change("param changed", f"{file}: {leaf}", old, new)
    if declared:
        yield from (Change("param removed", f"{file}: {key}") for key in locked if key not in declared)


def leaves(key: str, value: Any) -> dict[str, Any]:
    """Return the values inside nested dictionaries by their full keys: {'a': 1} under k as {'k.a': 1}."""
    if not isinstance(value, dict) or not value:
        return {key: value}
    return {
        inner: leaf for name, child in value.items() for inner, leaf in leaves(f"{key}.{name}", child).items()
    }


def plain(value: Any) -> str:
    """Return a value as text, spelled as in a params file."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _dependency_changes(
    stage: Any, entry: dict[str, Any], pipeline: Pipeline, output_hashes: dict[str, str | None]
) -> Iterator[Change]:
    items = {item.def_path: item for item in stage.deps if not isinstance(item, ParamsDependency)}
    locked_paths = [item["path"] for item in entry.get("deps", [])]
    for path, item in items.items():
        subject, locked = pipeline.path(item), item.hash_info.value
        _refuse_what_cannot_be_judged(stage, item, subject, output_hashes)
        if path not in locked_paths:
            yield Change("dependency added", subject)
        elif subject in output_hashes:
            if output_hashes[subject] not in (None, locked):
                yield Change("input replaced", subject, locked, output_hashes[subject])
        elif (actual := content_hash(item)) is None:
            yield Change("dependency missing", subject, locked)
        elif actual != locked:
            in_folder = _file_changes(stage, subject, pipeline)
            yield from in_folder or [Change("dependency changed", subject, locked, actual)]
    yield from (Change("dependency removed", path) for path in locked_paths if path not in items)


def _file_changes(stage: Any, dependency: str, pipeline: Pipeline) -> list[Change]:
    """Name the changed files of a dependency that is a folder.

    The lock has one hash for the folder. Git tells the files: they differ from the commit that last changed
    the lock. The list is empty where `dependency` is no folder, or Git cannot tell.
    """
    if not (pipeline.root / dependency).is_dir() or Path(dependency).is_absolute():
        return []
    files = git.changed_since(pipeline.root, pipeline.lock_path(stage), dependency)
    return [Change(f"file {how}", file) for file, how in files.items() if not pipeline.ignores(file)]


def _refuse_what_cannot_be_judged(
    stage: Any, item: Any, subject: str, output_hashes: dict[str, str | None]
) -> None:
    if item.protocol != "local":
        raise DigitsError(f"{name_of(stage)}: {subject} is not on this machine and cannot be checked")
    folder = next((path for path in output_hashes if subject.startswith(f"{path}/")), None)
    if folder:
        raise DigitsError(
            f"{name_of(stage)}: dvc.lock has no hash of {subject}, which is part of the output {folder}; "
            "name the whole output as the dependency, or each file as an output"
        )
