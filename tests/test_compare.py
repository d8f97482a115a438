"""`digits compare` tells a difference from chance, and a pull request that makes things worse from others."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits.comparison.statistics import of_answers, of_counts, of_seeds
from digits.sweep.rows import Row, RowFile
from tests.seeded_pipeline import SeededToy, digits_command


@pytest.fixture
def toy(once: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path) -> SeededToy:
    """Return a copy of the committed pipeline."""
    folder = once("seeded", lambda folder: SeededToy(folder).create())
    return SeededToy(SeededToy(folder).copy(tmp_path / "copy").folder.parent)


def compare(toy: SeededToy, *arguments: str, status: int = 0) -> str:
    finished = subprocess.run(
        digits_command("compare", *arguments),
        cwd=toy.folder,
        env=toy.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert status == finished.returncode, finished.stdout + finished.stderr
    return finished.stdout or finished.stderr


def write_rows(toy: SeededToy, name: str, accuracies: dict[str, list[float]], first: int = 0) -> None:
    file = RowFile(toy.folder / f"data/sweeps/{name}.jsonl")
    for recipe, values in accuracies.items():
        for seed, accuracy in enumerate(values, first):
            overrides = (f"train.seed={seed}", f"recipe={recipe}")
            metrics = {"accuracy": accuracy, "loss": 1 - accuracy}
            row = Row(
                " ".join(overrides), overrides, "i", "c", False, False, None, metrics, {}, 1.0, "m", "c"
            )
            file.append(row)


def test_the_workspace_is_compared_with_the_last_commit_by_its_answers(toy: SeededToy) -> None:
    toy.replace("params.yaml", "recipe: good", "recipe: poor")
    toy.repro()
    said = compare(toy, status=3)

    assert said.startswith("**worse**: workspace compared with HEAD (")
    assert "| accuracy | 95.000% | 84.700% | -10.300 points | " in said
    assert "the answers to 1000 images" in said
    # 50 and 153 of the 1000 images have a loss of 2, the others of 0.
    loss = re.search(r"\| loss \| 0.10000 \| 0.30600 \| \+0.20600 \| \+(\S+) to \+(\S+) \|", said)
    assert loss and 0.1 < float(loss[1]) < 0.206 < float(loss[2]) < 0.3


def test_two_revisions_are_compared_both_ways(toy: SeededToy) -> None:
    toy.replace("params.yaml", "recipe: good", "recipe: poor")
    toy.repro()
    toy.commit()
    worse = json.loads(compare(toy, "HEAD~1", "HEAD", "--json", status=3))
    better = json.loads(compare(toy, "HEAD", "HEAD~1", "--json"))

    assert ["worse", "better"] == [worse["verdict"], better["verdict"]]
    assert [3, 0] == [worse["exit_status"], better["exit_status"]]
    one, other = (result["differences"]["accuracy"] for result in (worse, better))
    assert [one["value"], one["low"]] == pytest.approx([-other["value"], -other["high"]])


def test_without_the_answers_the_numbers_of_errors_tell_less(toy: SeededToy) -> None:
    toy.replace("params.yaml", "recipe: good", "recipe: poor")
    toy.repro()
    toy.commit()
    toy.run("rm", "-r", ".dvc/cache", "data/predictions.csv")

    assert "the numbers of errors alone" in compare(toy, "HEAD~1", status=3)


def test_the_same_revision_differs_in_nothing(toy: SeededToy) -> None:
    toy.run("rm", "-r", ".dvc/cache")
    said = compare(toy, "HEAD", "main")

    assert said.startswith("**no difference shown**")
    assert "+0.000 to +0.000" in said


def test_what_the_gate_lets_through_is_worse_and_no_failure(toy: SeededToy) -> None:
    write_rows(toy, "one", {"good": [0.95, 0.951, 0.952]})
    write_rows(toy, "other", {"good": [0.945, 0.946, 0.947]})
    within = compare(toy, "one", "other")
    toy.replace("params.yaml", "worse_at_most: 0.01", "worse_at_most: 0.004")
    beyond = compare(toy, "one", "other", status=3)

    assert "within the 1 points that params.yaml lets through" in within
    assert within.startswith("**worse**") and beyond.startswith("**worse**")


def test_groups_and_seeds_of_a_sweep_are_named_by_overrides(toy: SeededToy) -> None:
    values = [0.95, 0.948, 0.953, 0.951, 0.947, 0.952]
    write_rows(toy, "runs", {"good": values, "poor": [value - 0.1 for value in values]})
    halves = compare(toy, "runs:recipe=good:train.seed=range(3)", "runs:recipe=good:train.seed=range(3,6)")
    recipes = compare(toy, "runs:recipe=good", "runs:recipe=poor", status=3)

    assert "**no difference shown**: runs:recipe=good:train.seed=range(3,6) (3 runs)" in halves
    assert "more seeds of each side would show it" in halves
    assert "6 runs each, paired by seed (Student's t)" in recipes


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nothing"], "digits: nothing: no such commit, branch or tag\n"),
        (["runs"], "digits: runs: several groups of runs: recipe=good of commit=c; recipe=poor of commit=c;"),
        (["runs:recipe=none"], "digits: runs:recipe=none: no such runs in data/sweeps/runs.jsonl\n"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_line(toy: SeededToy, arguments: list[str], line: str) -> None:
    write_rows(toy, "runs", {"good": [0.9], "poor": [0.8]})
    said = compare(toy, *arguments, status=1)

    assert said.startswith(line)
    assert 1 == said.count("\n")


def test_other_test_images_cannot_be_compared(toy: SeededToy) -> None:
    toy.write("data/predictions.csv", "index,actual,predicted\n0,1,1\n")

    assert "were tested on different images" in compare(toy, status=1)


def seeds(values: list[float], first: int = 0) -> dict[str, float]:
    return {str(seed): value for seed, value in enumerate(values, first)}


def test_the_same_seeds_are_paired() -> None:
    difference = of_seeds(seeds([0.90, 0.92, 0.94]), seeds([0.91, 0.93, 0.96]))

    # The differences 0.01, 0.01 and 0.02: mean 0.01333, standard error 0.00333, t of two degrees 4.3027.
    assert pytest.approx(0.013333, abs=1e-6) == difference.value
    assert pytest.approx(0.013333 - 4.3027 * 0.0033333, abs=1e-5) == difference.low
    assert not difference.shown


def test_other_seeds_are_compared_by_welch() -> None:
    difference = of_seeds(seeds([1.0, 2.0, 3.0]), seeds([2.0, 4.0, 6.0], first=10))

    # Variances 1 and 4, error sqrt(5/3), (5/3)^2 / (1/18 + 16/18) = 2.9412 degrees of freedom, t 3.2188.
    assert pytest.approx(2.0) == difference.value
    assert pytest.approx(2 - 3.2188 * 1.290994, abs=1e-3) == difference.low


def test_a_single_run_varies_as_the_other_side_does() -> None:
    difference = of_seeds(seeds([1.0, 2.0, 3.0]), seeds([4.0]))

    # Variance 1, error sqrt(1/3 + 1), two degrees of freedom.
    assert pytest.approx(2 - 4.3027 * 1.154701, abs=1e-3) == difference.low


def test_more_seeds_are_needed_the_smaller_the_difference_is() -> None:
    noise: list[float] = [-1.0, 1.0, 0.0, -1.0, 1.0]
    large, small = (of_seeds(seeds(noise), seeds([value + add for value in noise], 9)) for add in (1.0, 0.5))

    # A difference of one standard deviation takes 17 runs of each side for a power of 80%, of half of one 64.
    assert [17 - 5, 64 - 5] == [large.more_seeds, small.more_seeds]


def test_the_answers_are_compared_by_the_images_on_which_one_model_is_right() -> None:
    first, second = np.ones(1000, bool), np.ones(1000, bool)
    first[:4], second[4:20] = False, False
    difference = of_answers(first, second)

    # Of 20 images 4 are gained; Clopper and Pearson's interval of 4 in 20 is 0.0573 to 0.4366.
    assert -0.012 == difference.value
    assert pytest.approx((2 * 0.0573 - 1) * 0.02, abs=1e-5) == difference.low
    assert pytest.approx((2 * 0.4366 - 1) * 0.02, abs=1e-5) == difference.high
    assert difference.shown


def test_counts_are_compared_by_newcombe() -> None:
    # Newcombe 1998, table II: 56 of 70 and 48 of 80 differ by 0.2, from 0.0524 to 0.3339.
    difference = of_counts((48, 80), (56, 70))

    assert pytest.approx([0.2, 0.0524, 0.3339], abs=1e-4) == as_list(difference)


def as_list(difference: Any) -> list[float]:
    return [difference.value, difference.low, difference.high]
