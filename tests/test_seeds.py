"""The table of seeds says what each seed did, and results belong to the inputs that gave them."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import seeds
from digits.params import Params
from tests.pipeline import REPOSITORY


def row(seed: int, errors: int, beside: int) -> dict[str, Any]:
    return {"seed": seed, "test_errors": errors, "beside_disputed": beside}


def test_the_table_has_mean_deviation_and_every_value() -> None:
    results = {"mine": {"inputs": "key", "rows": [row(0, 30, 20), row(1, 40, 28), row(2, 50, 30)]}}
    line = seeds.table(results).splitlines()[-1]

    assert "| `mine` | 3 | 99.600% ± 0.100% | 30, 40, 50 | 26.0 |" == line


def test_a_single_seed_has_no_deviation() -> None:
    assert (0.5, 0.0) == seeds.mean_and_deviation([0.5])


def test_a_line_of_the_file_is_a_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = {name: {"inputs": "key", "rows": [row(0, 30, 20), row(1, 40, 28)]} for name in ("one", "two")}
    monkeypatch.setattr(seeds, "RESULTS", tmp_path / "seeds.json")
    seeds.write_results(results)
    text = (tmp_path / "seeds.json").read_text(encoding="utf-8")

    assert results == json.loads(text) == seeds.read_results()
    assert 4 == sum('"seed"' in line for line in text.splitlines())


def test_results_belong_to_the_recipe_that_gave_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    params = Params()
    key = seeds.inputs_key("fast", params)
    params.values["train"]["seed"] += 1
    same = seeds.inputs_key("fast", params)
    params.values["recipes"]["fast"]["epochs"] += 1

    assert key == same != seeds.inputs_key("fast", params)
    assert key != seeds.inputs_key("accurate", params)
