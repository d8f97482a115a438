"""`digits sweep` makes each run of a grid once, whatever interrupts it, and tells what they say together."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digits.errors import DigitsError
from digits.sweep.cache import object_place
from digits.sweep.grid import read_grid
from digits.sweep.groups import best_group, group_rows, mean_interval
from digits.sweep.local import dvc_settings
from digits.sweep.machine import Machine
from digits.sweep.results import last_words
from digits.sweep.rows import Row, RowFile, read_rows
from digits.sweep.source import read_source, shared_levels
from digits.sweep.sweep import checks, contradictions, missing, tasks_of
from digits.sweep.table import table
from tests.seeded_pipeline import SeededToy, digits_command

# DVC reads pipelines with a library that warns of its own future.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

ROW = Row(
    "a",
    ("train.seed=0",),
    "i",
    "c" * 40,
    False,
    False,
    None,
    {"accuracy": 0.9},
    {"m": "1"},
    1.0,
    "one",
    "CPU",
)


@pytest.fixture
def toy(once: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path) -> SeededToy:
    """Return a copy of the committed pipeline."""
    folder = once("seeded", lambda folder: SeededToy(folder).create())
    toy = SeededToy(folder).copy(tmp_path / "copy")
    return SeededToy(toy.folder.parent)


def sweep(toy: SeededToy, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run(
        digits_command("sweep", *arguments),
        cwd=toy.folder,
        env=toy.environment() | {"OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert status == finished.returncode, finished.stdout + finished.stderr
    return finished


def rows(toy: SeededToy, name: str = "runs") -> list[dict[str, Any]]:
    return [json.loads(line) for line in toy.read(f"data/sweeps/{name}.jsonl").splitlines()]


def row(seed: int, accuracy: float, *others: str, **changes: Any) -> Row:
    overrides = (f"train.seed={seed}", *others)
    values = {"id": " ".join(overrides), "overrides": overrides, "metrics": {"accuracy": accuracy}}
    return replace(ROW, **values | changes)


# The grid.


def test_a_grid_is_the_product_of_all_lists_in_the_syntax_of_hydra(toy: SeededToy) -> None:
    grid = read_grid(toy.folder, ["train.seed=range(2)", "recipe=glob(*)", "environment.yaml:pyyaml='5','6'"])

    assert 8 == grid.size
    assert ("train.seed=0", "recipe=good", "environment.yaml:pyyaml='6'") == grid.point(1)
    assert 8 == len({*grid.points()})


def test_points_drawn_at_random_are_the_same_ones_each_time(toy: SeededToy) -> None:
    grid = read_grid(toy.folder, ["train.seed=range(1000000)", "recipe=good,poor"])
    drawn = [*grid.points(5)]

    assert 5 == len({*drawn})
    assert drawn == [*grid.points(5)]


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("train.sed=1", "Invalid `--set-param` value: Could not override 'train.sed'."),
        ("train.seed==1", "Error parsing override 'train.seed==1'"),
        ("train.seed=interval(0,1)", "does not support sweep type : INTERVAL_SWEEP"),
        ("recipe=glob(x*)", "recipe=glob(x*): no name in the section recipes of params.yaml"),
        ("other.yaml:key=1", "other.yaml: no such params file"),
    ],
)
def test_a_wrong_override_ends_the_command_with_one_line(toy: SeededToy, override: str, line: str) -> None:
    said = sweep(toy, "-S", override, status=1).stderr

    assert line in said
    assert 1 == said.count("\n")


def test_stages_are_shared_by_the_points_that_agree_on_what_they_read(toy: SeededToy) -> None:
    source = read_source(toy.folder, dirty=False)
    levels = shared_levels(source, read_grid(toy.folder, ["train.seed=0,1", "recipe=good,poor"]))
    recipes = shared_levels(source, read_grid(toy.folder, ["recipes.poor.rate=0.1,0.2"]))

    assert [("make",)] == [level.stages for level in levels]
    assert [("make",)] == [level.stages for level in recipes]


# Runs.


def test_a_sweep_makes_every_run_once_and_shared_stages_once(toy: SeededToy) -> None:
    toy.run("rm", "-r", ".dvc/cache")
    toy.stages_run()
    said = sweep(toy, "-S", "train.seed=range(2)", "-S", "recipe=good,poor")
    stages = toy.stages_run()
    again = sweep(toy, "-S", "recipe=good,poor", "-S", "train.seed=range(2)")

    assert "4 to make" in said.stderr
    assert ["fit good 0", "fit good 1", "fit poor 0", "fit poor 1", "make", *4 * ["measure"]] == sorted(
        stages
    )
    assert "0 to make" in again.stderr
    assert said.stdout == again.stdout
    assert [] == toy.stages_run()
    assert "| recipe=good | 2 | 95.300% ± 0.424% | 50, 44 errors |" in said.stdout
    assert (toy.folder / "reports/sweep.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_is_that_of_a_clean_clone_without_the_threads_of_the_shell(toy: SeededToy) -> None:
    sweep(toy, "-S", "train.seed=0")
    toy.replace("params.yaml", "seed: 0", "seed: 7")
    toy.repro()
    model = toy.read("data/model.txt")
    toy.commit()
    sweep(toy, "-S", "train.seed=7")
    toy.run("dvc", "checkout")

    assert "0.05 7 none " == model
    assert 2 == len(rows(toy))
    assert rows(toy)[0]["inputs"] != rows(toy)[1]["inputs"]
    assert (
        toy.read("dvc.lock").split("data/model.txt")[1].split("md5: ")[1][:32]
        in rows(toy)[1]["outputs"].values()
    )


def test_a_killed_sweep_goes_on_where_it_was(toy: SeededToy) -> None:
    arguments = ("-S", "train.seed=range(4)", "-S", "recipes.good.seconds=1")
    for count in (1, 2):
        process = subprocess.Popen(
            digits_command("sweep", *arguments),
            cwd=toy.folder,
            env=toy.environment(),
            stderr=subprocess.DEVNULL,
        )
        path = toy.folder / "data/sweeps/runs.jsonl"
        while not path.exists() or path.read_bytes().count(b"\n") < count:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = len(rows(toy))
    with path.open("a") as file:
        file.write('{"id": "unfin')
    toy.stages_run()
    said = sweep(toy, *arguments).stderr

    assert f"{done} are there, {4 - done} to make" in said
    assert [f"train.seed={seed}" for seed in range(4)] == sorted(row["overrides"][0] for row in rows(toy))
    assert not [*(toy.folder / ".dvc/tmp/sweeps/runs").glob("work/runs/*")]


def test_the_processes_of_a_killed_sweep_end_with_it(toy: SeededToy) -> None:
    process = subprocess.Popen(
        digits_command("sweep", "-S", "recipes.good.seconds=600"), cwd=toy.folder, env=toy.environment()
    )
    toy.stages_run()
    while "fit good 0" not in (toy.runs.read_text() if toy.runs.exists() else ""):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 10
    while (left := processes_in(toy.folder)) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert [] == left


def processes_in(folder: Path) -> list[str]:
    """Return the processes whose working folder lies in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(process.name)
        except OSError:
            continue
    return found


