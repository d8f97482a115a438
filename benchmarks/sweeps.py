"""Measure what `digits sweep` costs beside the runs, on this machine and on Ray nodes of this machine.

Usage: python -m benchmarks.sweeps [--runs N] [--nodes N ...] [--write]

The pipeline has one stage that copies a file, so that all the time is that of DVC, Git and the engine.
Several nodes of one machine share its cores: this tells what the engine costs, not what more machines gain.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import write_between
from digits.errors import run
from digits.sweep.groups import group_rows
from digits.sweep.machine import Task
from digits.sweep.rows import Row, RowFile, read_rows
from digits.sweep.sweep import make_runs, missing
from digits.sweep.table import table

PAGE = Path("docs/sweeps.md")
PIPELINE = """\
stages:
  copy:
    cmd: cp params.yaml copy.yaml
    params: [seed]
    deps: [dvc.yaml]
    outs: [copy.yaml]
"""
MANY = 10_000


def make_repository(folder: Path) -> None:
    """Make a pipeline that does next to nothing, and commit it."""
    folder.mkdir()
    (folder / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    (folder / "params.yaml").write_text("seed: -1\n", encoding="utf-8")
    for command in ("git init --quiet", "dvc init --quiet", "dvc repro --quiet", "git add --all"):
        call(folder, command.split())
    author = ["-c", "user.name=digits", "-c", "user.email=digits@example.invalid"]
    call(folder, ["git", *author, "commit", "--quiet", "--message", "Add a pipeline"])


def call(folder: Path, command: list[str]) -> float:
    """Run a command that must succeed, and return the seconds that it took."""
    if command[0] != "git":
        command = [sys.executable, "-P", "-m", *command]
    started = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def dvc_alone(folder: Path) -> float:
    """Return the seconds of a `dvc repro` of the pipeline with another seed, the median of five."""
    seconds = []
    for seed in range(5):
        (folder / "params.yaml").write_text(f"seed: {1000 + seed}\n", encoding="utf-8")
        seconds.append(call(folder, ["dvc", "repro", "--quiet"]))
    call(folder, ["git", "checkout", "--quiet", "."])
    return sorted(seconds)[2]


def on_nodes(folder: Path, nodes: int, runs: int) -> float:
    """Return the seconds of a sweep on so many nodes of a cluster, its connection included."""
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    memory = 100 * 2**20
    cluster.add_node(num_cpus=0, object_store_memory=memory, include_dashboard=False)
    for _ in range(nodes):
        cluster.add_node(num_cpus=1, object_store_memory=memory)
    cluster.wait_for_nodes()
    try:
        name = f"nodes{nodes}"
        overrides = f"seed=range({runs})"
        return call(
            folder, ["digits", "sweep", "-S", overrides, "--name", name, "--address", cluster.address]
        )
    finally:
        cluster.shutdown()


class Waiting:
    """An engine whose runs do nothing."""

    slots = 1000

    def run(self, tasks: Iterable[Task]) -> Iterator[Row]:
        """Yield a row for each task."""
        for number, task in enumerate(tasks):
            metrics = {"accuracy": 0.99 + number % 97 / 10_000, "errors": number % 97}
            outputs = {f"data/{name}": 32 * "0" for name in range(20)}
            yield Row(
                task.id,
                task.overrides,
                task.inputs,
                "c",
                False,
                False,
                None,
                metrics,
                outputs,
                1.0,
                "m",
                "cpu",
            )

    def close(self) -> None:
        """Do nothing."""


def many_rows(path: Path) -> dict[str, float]:
    """Return the seconds of writing, reading again and telling many rows."""
    empty = Task("", (), "c", "c", "i", ())
    points = [(f"train.seed={number // 100}", f"width={number % 100}") for number in range(MANY)]
    tasks = {
        str(number): replace(empty, id=str(number), overrides=point) for number, point in enumerate(points)
    }
    seconds, started = {}, time.monotonic()
    make_runs(Waiting(), list(tasks.values()), RowFile(path))
    seconds["append"], started = time.monotonic() - started, time.monotonic()
    rows = read_rows(path)
    assert not missing(tasks, rows, retry=False)
    seconds["resume"], started = time.monotonic() - started, time.monotonic()
    table(group_rows(rows))
    seconds["table"] = time.monotonic() - started
    return seconds


def main() -> None:
    """Measure, print the table, and write it where that is wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeps")
    parser.add_argument("--runs", type=int, default=200, metavar="N")
    parser.add_argument("--nodes", type=int, nargs="*", default=[1, 2, 4], metavar="N")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE}")
    arguments = parser.parse_args()
    os.environ |= {"RAY_DEDUP_LOGS": "0"}
    lines = ["| where | runs | seconds | seconds for a run of one core |", "| --- | ---: | ---: | ---: |"]
    with TemporaryDirectory() as temporary:
        folder = Path(temporary, "pipeline")
        make_repository(folder)
        lines.append(f"| `dvc repro` alone | 5 | | {dvc_alone(folder):.2f} |")
        cores = len(os.sched_getaffinity(0))
        seconds = call(folder, ["digits", "sweep", "-S", f"seed=range({arguments.runs})", "--name", "here"])
        lines.append(cost(f"this machine, {cores} at a time", arguments.runs, seconds, cores))
        for nodes in arguments.nodes:
            seconds = on_nodes(folder, nodes, arguments.runs)
            lines.append(cost(f"Ray, nodes: {nodes}", arguments.runs, seconds, min(nodes, cores)))
        spent = many_rows(Path(temporary, "many.jsonl"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    lines += [
        "",
        f"{MANY} rows of runs that do nothing: {spent['append']:.1f} s to append them, each on disk "
        f"before the next; {spent['resume']:.1f} s to read them and find what is missing; "
        f"{spent['table']:.1f} s for the table of 100 groups; at most {memory:.2f} GB of memory.",
    ]
    print("\n".join(lines))
    if arguments.write:
        write_between(PAGE, "sweeps", "\n".join(lines))


def cost(where: str, runs: int, seconds: float, at_once: int) -> str:
    """Return a row of the table."""
    return f"| {where} | {runs} | {seconds:.0f} | {seconds * at_once / runs:.2f} |"


if __name__ == "__main__":
    run(main)
