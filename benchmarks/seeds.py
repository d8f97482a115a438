"""Train and evaluate a recipe with several seeds, since one run says little: a seed moves 5 to 10 errors.

Usage: python -m benchmarks.seeds RECIPE --seeds N [--write]

It needs `data/prepared` (`dvc repro prepare`). The stage `train` runs as it is, each seed in a temporary
folder. Each result stands in docs/seeds.json as soon as it is there, and is not measured again while recipe,
code and versions stay the same. `--write` puts the table into docs/recipes.md.
"""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from benchmarks.borrowed import borrowed_folder, with_recipe
from benchmarks.children import run_child
from benchmarks.contestants import wrong_answers
from benchmarks.report import write_between
from digits.environment import locked_versions
from digits.errors import DigitsError, run
from digits.files import fingerprint, read_table, write_text
from digits.params import Params
from digits.training.imports import import_closure

RESULTS, PAGE = Path("docs/seeds.json"), Path("docs/recipes.md")

# Test labels that most raters hold to be wrong: Northcutt, Athalye and Mueller (2021), "Pervasive label
# errors in test sets destabilize machine learning benchmarks".
DISPUTED = {947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729}

Row = dict[str, Any]


def inputs_key(recipe: str, params: Params) -> str:
    """Identify what the results of `recipe` depend on, but for the seed."""
    code = import_closure(Path("stages/train.py"))
    numbers = {name: params.values[name] for name in ("dataset", "prepare", "runtime")}
    key = fingerprint(map(Path, code), params.values["recipes"][recipe], numbers, locked_versions())
    return key[:16]


def measure(recipe: str, seed: int, params: Params) -> Row:
    """Train by `recipe` with `seed`, in a folder that borrows this one's code and data, and count errors."""
    with borrowed_folder(with_recipe(params.values, recipe, {}, seed)) as folder:
        child = run_child([sys.executable, "-m", "stages.train"], folder)
        history = read_table(folder / "data/history.csv", ("val_accuracy", "val_loss"))
        wrong = set(wrong_answers(folder))
    return {
        "seed": seed,
        "test_errors": len(wrong),
        "beside_disputed": len(wrong - DISPUTED),
        "validation_accuracy": history["val_accuracy"][-1],
        "cpu_seconds": round(child.cpu_seconds, 1),
    }


def read_results() -> dict[str, dict[str, Any]]:
    """Give what has been measured: by recipe, the key of its inputs and a row per seed."""
    results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    return results


def write_results(results: dict[str, dict[str, Any]]) -> None:
    """Write a line per seed."""
    recipes = []
    for name, result in sorted(results.items()):
        rows = ",\n".join(f"   {json.dumps(row)}" for row in result["rows"])
        recipes.append(f' "{name}": {{\n  "inputs": "{result["inputs"]}",\n  "rows": [\n{rows}\n  ]\n }}')
    write_text(RESULTS, "{\n" + ",\n".join(recipes) + "\n}\n")


def table(results: dict[str, dict[str, Any]]) -> str:
    """Give a table in Markdown: a row per recipe, of what its seeds did on the 10,000 test images."""
    lines = [
        "| recipe | seeds | test accuracy, mean ± standard deviation | errors of each seed "
        "| errors beside the fifteen disputed labels, mean |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, result in sorted(results.items()):
        errors = [row["test_errors"] for row in result["rows"]]
        beside = [row["beside_disputed"] for row in result["rows"]]
        mean, deviation = mean_and_deviation([1 - count / 10_000 for count in errors])
        lines.append(
            f"| `{name}` | {len(errors)} | {mean:.3%} ± {deviation:.3%} | {', '.join(map(str, errors))} "
            f"| {math.fsum(beside) / len(beside):.1f} |"
        )
    return "\n".join(lines)


def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    """Give the mean and the standard deviation of a sample (0 for a single value)."""
    mean = math.fsum(values) / len(values)
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / max(1, len(values) - 1))


def main() -> None:
    """Measure the seeds that are missing, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds")
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, required=True, metavar="N", help="measure the seeds 0 to N - 1")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE}")
    arguments = parser.parse_args()
    params = Params()
    recipe = arguments.recipe
    if recipe not in params.names("recipes"):
        raise DigitsError(f"{recipe!r} is no recipe; allowed: {', '.join(params.names('recipes'))}")
    key = inputs_key(recipe, params)
    results = read_results()
    if results.get(recipe, {}).get("inputs") != key:
        results[recipe] = {"inputs": key, "rows": []}
    done = {row["seed"] for row in results[recipe]["rows"]}
    for seed in sorted({*range(arguments.seeds)} - done):
        row = measure(recipe, seed, params)
        results = read_results() | {recipe: results[recipe]}
        results[recipe]["rows"].append(row)
        write_results(results)
        print(json.dumps(row), flush=True)
    print(table(results))
    if arguments.write:
        write_between(PAGE, "seeds", table(results))


if __name__ == "__main__":
    run(main)