def test_a_stage_that_fails_is_a_row_and_is_made_again_only_on_request(toy: SeededToy) -> None:
    arguments = ("-S", "train.seed=-1,0")
    said = sweep(toy, *arguments, status=3).stdout
    again = sweep(toy, *arguments, status=3).stderr
    retried = sweep(toy, *arguments, "--retry", status=3).stderr

    assert "train.seed=-1 failed: failed to reproduce 'fit'" in said
    assert "fit: the seed -1 is below 0" in said
    assert "0 to make" in again
    assert "1 to make" in retried


def test_uncommitted_changes_are_refused_or_taken_along_and_marked(toy: SeededToy) -> None:
    before = toy.run("git", "status", "--porcelain")
    toy.replace("measure.py", "errors / 500", "errors / 250")
    toy.write("notes.txt", "No stage reads this.")
    refused = sweep(toy, "-S", "train.seed=0", status=1).stderr
    taken = sweep(toy, "-S", "train.seed=0", "--dirty").stdout

    assert "" == before
    assert "digits: measure.py: not committed; commit it, or take it along with --dirty\n" == refused
    assert "(uncommitted changes)" in taken
    assert 50 / 250 == rows(toy)[0]["metrics"]["loss"]
    assert " M measure.py" in toy.run("git", "status", "--porcelain")


