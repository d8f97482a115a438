"""`digits sweep`: a run of the pipeline for each combination of overrides, here or on a Ray cluster."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from digits.errors import DigitsError

if TYPE_CHECKING:
    from digits.sweep.rows import Row, RowFile
    from digits.sweep.source import Source
    from digits.sweep.sweep import Engine

SUMMARY = "run the pipeline for each combination of overrides, on this machine or on a Ray cluster"
DESCRIPTION = """\
Run the pipeline of the commit for each combination of overrides, each time in a clean clone, and append a row
for each run to data/sweeps/NAME.jsonl. Runs that have a row are not made again: after an interruption, give
the same command. The table of all runs and the picture reports/sweep.png follow.
"""
EPILOG = """\
exit status
  0    every run has a row, and no row is that of a failure
  1    the sweep could not be run
  2    wrong arguments
  3    runs failed: their rows say why
  4    a run has two different results
  130  interrupted

examples
  digits sweep -S 'train.seed=range(10)' -S recipe=fast,accurate
  digits sweep -S 'train.seed=range(10)' -S 'recipe=glob(*)' --random 5
  digits sweep -S 'train.seed=range(100)' --address ray://head:10001 --check 0.05
  digits sweep --show
  digits sweep --keep best
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `digits sweep`, and the function that runs it."""
    add = parser.add_argument
    add("-S", "--set-param", action="append", default=[], metavar="[FILE:]KEY=VALUES", dest="overrides")
    add("--name", default="runs", help="of the file data/sweeps/NAME.jsonl (default: runs)")
    add("--random", type=_positive, metavar="N", help="make N runs of the grid, drawn at random")
    add("--address", help="of a Ray cluster, for example ray://head:10001; without it, this machine runs all")
    add("--dirty", action="store_true", help="take uncommitted changes along, and mark them in the table")
    add("--check", type=_share, default=0.0, metavar="SHARE", help="make a share of the runs a second time")
    add("--retry", action="store_true", help="make runs again that failed")
    add("--keep", metavar="RUN", help="save runs as DVC experiments: best, all, or ids with commas")
    add("--push", action="store_true", help="send each run's outputs and the run cache to the DVC remote")
    add("--show", action="store_true", help="run nothing; print the table of the rows that are there")
    add("--ids", action="store_true", help="print a line with the id of each run behind the table")
    parser.set_defaults(run=sweep)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; expected a whole number from 1")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; expected a share from 0 to 1")
    return share


def sweep(arguments: argparse.Namespace) -> int:
    """Make the runs that are missing, print the table, and return the exit status."""
    from digits.sweep.rows import RowFile, locked, read_rows, rows_path
    from digits.verification.pipeline import find_root

    root = find_root(Path.cwd())
    path = rows_path(root, arguments.name)
    if arguments.show or not (arguments.overrides or arguments.keep):
        if not arguments.show:
            raise DigitsError("nothing to run: name overrides with -S, or --show the table")
        return _show(root, read_rows(path), arguments)
    with locked(root / ".dvc/tmp/sweeps" / arguments.name / "lock"):
        file = RowFile(path)
        if arguments.overrides:
            _run(root, file, arguments)
        if arguments.keep:
            _keep(root, file, arguments)
        return _show(root, file.rows, arguments)


def _run(root: Path, file: RowFile, arguments: argparse.Namespace) -> None:
    """Make the runs of the grid that are missing, and the second runs that check them."""
    from digits.sweep import sweep
    from digits.sweep.grid import read_grid
    from digits.sweep.source import read_source, shared_levels

    source = read_source(root, arguments.dirty)
    grid = read_grid(root, arguments.overrides)
    _try_overrides(root, grid.point(0))
    levels = shared_levels(source, grid)
    tasks = sweep.tasks_of(source, grid.points(arguments.random), levels, arguments.push)
    left = sweep.missing(tasks, file.rows, arguments.retry)
    if not left and not sweep.checks(tasks, file.rows, arguments.check):
        print(sweep.describe(grid, len(tasks), 0, 0, levels), file=sys.stderr)
        return
    engine = _engine(source, arguments)
    try:
        print(sweep.describe(grid, len(tasks), len(left), engine.slots, levels), file=sys.stderr, flush=True)
        sweep.make_runs(engine, left, file)
        if second := sweep.checks(tasks, file.rows, arguments.check):
            print(f"check: {len(second)} runs are made a second time", file=sys.stderr, flush=True)
            sweep.make_runs(engine, second, file)
    finally:
        engine.close()


def _engine(source: Source, arguments: argparse.Namespace) -> Engine:
    folder = source.root / ".dvc/tmp/sweeps" / arguments.name / "work"
    if arguments.address:
        from digits.sweep.cluster import RayEngine

        return RayEngine(source, arguments.address, arguments.name, arguments.push)
    from digits.sweep.local import LocalEngine

    return LocalEngine(source, folder)


def _try_overrides(root: Path, point: tuple[str, ...]) -> None:
    """Apply the overrides of one run to copies of the params files, so that wrong ones end the command."""
    from digits.sweep.grid import PARAMS_FILE, key_of, write_params

    with TemporaryDirectory() as folder:
        for file in {key_of(text).rpartition(":")[0] or PARAMS_FILE for text in point}:
            if not (root / file).is_file():
                raise DigitsError(f"{file}: no such params file")
            (Path(folder) / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / file, Path(folder) / file)
        write_params(Path(folder), point)


def _keep(root: Path, file: RowFile, arguments: argparse.Namespace) -> None:
    """Save the chosen runs as DVC experiments: each is made again here, mostly out of the cache."""
    from digits.sweep.local import LocalEngine
    from digits.sweep.source import read_source
    from digits.sweep.sweep import contradictions, tasks_of

    source = read_source(root, arguments.dirty)
    chosen = _chosen(file.rows, arguments.keep, source.inputs)
    tasks = tasks_of(source, [row.overrides for row in chosen.values()], [], arguments.push)
    named = [replace(task, keep=f"{arguments.name}-{task.id[:7]}") for task in tasks.values()]
    engine = LocalEngine(source, root / ".dvc/tmp/sweeps" / arguments.name / "work")
    try:
        for row in engine.run(named):
            if row.error:
                raise DigitsError(f"{' '.join(row.overrides)}: made again here, it failed: {row.error}")
            if lines := contradictions([chosen[row.id], row]):
                raise DigitsError(lines[0])
            print(f"{arguments.name}-{row.id[:7]}: {' '.join(row.overrides)}", file=sys.stderr)
    finally:
        engine.close()


def _chosen(rows: list[Row], choice: str, inputs: str) -> dict[str, Row]:
    """Return the rows of this state of the code that `--keep` names, by their ids."""
    good = {row.id: row for row in rows if row.error is None and not row.check and row.inputs == inputs}
    if choice == "all":
        return good
    if choice == "best":
        measured = [row for row in good.values() if "accuracy" in row.metrics]
        best = max(measured, key=lambda row: (row.metrics["accuracy"], row.id), default=None)
        if best is None:
            raise DigitsError("--keep best: no run of this commit has an accuracy")
        return {best.id: best}
    chosen = {}
    for start in choice.split(","):
        matching = [row for name, row in good.items() if start and name.startswith(start)]
        if len(matching) != 1:
            count = len(matching) or "no"
            raise DigitsError(
                f"--keep {start}: {count} runs of this commit have such an id; --ids lists them"
            )
        chosen[matching[0].id] = matching[0]
    return chosen


def _show(root: Path, rows: list[Row], arguments: argparse.Namespace) -> int:
    """Print the table, write the picture, and return the exit status that the rows call for."""
    from digits.sweep.groups import group_rows
    from digits.sweep.source import PICTURE
    from digits.sweep.sweep import contradictions
    from digits.sweep.table import table

    groups = group_rows(rows)
    print(table(groups))
    if arguments.ids:
        for row in (row for group in groups for row in group.rows):
            print(f"{row.id}  {' '.join(row.overrides)}  {row.seconds:g} s on {row.machine}")
    if any(group.rows for group in groups):
        from digits.sweep.picture import write_picture

        write_picture(root / PICTURE, groups)
    checked = {row.id for row in rows if row.check and row.error is None}
    lines = contradictions(rows)
    if checked:
        print(f"checked: {len(checked)} runs were made twice, {len(lines)} with another result")
    for line in lines:
        print(f"digits: two results for one run: {line}", file=sys.stderr)
    failed = [row for row in rows if row.check and row.error is not None]
    for row in failed:
        print(f"{' '.join(row.overrides)}: the second run failed on {row.machine}: {row.error}")
    if lines:
        return 4
    return 3 if failed or any(group.failed for group in groups) else 0
