"""Put the runs of a sweep over recipes and seeds into docs/seeds.json, and their tables into pages of docs/.

Usage: python -m benchmarks.seeds [--name NAME], after, on this machine,

    digits sweep --name recipes -S 'train.seed=range(10)' -S recipe=article,fast,accurate

MNIST's table is in docs/recipes.md, that of all datasets in docs/datasets.md. The recipes of the sweep
replace those in docs/seeds.json, which has them by dataset; others stay. The answers to the test images
come out of DVC's cache. Of several states of the code, the one that was run last counts.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from benchmarks.report import write_between
from digits.errors import DigitsError, run
from digits.files import read_table, write_text
from digits.sweep.grid import key_of, value_of
from digits.sweep.groups import Group, group_rows, mean_and_deviation
from digits.sweep.rows import read_rows, rows_path
from digits.verification.pipeline import cached

RESULTS, PAGE, DATASETS = Path("docs/seeds.json"), Path("docs/recipes.md"), Path("docs/datasets.md")

# Test labels that most raters hold to be wrong: Northcutt, Athalye and Mueller (2021), "Pervasive label
# errors in test sets destabilize machine learning benchmarks".
DISPUTED = {947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729}

Row = dict[str, Any]

# By dataset and recipe: a hash of the inputs, and a row for each seed.
Results = dict[str, dict[str, dict[str, Any]]]


def recipe_rows(group: Group, dataset: str, root: Path) -> list[Row]:
    """Return what each seed of a group did on the test and the validation images of a dataset.

    Raises:
        DigitsError: the cache lacks the answers of a run.
    """
    rows = []
    for row in group.rows:
        answers, history = (
            cached(root, row.outputs[f"data/{name}.csv"]) for name in ("predictions", "history")
        )
        table = read_table(answers, ("index", "actual", "predicted"))
        named = zip(table["index"], table["actual"], table["predicted"], strict=True)
        wrong = {int(place) for place, actual, predicted in named if actual != predicted}
        seeds = {key_of(text): int(value_of(text)) for text in row.seeds}
        counted = {
            "seed": seeds["train.seed"],
            "test_images": len(table["index"]),
            "test_errors": len(wrong),
            "validation_accuracy": read_table(history, ("val_accuracy",))["val_accuracy"][-1],
        }
        rows.append(counted | ({"beside_disputed": len(wrong - DISPUTED)} if dataset == "mnist" else {}))
    return rows


def dataset_and_recipe(group: Group) -> tuple[str, str]:
    """Return the dataset and the recipe of a group of runs that differ in nothing else.

    Raises:
        DigitsError: they differ in more.
    """
    values = {key_of(text): value_of(text) for text in group.overrides}
    dataset = values.pop("dataset", "mnist")
    if [*values] != ["recipe"]:
        overrides = ", ".join(group.overrides) or "no override"
        raise DigitsError(f"{overrides}: expected a recipe, perhaps a dataset, and nothing else")
    return dataset, values["recipe"]


def read_results() -> Results:
    """Return what has been measured."""
    results: Results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    return results


def write_results(results: Results) -> None:
    """Write a line per seed."""
    datasets = []
    for dataset, recipes in sorted(results.items()):
        parts = []
        for recipe, result in sorted(recipes.items()):
            rows = ",\n".join(f"    {json.dumps(row)}" for row in result["rows"])
            inputs = f'   "inputs": "{result["inputs"]}",\n   "rows": [\n{rows}\n   ]'
            parts.append(f'  "{recipe}": {{\n{inputs}\n  }}')
        datasets.append(f' "{dataset}": {{\n' + ",\n".join(parts) + "\n }")
    write_text(RESULTS, "{\n" + ",\n".join(datasets) + "\n}\n")


def accuracy(result: dict[str, Any]) -> str:
    """Return the mean and the standard deviation of the test accuracy over the seeds of a recipe."""
    mean, deviation = mean_and_deviation(
        [1 - row["test_errors"] / row["test_images"] for row in result["rows"]]
    )
    return f"{mean:.3%} ± {deviation:.3%}"


def mnist_table(results: Results) -> str:
    """Return a table in Markdown: a row per recipe, of what its seeds did on MNIST's test images."""
    lines = [
        "| recipe | seeds | test accuracy, mean ± standard deviation | errors of each seed "
        "| errors beside the fifteen disputed labels, mean |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, result in sorted(results["mnist"].items()):
        errors = [row["test_errors"] for row in result["rows"]]
        beside = [row["beside_disputed"] for row in result["rows"]]
        lines.append(
            f"| `{name}` | {len(errors)} | {accuracy(result)} | {', '.join(map(str, errors))} "
            f"| {math.fsum(beside) / len(beside):.1f} |"
        )
    return "\n".join(lines)


def datasets_table(results: Results) -> str:
    """Return a table in Markdown: a row per dataset and recipe."""
    lines = [
        "| dataset | recipe | seeds | test accuracy, mean ± standard deviation |",
        "| --- | --- | --- | --- |",
    ]
    for dataset, recipes in sorted(results.items()):
        for recipe, result in sorted(recipes.items()):
            lines.append(f"| `{dataset}` | `{recipe}` | {len(result['rows'])} | {accuracy(result)} |")
    return "\n".join(lines)


def main() -> None:
    """Write the values and the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds")
    parser.add_argument("--name", default="recipes", help="of the sweep")
    arguments = parser.parse_args()
    root = Path.cwd()
    results = read_results()
    rows = read_rows(rows_path(root, arguments.name))
    for group in group_rows(row for row in rows if row.inputs == rows[-1].inputs):
        dataset, recipe = dataset_and_recipe(group)
        result = {"inputs": group.rows[0].inputs, "rows": recipe_rows(group, dataset, root)}
        results.setdefault(dataset, {})[recipe] = result
    write_results(results)
    write_between(PAGE, "seeds", mnist_table(results))
    write_between(DATASETS, "datasets", datasets_table(results))
    print(datasets_table(results))


if __name__ == "__main__":
    run(main)