def test_a_second_process_of_the_same_sweep_is_refused_and_one_of_another_is_not(toy: SeededToy) -> None:
    first = subprocess.Popen(
        digits_command("sweep", "-S", "recipes.good.seconds=6"), cwd=toy.folder, env=toy.environment()
    )
    while not (toy.folder / ".dvc/tmp/sweeps/runs/work/runs").exists():
        time.sleep(0.05)
    refused = sweep(toy, "-S", "train.seed=1", status=1).stderr
    sweep(toy, "-S", "train.seed=1", "--name", "other")

    assert "the sweep runs is running in another process" in refused
    assert 0 == first.wait()
    assert [1, 1] == [len(rows(toy)), len(rows(toy, "other"))]


def test_a_kept_run_is_an_experiment_whose_model_dvc_gives_back(toy: SeededToy) -> None:
    sweep(toy, "-S", "train.seed=range(2)", "-S", "recipe=poor", "--keep", "best")
    (name,) = (line for line in toy.run("dvc", "exp", "list", "--name-only").splitlines() if line)
    toy.run("dvc", "exp", "apply", name)

    assert name.startswith("runs-")
    assert toy.read("data/model.txt").startswith("0.15 0")
    assert "recipe: poor" in toy.read("params.yaml")


def test_pushed_runs_are_in_the_remote(toy: SeededToy, tmp_path: Path) -> None:
    toy.run("dvc", "remote", "add", "--default", "store", "../../remote")
    toy.commit()
    sweep(toy, "-S", "train.seed=1,2", "--push")
    toy.run("rm", "-r", ".dvc/cache")
    toy.run("git", "clean", "-qfdx", "data")
    toy.replace("params.yaml", "seed: 0", "seed: 2")
    toy.run("dvc", "fetch", "--run-cache")
    toy.stages_run()
    toy.run("dvc", "repro", "--pull", "--quiet")

    assert ["measure"] == toy.stages_run()
    assert toy.read("data/model.txt").startswith("0.05 2")


def test_a_machine_gets_the_raw_files_from_the_remote(toy: SeededToy, tmp_path: Path) -> None:
    toy.run("dvc", "remote", "add", "--default", "store", "../../remote")
    toy.run("dvc", "push", "--quiet")
    toy.commit()
    source = read_source(toy.folder, dirty=False)
    cache = tmp_path / "cache"
    settings = dvc_settings(source)
    machine = Machine(
        "other", tmp_path / "machine", toy.folder, ".", cache, settings, tuple(source.raw.values())
    )
    machine.fetch(source.commit, tuple(source.raw))

    assert ["data/labels.txt"] == [*source.raw]
    assert all((cache / object_place(name)).is_file() for name in source.raw.values())
    assert [] == [*(tmp_path / "machine/runs").iterdir()]


# Checks.


def test_two_results_for_one_run_are_an_error_that_names_both_machines(toy: SeededToy) -> None:
    toy.replace("fit.py", "import note\n", "import note\nclock = time.time_ns()\n")
    toy.replace("fit.py", "{os.environ.get('FLIP', '')}", "{clock}")
    toy.repro()
    toy.commit()
    finished = sweep(toy, "-S", "train.seed=5", "--check", "0.5", status=4)

    assert "checked: 1 runs were made twice, 1 with another result" in finished.stdout
    assert "digits: two results for one run: train.seed=5: data/model.txt is " in finished.stderr


def test_checks_are_the_same_share_of_the_runs_each_time(toy: SeededToy) -> None:
    source = read_source(toy.folder, dirty=False)
    tasks = tasks_of(source, [(f"train.seed={seed}",) for seed in range(40)], [], push=True)
    made = [replace(ROW, id=name) for name in tasks]
    second = checks(tasks, made, 0.1)

    assert 4 == len(second)
    assert all(task.check and task.avoid == "one" and not task.push for task in second)
    assert [] == checks(tasks, [*made, *(replace(ROW, id=task.id, check=True) for task in second)], 0.1)
    assert [] == checks(tasks, [replace(each, error="no") for each in made], 0.1)


