"""Whether dvc.lock is true of a checkout: comes from its commands, numbers and files, and is consistent."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.stage import PipelineStage

from digits.errors import DigitsError
from digits.verification.changes import Change, param_changes
from digits.verification.pipeline import Pipeline, content_hash, name_of


@dataclass(frozen=True)
class Output:
    """An output of a stage: its path, the hash in the lock, and that of what is there, if anything."""

    path: str
    locked: str
    found: str | None

    @property
    def state(self) -> str:
        """`locked` where the locked bytes are there, `altered` where others are, else `not here`."""
        if self.found is None:
            return "not here"
        return "locked" if self.found == self.locked else "altered"


@dataclass(frozen=True)
class StageState:
    """What the lock and the checkout say of a stage.

    Attributes:
        name: the stage's.
        changes: the ways in which the lock is not true of the stage itself.
        stale_before: the stages it needs, directly or not, of which the lock is not true.
        outputs: those that the lock knows.
    """

    name: str
    changes: list[Change]
    stale_before: list[str]
    outputs: list[Output]

    @property
    def current(self) -> bool:
        """Whether the lock is true of the stage and of all that it needs."""
        return not self.changes and not self.stale_before

    def as_json(self) -> dict[str, Any]:
        """Give the state as JSON can hold it."""
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
        DigitsError: a file that the stages name cannot be judged from here.
    """
    made = {pipeline.path(out): out.hash_info.value for out in pipeline.repo.index.outs}
    outs = [out for stage in pipeline.stages for out in stage.outs]
    with ThreadPoolExecutor() as pool:
        found = dict(zip(map(id, outs), pool.map(content_hash, outs), strict=True))

    states: dict[str, StageState] = {}
    for stage in pipeline.stages:
        stale: dict[str, None] = {}
        for before in (states[name_of(needed)] for needed in pipeline.stages_before(stage)):
            stale |= dict.fromkeys(before.stale_before)
            stale |= {before.name: None} if before.changes else {}
        outputs = [
            Output(pipeline.path(out), out.hash_info.value, found[id(out)])
            for out in stage.outs
            if out.hash_info.value
        ]
        changes = list(_changes(stage, pipeline, made)) if isinstance(stage, PipelineStage) else []
        in_order = [name for name in states if name in stale]
        states[name_of(stage)] = StageState(name_of(stage), changes, in_order, outputs)
    return list(states.values())


def _changes(stage: Any, pipeline: Pipeline, made: dict[str, str | None]) -> Iterator[Change]:
    entry = pipeline.locked_entry(stage)
    if entry is None:
        yield Change("stage added", name_of(stage))
        return
    if entry["cmd"] != stage.cmd:
        yield Change("command changed", name_of(stage), entry["cmd"], stage.cmd)
    params = [item for item in stage.deps if isinstance(item, ParamsDependency)]
    for item in params:
        locked = entry.get("params", {}).get(item.def_path, {})
        yield from param_changes(pipeline.path(item), locked, item.read_params(), item.params)
    for path in entry.get("params", {}).keys() - {item.def_path for item in params}:
        yield Change("param removed", path)
    yield from _dependency_changes(stage, entry, pipeline, made)
    declared, known = {out.def_path for out in stage.outs}, {out["path"] for out in entry.get("outs", [])}
    yield from (Change("output added", path) for path in sorted(declared - known))
    yield from (Change("output removed", path) for path in sorted(known - declared))


def _dependency_changes(
    stage: Any, entry: dict[str, Any], pipeline: Pipeline, made: dict[str, str | None]
) -> Iterator[Change]:
    items = {item.def_path: item for item in stage.deps if not isinstance(item, ParamsDependency)}
    locked_paths = [item["path"] for item in entry.get("deps", [])]
    for path, item in items.items():
        subject, locked = pipeline.path(item), item.hash_info.value
        _refuse_what_cannot_be_judged(stage, item, subject, made)
        if path not in locked_paths:
            yield Change("dependency added", subject)
        elif subject in made:
            if made[subject] not in (None, locked):
                yield Change("input replaced", subject, locked, made[subject])
        elif (found := content_hash(item)) is None:
            yield Change("dependency missing", subject, locked)
        elif found != locked:
            yield Change("dependency changed", subject, locked, found)
    yield from (Change("dependency removed", path) for path in locked_paths if path not in items)


def _refuse_what_cannot_be_judged(stage: Any, item: Any, subject: str, made: dict[str, str | None]) -> None:
    if item.protocol != "local":
        raise DigitsError(f"{name_of(stage)}: {subject} is not on this machine, and so cannot be checked")
    folder = next((path for path in made if subject.startswith(f"{path}/")), None)
    if folder:
        raise DigitsError(
            f"{name_of(stage)}: the lock has no hash of {subject}, a part of the output {folder}; "
            "name the whole output as the dependency, or each file as an output"
        )
