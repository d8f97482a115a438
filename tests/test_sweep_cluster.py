"""A sweep on a real Ray cluster gives the same rows as one on this machine, whichever machine dies."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.pipeline import REPOSITORY
from tests.seeded_pipeline import SeededToy, digits_command
from tests.test_sweep import rows, sweep

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.xdist_group("ray"),
]


class Nodes:
    """A cluster of two nodes; more come and go."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.ray_cluster"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.add()
        self.address = self.add()

    def order(self, order: dict[str, object]) -> str:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("address "):
                return line.split()[1]
        raise AssertionError("the cluster has ended")

    def add(self, **variables: str) -> str:
        return self.order({"add": variables})

    def kill(self) -> None:
        self.order({"kill": True})

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    nodes = Nodes()
    yield nodes
    nodes.close()


@pytest.fixture
def toy(once: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path) -> SeededToy:
    """Return a copy of the committed pipeline."""
    folder = once("seeded", lambda folder: SeededToy(folder).create())
    return SeededToy(SeededToy(folder).copy(tmp_path / "copy").folder.parent)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def start(toy: SeededToy, nodes: Nodes, *arguments: str) -> subprocess.Popen[str]:
    command = digits_command("sweep", "--address", nodes.address, *arguments)
    return subprocess.Popen(
        command,
        cwd=toy.folder,
        env=toy.environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def same_everywhere(toy: SeededToy, name: str) -> list[str]:
    """Return the rows of a sweep without what the machine and the hour make of them."""
    left_out = {"seconds", "machine", "cpu"}
    return sorted(
        json.dumps({key: value for key, value in row.items() if key not in left_out}, sort_keys=True)
        for row in rows(toy, name)
    )


def test_a_cluster_gives_the_table_of_one_machine_also_where_runs_fail(toy: SeededToy, nodes: Nodes) -> None:
    arguments = ("-S", "train.seed=range(-1,3)", "-S", "recipe=good,poor", "--check", "0.2")
    here = sweep(toy, *arguments, "--name", "here", status=3).stdout
    there = sweep(toy, *arguments, "--name", "there", "--address", nodes.address, status=3).stdout
    machines = {row["machine"] for row in rows(toy, "there")}
    first = {row["id"]: row["machine"] for row in rows(toy, "there") if not row["check"]}
    second = {row["id"]: row["machine"] for row in rows(toy, "there") if row["check"]}

    assert here == there
    assert same_everywhere(toy, "here") == same_everywhere(toy, "there")
    assert 2 == len(machines)
    assert second and all(first[name] != machine for name, machine in second.items())


def test_two_sweeps_run_at_once(toy: SeededToy, nodes: Nodes) -> None:
    both = [
        start(toy, nodes, "-S", f"train.seed={seed},{seed + 1}", "--name", f"sweep{seed}") for seed in (1, 3)
    ]
    for process in both:
        assert 0 == process.wait(), process.communicate()
        process.communicate()

    assert [2, 2] == [len(rows(toy, name)) for name in ("sweep1", "sweep3")]


def test_a_run_whose_machine_dies_is_made_on_another_one(toy: SeededToy, nodes: Nodes) -> None:
    nodes.add()
    process = start(toy, nodes, "-S", "train.seed=range(5)", "-S", "recipes.good.seconds=4")
    path = toy.folder / "data/sweeps/runs.jsonl"
    # With the first row there, the other machines are in the middle of a run.
    wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") >= 1)
    nodes.kill()
    said = process.communicate()

    assert 0 == process.returncode, said
    assert [0, 1, 2, 3, 4] == sorted(int(row["overrides"][0][-1]) for row in rows(toy))


def test_a_command_that_was_killed_goes_on_where_it_was(toy: SeededToy, nodes: Nodes) -> None:
    arguments = ("-S", "train.seed=range(6)", "-S", "recipes.good.seconds=1")
    process = start(toy, nodes, *arguments)
    path = toy.folder / "data/sweeps/runs.jsonl"
    wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") >= 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = len(rows(toy))
    again = start(toy, nodes, *arguments)
    said = again.communicate()

    assert 0 == again.returncode, said
    assert f"{done} are there, {6 - done} to make" in said[1]
    assert [0, 1, 2, 3, 4, 5] == sorted(int(row["overrides"][0][-1]) for row in rows(toy))


def test_a_worker_with_another_library_is_refused_in_one_line(
    toy: SeededToy, nodes: Nodes, tmp_path: Path
) -> None:
    metadata = tmp_path / "pyyaml-1.0.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: pyyaml\nVersion: 1.0\n")
    nodes.add(PYTHONPATH=str(tmp_path))
    said = start(toy, nodes, "-S", "train.seed=1").communicate()
    nodes.kill()

    assert " has pyyaml 1.0 instead of " in said[1]
    assert 1 == said[1].count("\n")


def test_a_cluster_that_is_not_there_is_told_in_one_line(toy: SeededToy) -> None:
    said = sweep(toy, "-S", "train.seed=1", "--address", "127.0.0.1:1", status=1).stderr

    assert said.startswith("digits: 127.0.0.1:1: no connection to a Ray cluster: ")
    assert 1 == said.count("\n")
