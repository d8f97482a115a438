"""The whole pipeline, run by `dvc` commands as a user types them, on a small dataset."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline import STAGES, Project


def stages_run(output: str) -> list[str]:
    return re.findall(r"Running stage '(\w+)'", output)


@pytest.fixture(scope="session")
def one_epoch(once: Callable[[str, Callable[[Path], object]], Path], finished: Project) -> Project:
    """Return the finished project after `epochs` was changed to 1 and the pipeline ran again."""

    def build(folder: Path) -> None:
        project = finished.copy(folder / "project")
        project.set_param("recipes.article.epochs", 1)
        (folder / "run.txt").write_text(project.dvc("repro"), encoding="utf-8")

    return Project(once("one-epoch", build) / "project", finished.home)


def test_the_first_run_runs_every_stage(finished: Project) -> None:
    output = (finished.folder.parent / "first-run.txt").read_text(encoding="utf-8")

    assert list(STAGES) == stages_run(output)
    assert all(finished.contents().values())
    assert [] == finished.leftovers()


def test_the_second_run_has_nothing_to_do(finished: Project) -> None:
    output = finished.dvc("repro")

    assert [] == stages_run(output)
    assert "Data and pipelines are up to date." in output
    assert "" == finished.git("status", "--porcelain")


def test_the_settings_of_evaluation_rerun_only_what_evaluates(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")
    project.set_param("evaluate.calibration_bins", 3)

    assert ["evaluate", "plot", "card"] == stages_run(project.dvc("repro"))


def test_the_recipes_epochs_rerun_training_and_what_follows(one_epoch: Project) -> None:
    output = (one_epoch.folder.parent / "run.txt").read_text(encoding="utf-8")

    assert ["train", "calibrate", "export", "evaluate", "plot", "card"] == stages_run(output)
    assert 1 == output.count("  val_loss ")


def test_the_effect_of_a_changed_number_shows_in_the_metrics(one_epoch: Project, finished: Project) -> None:
    before, after = (
        json.loads((project.folder / "reports/metrics.json").read_bytes())["accuracy"]
        for project in (finished, one_epoch)
    )
    changes = json.loads(one_epoch.dvc("metrics", "diff", "--json"))["reports/metrics.json"]

    assert {"old": before, "new": after, "diff": after - before} == changes["accuracy"]
    assert before > after


def test_going_back_to_old_numbers_takes_the_old_model_from_the_cache(
    one_epoch: Project, finished: Project, tmp_path: Path
) -> None:
    project = one_epoch.copy(tmp_path / "project")
    project.git("checkout", "params.yaml")
    output = project.dvc("repro", "train")

    assert "Stage 'train' is cached - skipping run" in output
    assert [] == stages_run(output)
    assert finished.contents("train") == project.contents("train")


def test_an_experiment_can_change_a_number(one_epoch: Project, finished: Project, tmp_path: Path) -> None:
    project = one_epoch.copy(tmp_path / "project")
    project.git("checkout", ".")
    project.dvc("checkout")
    project.dvc("exp", "run", "-S", "recipes.article.epochs=1", "train")

    assert 1 == project.params()["recipes"]["article"]["epochs"]
    assert one_epoch.contents("train") == project.contents("train")


def test_an_experiment_with_another_recipe_is_compared_within_100_columns(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project")
    output = project.dvc("exp", "run", "-S", "recipe=short")
    metrics = json.loads((project.folder / "reports/metrics.json").read_bytes())
    window = {"COLUMNS": "100"}
    differences = project.run("dvc", "metrics", "diff", variables=window).stdout.splitlines()
    table = project.run(
        "dvc", "exp", "show", "--only-changed", "--no-pager", variables=window
    ).stdout.splitlines()
    _, header, _, workspace, *_ = (re.split(r"\s{2,}", line.strip()) for line in table)
    shown = {name: cell for name, cell in zip(header, workspace, strict=True) if name != "…"}

    assert ["train", "calibrate", "export", "evaluate", "plot", "card"] == stages_run(output)
    assert 1 + 15 >= len(differences) > 1
    assert 100 >= max(len(line) for line in [*differences, *table])
    assert {
        "Experiment": "workspace",
        "Created": "-",
        "accuracy": f"{metrics['accuracy']:.5g}",
        "errors": f"{metrics['errors']}",
        "loss": f"{metrics['loss']:.5g}",
        "recipe": "short",
    } == shown


def test_another_version_of_a_library_makes_its_stages_stale(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")
    file = project.folder / "environment.yaml"
    file.write_text(re.sub('"(.*)"', r'"\1.1"', file.read_text("utf-8")), encoding="utf-8")
    status: dict[str, Any] = json.loads(project.dvc("status", "--json"))

    stale_by_library: dict[str, set[str]] = {}
    for stage, [changes] in status.items():
        assert ["changed deps"] == list(changes)
        for library in changes["changed deps"].pop("environment.yaml"):
            stale_by_library.setdefault(library, set()).add(stage)
        assert {"changed deps": {}} == changes
    assert {"calibrate", "evaluate", "ink", "plot", "read"} == stale_by_library["matplotlib"]
    assert {"evaluate", "plot"} == stale_by_library["scikit-learn"]
    assert {"train", "ink", "read", "calibrate", "export", "evaluate"} == stale_by_library["tensorflow"]
    assert {"export", "evaluate"} == stale_by_library["ai-edge-litert"]
    assert set(STAGES) == stale_by_library["numpy"]


def test_a_recipe_that_is_not_chosen_is_no_input(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")
    project.set_param("recipes.short.epochs", 2)

    assert {} == json.loads(project.dvc("status", "--json"))


def with_values(section: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in section.items() if value is not None}


def test_dvc_shows_metrics_plots_and_the_graph(one_epoch: Project) -> None:
    shown = json.loads(one_epoch.dvc("metrics", "show", "--json"))
    graph = one_epoch.dvc("dag", "--dot")

    # DVC leaves out what has no value: the accuracy of the accepted answers where none is accepted.
    metrics = json.loads((one_epoch.folder / "reports/metrics.json").read_bytes(), object_hook=with_values)
    assert metrics == shown[""]["data"]["reports/metrics.json"]["data"]
    chain = [stage for stage in STAGES if stage not in ("ink", "read", "card")]
    beside = [("prepare", "ink"), ("ink", "read"), ("read", "calibrate"), ("evaluate", "card")]
    for upstream, downstream in [*itertools.pairwise(chain), *beside]:
        assert f'"{upstream}" -> "{downstream}"' in graph


@pytest.mark.parametrize("command", ["show", "diff"])
def test_dvc_draws_every_plot(one_epoch: Project, tmp_path: Path, command: str) -> None:
    one_epoch.dvc("plots", command, "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")

    titles = ("Accuracy by epoch", "Loss by epoch", "Confusion matrix", "F1 score by class")
    assert all(title in page for title in titles)
    pictures = {path.name.rpartition("_")[2] for path in (tmp_path / "static").iterdir()}
    assert {"confusion.png", "mistakes.png", "reliability.png", "training.png"} == pictures
