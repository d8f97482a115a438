"""The table of seeds says what each seed of a sweep did on the test images."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import seeds
from digits.errors import DigitsError
from digits.sweep.groups import Group, mean_and_deviation
from digits.sweep.rows import Row


def row(seed: int, errors: int, beside: int, images: int = 10_000) -> dict[str, Any]:
    return {"seed": seed, "test_images": images, "test_errors": errors, "beside_disputed": beside}


def test_the_tables_have_mean_and_deviation_and_that_of_mnist_every_value() -> None:
    mine = {"inputs": "key", "rows": [row(0, 30, 20), row(1, 40, 28), row(2, 50, 30)]}
    other = {"inputs": "key", "rows": [row(0, 9, 0, 360), row(1, 9, 0, 360)]}
    results = {"mnist": {"mine": mine}, "eights": {"mine": other}}

    assert ["| `mine` | 3 | 99.600% ± 0.100% | 30, 40, 50 | 26.0 |"] == lines(seeds.mnist_table(results))
    assert [
        "| `eights` | `mine` | 2 | 97.500% ± 0.000% |",
        "| `mnist` | `mine` | 3 | 99.600% ± 0.100% |",
    ] == lines(seeds.datasets_table(results))


def lines(table: str) -> list[str]:
    return table.splitlines()[2:]


def test_a_single_seed_has_no_deviation() -> None:
    assert (0.5, 0.0) == mean_and_deviation([0.5])


def test_a_line_of_the_file_is_a_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {"inputs": "key", "rows": [row(0, 30, 20), row(1, 40, 28)]}
    results = {"mnist": {"one": mine, "two": mine}, "eights": {"one": mine}}
    monkeypatch.setattr(seeds, "RESULTS", tmp_path / "seeds.json")
    seeds.write_results(results)
    text = (tmp_path / "seeds.json").read_text(encoding="utf-8")

    assert results == json.loads(text) == seeds.read_results()
    assert 6 == sum('"seed"' in line for line in text.splitlines())


def test_errors_are_counted_in_the_answers_of_each_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answers").write_text("index,actual,predicted\n0,7,7\n1,2,3\n947,8,9\n")
    (tmp_path / "history").write_text("epoch,val_accuracy\n1,0.5\n2,0.75\n")
    monkeypatch.setattr(seeds, "cached", lambda root, name: root / name)
    outputs = {"data/predictions.csv": "answers", "data/history.csv": "history"}
    overrides = ("train.seed=4", "recipe=mine")
    run = Row("a", overrides, "i", "c", False, False, None, {}, outputs, 12.5, "m", "c")
    group = Group(("recipe=mine",), "c", False, [run], [])
    (counted,) = seeds.recipe_rows(group, "mnist", tmp_path)
    (of_others,) = seeds.recipe_rows(group, "eights", tmp_path)

    assert row(4, 2, 1, 3) | {"validation_accuracy": 0.75} == counted
    # Which labels are disputed is known of MNIST's.
    assert {name: value for name, value in counted.items() if name != "beside_disputed"} == of_others
    assert ("mnist", "mine") == seeds.dataset_and_recipe(group)


def test_a_recipe_on_another_dataset_is_told_from_that_on_mnist() -> None:
    elsewhere = ("dataset=clothes", "recipe=mine")

    assert ("clothes", "mine") == seeds.dataset_and_recipe(Group(elsewhere, "c", False, [], []))
    named = ("dataset=mnist", "recipe=mine")
    assert ("mnist", "mine") == seeds.dataset_and_recipe(Group(named, "c", False, [], []))


def test_a_group_that_is_no_recipe_is_refused() -> None:
    with pytest.raises(DigitsError, match="recipe=mine, width=3: expected a recipe, perhaps a"):
        seeds.dataset_and_recipe(Group(("recipe=mine", "width=3"), "c", False, [], []))
