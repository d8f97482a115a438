"""What the benchmarks read, count and write; how fast anything is, no test says."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import recipes
from benchmarks.borrowed import with_recipe
from benchmarks.children import Child, run_child
from benchmarks.contestants import Epoch, Result, contestants, epochs_of
from benchmarks.limit import arithmetic
from benchmarks.report import write_between
from digits.errors import DigitsError
from tests.pipeline import REPOSITORY

RUN = Result(
    seconds=20.0,
    peak_memory=750_000_000,
    epochs=[Epoch(8.0, 6.0, 0.975), Epoch(12.0, 4.0, 0.985), Epoch(18.0, 6.0, 0.99)],
    test_accuracy=0.9925,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "epoch  2/20  accuracy 0.96  val_loss 0.06  val_accuracy 0.9812  learning_rate 0.001  19 s",
            19,
        ),
        ("epoch 2  val_accuracy 0.9812  19.4 s", 19.4),
    ],
)
def test_an_epoch_is_read_from_what_a_training_says(line: str, expected: float) -> None:
    child = Child([(1.0, "loading"), (25.5, line)], seconds=30, cpu_seconds=60, peak_memory=1)

    assert [Epoch(25.5, expected, 0.9812)] == epochs_of(child)


def test_a_process_is_timed_until_it_says_that_the_model_is_saved(tmp_path: Path) -> None:
    code = "import time; print('saved', flush=True); time.sleep(0.3); print('measured')"
    child = run_child([sys.executable, "-c", code], tmp_path)
    (saved, _), (measured, _) = child.lines

    assert saved == child.seconds < measured
    assert child.peak_memory > 1_000_000


def test_a_process_that_fails_is_named_with_its_status(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match=r"ended with status 3"):
        run_child([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)


def test_the_rate_is_that_of_the_median_epoch_after_the_first() -> None:
    assert 48_000 / 5 == recipes.images_per_second(RUN.epochs)
    assert 48_000 / 6 == recipes.images_per_second(RUN.epochs[:1])


def test_an_accuracy_is_reached_with_the_first_epoch_that_has_it() -> None:
    assert [12.0, 18.0, None] == [
        recipes.seconds_to(accuracy, RUN.epochs) for accuracy in (0.98, 0.99, 0.994)
    ]


def test_the_table_gives_medians_and_ratios_to_the_plain_script() -> None:
    slower = Result(80.0, RUN.peak_memory, RUN.epochs, 0.9935)
    limit = {"gflops": 960.0, "operations": {"article": 10_000_000, "fast": 5_000_000}}
    results = {"keras": [slower], "fast": [RUN, Result(30.0, 850_000_000, RUN.epochs, 0.9935)]}
    *_, keras, fast = recipes.table(results, limit).splitlines()

    assert "| keras | 80.0 s | 1/1.0 | 9,600 | 10% | 12 s | 18 s | - | 3 | 99.35% | 0.75 GB |" == keras
    assert "| fast | 25.0 s | 1/3.2 | 9,600 | 5% | 12 s | 18 s | - | 3 | 99.30% | 0.80 GB |" == fast


def test_the_arithmetic_of_a_step_is_three_passes_but_for_the_gradient_of_the_images() -> None:
    convolution = SimpleNamespace(kernel=np.zeros((3, 3, 1, 2)), output=np.zeros((1, 4, 4, 2)))
    dense = SimpleNamespace(kernel=np.zeros((32, 10)), output=np.zeros((1, 10)))
    forward = (2 * 16 * 18, 2 * 320)

    assert 3 * sum(forward) - forward[0] == arithmetic([convolution, SimpleNamespace(), dense])


def test_a_table_stands_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- mine -->\nold\n<!-- end of mine -->\nafter\n", encoding="utf-8")
    write_between(page, "mine", "new")

    assert "before\n<!-- mine -->\nnew\n<!-- end of mine -->\nafter\n" == page.read_text(encoding="utf-8")


def test_a_page_without_the_marks_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("before\n<!-- mine -->\n", encoding="utf-8")

    with pytest.raises(DigitsError, match=r"page\.md: the marks .* are missing"):
        write_between(tmp_path / "page.md", "mine", "new")


def test_the_chosen_recipe_is_changed_and_the_others_are_not() -> None:
    values = {"recipe": "a", "recipes": {"a": {"epochs": 9}, "b": {"epochs": 9}}, "train": {"seed": 0}}

    assert {
        "recipe": "b",
        "recipes": {"a": {"epochs": 9}, "b": {"epochs": 2}},
        "train": {"seed": 3},
    } == with_recipe(values, "b", {"epochs": 2}, seed=3)


VALUES = {
    "recipes": {"article": {"epochs": 20}, "fast": {"epochs": 3}},
    "runtime": {"threads": 2, "instructions": "AVX2"},
}


def test_who_cannot_run_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> None:
        raise DigitsError("this CPU lacks it")

    monkeypatch.setattr("benchmarks.contestants.check_cpu", lacking)
    able, unable = contestants(VALUES, Path("raw.npz"), peers=None)

    assert ["keras", "article", "fast"] == list(able)
    assert ["accurate", "tiny", "article-avx512", "fast-avx512", "pytorch", "keras-jax"] == list(unable)
    assert "params.yaml has no such recipe" == unable["accurate"]
    assert "this CPU lacks it" == unable["fast-avx512"]
    assert all("make bench-setup" in unable[name] for name in ("pytorch", "keras-jax"))


def test_where_the_cpu_has_avx512_the_recipes_run_with_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.contestants.check_cpu", lambda *_: None)
    able, _ = contestants(VALUES, Path("raw.npz"), peers=None)

    assert ["keras", "article", "fast", "article-avx512", "fast-avx512"] == list(able)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["kers"], "recipes: 'kers' is no contestant (did you mean 'keras'?)"),
        (["pytorch"], "recipes: pytorch: needs --peers PYTHON"),
        (["--runs", "0"], "recipes: --runs: 0 is not allowed; expected 1 or more"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "benchmarks.recipes", *arguments]
    finished = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert 1 == finished.returncode
    assert finished.stderr.startswith(message)
    assert 1 == len(finished.stderr.splitlines())


def test_the_pages_have_the_marks_that_the_benchmarks_write_between() -> None:
    pages = {
        page.name: page.read_text(encoding="utf-8")
        for page in [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    }

    assert all(f"<!-- {name} -->" in pages["benchmarks.md"] for name in ("recipes", "pipeline"))
    assert "<!-- seeds -->" in pages["recipes.md"]
    assert "<!-- recipes -->" in pages["README.md"]


def test_the_committed_values_are_those_of_the_committed_table() -> None:
    values = json.loads((REPOSITORY / "docs/benchmarks.json").read_text(encoding="utf-8"))
    results = {
        name: [Result(**run | {"epochs": [Epoch(**epoch) for epoch in run["epochs"]]}) for run in runs]
        for name, runs in values["results"].items()
    }
    page = (REPOSITORY / "docs/benchmarks.md").read_text(encoding="utf-8")

    # JSON sorts the names; the table has them in the order in which they ran.
    assert set(recipes.table(results, values["limit"]).splitlines()) <= set(page.splitlines())


def test_the_numbers_of_the_readme_are_those_of_the_page() -> None:
    shown = (REPOSITORY / "README.md").read_text(encoding="utf-8").split("<!-- recipes -->")[1]
    page = (REPOSITORY / "docs/benchmarks.md").read_text(encoding="utf-8")
    message, *rows = shown.split("<!-- end of recipes -->")[0].strip().splitlines()
    cells = [row.strip("| ").split(" | ") for row in rows if row.endswith(" GB |")]

    assert message in page
    assert "commit" in message
    assert {"plain Keras", "article", "fast", "accurate"} <= {name for name, *_ in cells}
    assert all(f"| {seconds} |" in page and f"| {accuracy} |" in page for _, seconds, accuracy, _ in cells)
