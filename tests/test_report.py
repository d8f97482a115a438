"""The command `digits report`: what a checkout changed against another commit."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.pipeline import Project

WORSE, STALE = 3, 5


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """Return the finished project on a branch of its own; what it was is the branch main."""
    project = finished.copy(tmp_path / "project")
    project.git("branch", "--move", "main")
    project.git("checkout", "--quiet", "-b", "change")
    return project


def change_results(project: Project, wrong: int) -> None:
    """Commit another dropout, and results in which the first `wrong` test images are named wrongly."""
    project.set_param("recipes.article.dropout.dense", 0.25)
    path = project.folder / "data/predictions.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    place = header.split(",").index("predicted")
    for number in range(wrong):
        cells = rows[number].split(",")
        cells[place] = str((int(cells[place]) + 1) % 10)
        rows[number] = ",".join(cells)
    replace(path, "\n".join([header, *rows, ""]))
    path = project.folder / "reports/metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics |= {"accuracy": round(1 - wrong / len(rows), 6), "errors": wrong}
    replace(path, json.dumps(metrics))
    project.dvc("commit", "--force", "train", "evaluate", "plot", "card")
    project.commit("Drop fewer units")


def replace(path: Path, text: str) -> None:
    """Write a new file: the old one may be linked to DVC's cache."""
    path.unlink()
    path.write_text(text, encoding="utf-8")


def report(project: Project, *arguments: str, status: int = 0) -> str:
    """Run the command, and return what it wrote."""
    answer = project.run("digits", "report", *arguments)
    assert status == answer.returncode, answer.stdout + answer.stderr
    return (project.folder / "report/report.md").read_text(encoding="utf-8")


def test_a_checkout_without_a_change_has_a_report_that_says_so(project: Project) -> None:
    text = report(project)

    assert "dvc.lock matches this checkout" in text
    assert "Nothing that a stage reads or writes." in text
    assert "None moved." in text
    assert not (project.folder / "report/mistakes.png").exists()


def test_a_change_is_reported_with_its_numbers_metrics_and_mistakes(project: Project) -> None:
    before = json.loads((project.folder / "reports/metrics.json").read_bytes())
    change_results(project, wrong=6)

    text = report(project, status=WORSE)

    assert "dvc.lock matches this checkout" in text
    assert "| `recipe.dropout.dense` (params.yaml) | 0.5 | 0.25 |" in text
    assert "Outputs with other bytes:\n\n`data/predictions.csv`, `reports/metrics.json`" in text
    assert "**worse**: this checkout compared with main" in text
    assert f"| accuracy | {before['accuracy']:.3%} | 90.000% | " in text
    assert "the answers to 60 images, 0 gained and 6 lost (McNemar)" in text
    assert "| loss | " in text
    assert f"| `errors` | {before['errors']} | 6 | +{6 - before['errors']} |" in text
    assert "6 new, 0 mended." in text


def test_mistakes_are_mended_in_the_other_direction(project: Project) -> None:
    change_results(project, wrong=6)
    project.git("branch", "worse")
    project.git("checkout", "--quiet", "main")
    project.dvc("checkout", "--quiet")

    text = report(project, "worse")

    assert "**better**: this checkout compared with worse" in text
    assert "0 new, 6 mended." in text


def test_the_pictures_show_both_results_and_the_changed_mistakes(project: Project) -> None:
    change_results(project, wrong=6)

    text = report(project, "--images", "https://host/12/", status=WORSE)
    sizes = {name: size_and_darkest(project, name) for name in ("report/results", "report/mistakes")}
    (alone, _) = size_and_darkest(project, "reports/training")

    assert ["https://host/12/results.png", "https://host/12/mistakes.png"] == re.findall(
        r"!\[.*\]\((.*)\)", text
    )
    assert 2 * alone == sizes["report/results"][0]
    assert sizes["report/mistakes"][1] < 100


def size_and_darkest(project: Project, name: str) -> tuple[int, int]:
    """Return the width of a picture, and its darkest grey."""
    with Image.open(project.folder / f"{name}.png") as image:
        return image.width, image.convert("L").getextrema()[0]


EDITS: dict[str, tuple[Callable[[Project], object], str]] = {
    "code": (lambda project: edit(project, "stages/plot.py"), "Code:\n\n`stages/plot.py`"),
    "a module of a folder": (
        lambda project: edit(project, "digits/figures/mistakes.py"),
        "Code:\n\n`digits/figures/mistakes.py`",
    ),
    "a version": (
        lambda project: replace(
            project.folder / "environment.yaml",
            (project.folder / "environment.yaml").read_text().replace('matplotlib: "', 'matplotlib: "1'),
        ),
        "| `matplotlib` (environment.yaml) |",
    ),
}


def edit(project: Project, path: str) -> None:
    with (project.folder / path).open("a", encoding="utf-8") as file:
        file.write("# Another line.\n")


@pytest.mark.parametrize("kind", EDITS)
def test_changed_code_and_versions_are_named(project: Project, kind: str) -> None:
    change, expected = EDITS[kind]
    change(project)
    project.dvc("commit", "--force", "ink", "read", "calibrate", "evaluate", "plot")
    project.commit("Change it")

    text = report(project)

    assert expected in text


def test_a_stale_lock_is_named_and_has_a_status_of_its_own(project: Project) -> None:
    edit(project, "stages/plot.py")

    text = report(project, status=STALE)

    assert "**`digits verify`: dvc.lock is stale**\n\n- plot: stages/plot.py changed" in text


def test_what_cannot_be_had_is_left_out_and_named(project: Project, tmp_path: Path) -> None:
    change_results(project, wrong=1)
    (project.folder / ".dvc/cache").rename(tmp_path / "away")

    text = report(project)

    assert "the numbers of errors alone" in text
    assert "Left out: data/predictions.csv of main: neither here nor in DVC's cache, nor on a remote" in text
    assert "### Mistakes" not in text


def test_what_cannot_be_compared_is_said_and_is_a_failure(project: Project, tmp_path: Path) -> None:
    change_results(project, wrong=1)
    path = project.folder / "reports/metrics.json"
    # Without an error the metrics do not say how many images were tested.
    replace(path, json.dumps(json.loads(path.read_bytes()) | {"accuracy": 1.0, "errors": 0}))
    project.dvc("commit", "--force", "evaluate", "plot", "card")
    project.commit("Count no error")
    (project.folder / ".dvc/cache").rename(tmp_path / "away")

    text = report(project, status=1)

    assert "**Not compared:** this checkout: " in text


def test_what_only_the_remote_has_comes_from_there(project: Project, tmp_path: Path) -> None:
    project.dvc("remote", "add", "--default", "storage", str(tmp_path / "store"))
    project.dvc("push")
    change_results(project, wrong=1)
    project.dvc("push")
    project.git("clone", "--quiet", str(project.folder), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", project.home)

    text = report(clone, "origin/main")

    assert "the answers to 60 images, 0 gained and 1 lost (McNemar)" in text
    assert "1 new, 0 mended." in text
    assert "Left out" not in text


def test_a_base_that_is_no_commit_is_refused_in_one_line(project: Project) -> None:
    answer = project.run("digits", "report", "no-such-branch")

    assert (1, "digits: no-such-branch: no such commit, branch or tag\n") == (
        answer.returncode,
        answer.stderr,
    )
