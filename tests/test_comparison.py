"""Whether the metrics of a rerun are within noise of the locked ones."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from digits.errors import DigitsError
from digits.verification.comparison import Metric, compare_metrics, judge, read_seed_errors
from tests.pipeline import REPOSITORY

LOCKED = {"accuracy": 0.9, "errors": 10, "loss": 0.5, "marks": {"good": True, "name": "x"}, "bins": [1, 2]}


def compare(locked: dict[str, Any], rerun: dict[str, Any], seed_errors: tuple[int, ...] = ()) -> list[Metric]:
    return compare_metrics("metrics.json", locked, rerun, list(seed_errors))


def test_numbers_and_booleans_that_differ_are_listed_with_their_full_keys() -> None:
    rerun = LOCKED | {"loss": 0.25, "marks": {"good": False, "name": "y", "new": 1}, "bins": [3]}
    metrics = compare(LOCKED, rerun)

    assert [("loss", 0.5, 0.25), ("marks.good", True, False), ("marks.new", "(none)", 1)] == [
        (metric.name, metric.locked, metric.rerun) for metric in metrics if metric.name != "accuracy"
    ]


@pytest.mark.parametrize(
    ("seed_errors", "allowed", "allowed_from"),
    [
        ((), 0.09, "3 binomial standard errors of 100 images"),  # sqrt(0.9 * 0.1 / 100) is 0.03
        ((10,), 0.09, "3 binomial standard errors of 100 images"),
        ((8, 12), 0.084853, "3 standard deviations of 2 seeds in docs/seeds.json"),  # 3 * sqrt(8) / 100
    ],
)
def test_two_seeds_or_else_the_number_of_images_limit_the_accuracy(
    seed_errors: tuple[int, ...], allowed: float, allowed_from: str
) -> None:
    [accuracy] = compare(LOCKED, LOCKED, seed_errors)

    assert "accuracy" == accuracy.name
    assert pytest.approx(allowed, abs=1e-6) == accuracy.allowed
    assert allowed_from == accuracy.allowed_from


@pytest.mark.parametrize(
    ("rerun", "verdict"), [(0.82, "equivalent"), (0.98, "equivalent"), (0.8, "different"), (1.0, "different")]
)
def test_an_accuracy_further_off_than_noise_in_either_direction_is_different(
    rerun: float, verdict: str
) -> None:
    assert verdict == judge(compare(LOCKED, LOCKED | {"accuracy": rerun})).verdict


@pytest.mark.parametrize(
    ("locked", "rerun"),
    [
        ({}, {}),
        ({"loss": 0.5}, {"loss": 0.5}),
        ({"accuracy": 0.9}, {"accuracy": 0.9}),
        ({"accuracy": 0.9, "errors": 10}, {"errors": 10}),
        ({"accuracy": 0.9, "errors": 0}, {"accuracy": 0.9, "errors": 0}),
        ({"accuracy": 90.0, "errors": 10}, {"accuracy": 90.0, "errors": 10}),
        ({"accuracy": "0.9", "errors": 10}, {"accuracy": "0.9", "errors": 10}),
    ],
)
def test_without_an_accuracy_and_its_errors_there_is_no_metric_to_judge_by(
    locked: dict[str, Any], rerun: dict[str, Any]
) -> None:
    judgement = judge(compare(locked, rerun))

    assert ("different", "other bytes, no metric to judge by") == (judgement.verdict, judgement.reason)


@pytest.mark.parametrize(("rerun", "verdict"), [(1.0, "equivalent"), (0.99, "different")])
def test_without_a_locked_error_only_the_same_accuracy_is_equivalent(rerun: float, verdict: str) -> None:
    perfect = {"accuracy": 1.0, "errors": 0}

    assert verdict == judge(compare(perfect, {"accuracy": rerun, "errors": 1}, (0, 1))).verdict


@pytest.mark.parametrize(
    ("dataset", "recipe"),
    [
        ("mnist", "accurate"),
        ("mnist", "fast"),
        ("fashion-mnist", "fast"),
        ("mnist", "none"),
        ("none", "fast"),
    ],
)
def test_the_committed_seeds_of_a_recipe_are_read(tmp_path: Path, dataset: str, recipe: str) -> None:
    (tmp_path / "docs").mkdir()
    shutil.copy(REPOSITORY / "docs/seeds.json", tmp_path / "docs")
    text = f"dataset: {dataset}\nrecipe: {recipe}\n"
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")

    seeds = json.loads((REPOSITORY / "docs/seeds.json").read_text(encoding="utf-8"))
    expected = [row["test_errors"] for row in seeds.get(dataset, {}).get(recipe, {"rows": []})["rows"]]
    assert expected == read_seed_errors(tmp_path)
    assert ("none" not in (dataset, recipe)) == (len(expected) > 1)


def test_without_a_file_there_are_no_seeds(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("recipe: fast\n", encoding="utf-8")

    assert [] == read_seed_errors(tmp_path)


@pytest.mark.parametrize(
    "text", ["{", "3", '{"mine": 3}', '{"mine": {"fast": {}}}', '{"mine": {"fast": {"rows": [{"seed": 1}]}}}']
)
def test_a_damaged_file_of_seeds_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/seeds.json").write_text(text, encoding="utf-8")
    (tmp_path / "params.yaml").write_text("dataset: mine\nrecipe: fast\n", encoding="utf-8")

    with pytest.raises(DigitsError, match=r"^docs/seeds\.json: not a table of seeds \("):
        read_seed_errors(tmp_path)
