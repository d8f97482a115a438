"""A sweep: the runs of a grid that are missing, their rows, and the second runs that check them."""

import hashlib
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from digits.sweep.grid import Grid, Point
from digits.sweep.machine import Task
from digits.sweep.rows import Row, RowFile
from digits.sweep.source import Level, Source

# Seconds between two lines of progress where it is no terminal that shows them.
QUIET_SECONDS = 10.0


class Engine(Protocol):
    """What makes runs, several at a time."""

    slots: int

    def run(self, tasks: Iterable[Task]) -> Iterator[Row]:
        """Make the runs and yield their rows as they end."""

    def close(self) -> None:
        """Remove what the runs left behind."""


@dataclass
class Progress:
    """The line that says how far a sweep is."""

    total: int
    slots: int
    done: int = 0
    failed: int = 0
    started: float = field(default_factory=time.monotonic)
    shown: float = -QUIET_SECONDS

    def show(self, row: Row) -> None:
        """Count a row, tell the estimate after the first, and show the line."""
        self.done += 1
        self.failed += row.error is not None
        now = time.monotonic()
        if self.done == 1 and self.total > 1:
            left = row.seconds * math.ceil((self.total - self.slots) / self.slots)
            print(
                f"the first run took {row.seconds:.0f} s; all need about {duration(left)} more",
                file=sys.stderr,
            )
        left = (now - self.started) / self.done * (self.total - self.done)
        running = min(self.slots, self.total - self.done)
        line = f"done {self.done}, running {running}, failed {self.failed}, left about {duration(left)}"
        if sys.stderr.isatty():
            print(f"\r{line:70}", end="" if self.done < self.total else "\n", file=sys.stderr, flush=True)
        elif self.done == self.total or now - self.shown >= QUIET_SECONDS:
            self.shown = now
            print(line, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 100:
        return f"{max(0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def run_id(point: Point, inputs: str) -> str:
    """Return the name of the run of `point`, whatever the order of its overrides."""
    return hashlib.sha256(json.dumps([sorted(point), inputs]).encode()).hexdigest()[:12]


def tasks_of(source: Source, points: Iterable[Point], levels: list[Level], push: bool) -> dict[str, Task]:
    """Return a task for each different point, by its id."""
    tasks = {}
    for point in points:
        name = run_id(point, source.inputs)
        shared = tuple((level.stages, level.signature(point)) for level in levels)
        tasks[name] = Task(
            name, point, source.commit, source.base, source.inputs, source.metrics, shared, push=push
        )
    return tasks


def missing(tasks: dict[str, Task], rows: list[Row], retry: bool) -> list[Task]:
    """Return the tasks without a row; with `retry`, also those whose rows say that they failed."""
    there = {row.id for row in rows if not row.check and not (retry and row.error)}
    return [task for name, task in tasks.items() if name not in there]


def checks(tasks: dict[str, Task], rows: list[Row], share: float) -> list[Task]:
    """Return the second runs that are missing: those of a share of all runs, always the same ones."""
    made = {row.id: row for row in rows if not row.check and row.error is None and row.id in tasks}
    checked = {row.id for row in rows if row.check}
    # The ids are hashes already, and so their order is as good as a random one.
    chosen = sorted(made)[: math.ceil(share * len(made))]
    return [
        Task(**vars(tasks[name]) | {"check": True, "push": False, "avoid": made[name].machine})
        for name in chosen
        if name not in checked
    ]


def make_runs(engine: Engine, tasks: list[Task], file: RowFile) -> None:
    """Make the runs, and append each row as it comes."""
    progress = Progress(len(tasks), engine.slots)
    with closing(engine.run(tasks)) as rows:  # type: ignore[type-var]
        for row in rows:
            file.append(row)
            progress.show(row)


def contradictions(rows: Iterable[Row]) -> list[str]:
    """Return a line for each run that has two results: where, and the first output that differs."""
    by_id: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.error is None:
            by_id[row.id].append(row)
    lines = []
    for first, *others in by_id.values():
        for other in others:
            paths = sorted({*first.outputs, *other.outputs})
            differing = [path for path in paths if first.outputs.get(path) != other.outputs.get(path)]
            if differing:
                lines.append(
                    f"{' '.join(first.overrides) or first.id}: {differing[0]} is "
                    f"{first.outputs.get(differing[0], 'missing'):.8} on {first.machine} ({first.cpu}) and "
                    f"{other.outputs.get(differing[0], 'missing'):.8} on {other.machine} ({other.cpu})"
                )
                break
    return lines


def describe(grid: Grid, tasks: int, left: int, slots: int, levels: list[Level]) -> str:
    """Return the lines that tell what a sweep will do before its first run."""
    shared = [stage for level in levels for stage in level.stages]
    drawn = "" if tasks == grid.size else f", of which {tasks} are drawn"
    lines = [
        f"grid: {grid}: {grid.size} runs{drawn}",
        f"{tasks - left} are there, {left} to make, {slots} at a time"
        + (f"; {', '.join(shared)} once for all that share them" if shared and left else ""),
    ]
    return "\n".join(lines)