def test_the_first_output_that_differs_is_named() -> None:
    other = replace(ROW, outputs={"m": "2", "a": "3"}, machine="two", cpu="Other", check=True)

    assert ["train.seed=0: a is missing on one (CPU) and 3 on two (Other)"] == contradictions([ROW, other])
    assert [] == contradictions([ROW, ROW])


# Rows and the table.


def test_a_damaged_row_is_named_by_its_line(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "x.jsonl")
    file.append(ROW)
    with (tmp_path / "x.jsonl").open("a") as text:
        text.write('{"id": 1}\n')

    with pytest.raises(DigitsError, match=r"x\.jsonl: line 2 is no row of a sweep"):
        read_rows(tmp_path / "x.jsonl")


def test_the_table_has_a_row_for_each_group_in_the_order_of_numbers() -> None:
    made = [row(seed, 0.9 + seed / 100, f"width={width}") for width in (10, 9) for seed in (10, 9, 1)]
    lines = table(group_rows(made)).splitlines()

    assert lines[2].startswith("| width=9 | 3 | 96.667% ± 4.933% | 0.91, 0.99, 1 |")
    assert lines[3].startswith("| width=10 | 3 |")


def test_a_failed_run_that_succeeded_later_has_not_failed() -> None:
    (group,) = group_rows([row(0, 0, error="no"), row(0, 0.9), row(1, 0.8, error="no")])

    assert [0.9] == group.values("accuracy")
    assert ["train.seed=1"] == [each.id for each in group.failed]


def test_what_is_missing_does_not_depend_on_the_order_of_the_rows(toy: SeededToy) -> None:
    tasks = tasks_of(read_source(toy.folder, dirty=False), [("a.seed=1",), ("a.seed=2",)], [], push=False)
    there, other = tasks
    failed = replace(ROW, id=there, error="no")

    assert [other] == [task.id for task in missing(tasks, [replace(ROW, id=there)], retry=True)]
    assert [other] == [task.id for task in missing(tasks, [failed], retry=False)]
    assert [there, other] == [task.id for task in missing(tasks, [failed], retry=True)]


def test_the_best_group_is_more_certain_the_further_it_is_ahead() -> None:
    far, near = [0.95, 0.96, 0.97], [0.9599, 0.9601, 0.962]
    best, certain = best_group([far, [0.5, 0.51, 0.49]])
    _, doubtful = best_group([far, near])

    assert 0 == best
    assert certain is not None and certain > 0.999
    assert doubtful is not None and 0.3 < doubtful < 0.7
    assert (1, None) == best_group([[0.1], [0.2]])


def test_the_interval_of_a_mean_is_that_of_student() -> None:
    low, high = mean_interval([1.0, 2.0, 3.0]) or (0, 0)

    # The 97.5% quantile of t with two degrees of freedom is 4.3027, the standard error 1 / sqrt(3).
    assert (2 - 2.4841, 2 + 2.4841) == pytest.approx((low, high), abs=1e-4)
    assert mean_interval([1.0]) is None


def test_ten_thousand_rows_are_read_and_told_in_seconds(tmp_path: Path) -> None:
    text = "".join(
        json.dumps(vars(row(seed, 0.9, f"width={seed % 100}", id=str(seed)))) + "\n" for seed in range(10_000)
    )
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    started = time.monotonic()
    lines = table(group_rows(read_rows(path))).splitlines()

    assert 102 <= len(lines)
    assert time.monotonic() - started < 10


def test_a_failure_is_told_by_the_stage_and_by_dvc(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Running stage 'fit':\n> python fit.py\nfit: no\nERROR: failed: fit\n\n")

    assert "failed: fit: fit: no" == last_words(tmp_path / "log")


def test_a_second_run_that_fails_is_told(toy: SeededToy) -> None:
    sweep(toy, "-S", "train.seed=1")
    (line,) = toy.read("data/sweeps/runs.jsonl").splitlines()
    second = json.loads(line) | {"check": True, "error": "no memory", "outputs": {}}
    toy.write("data/sweeps/runs.jsonl", f"{line}\n{json.dumps(second)}\n")

    assert "train.seed=1: the second run failed on " in sweep(toy, "--show", status=3).stdout
