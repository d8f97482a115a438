"""docs/your-images.md is so: from a folder of pictures to an answer by the commands that it shows."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from digits.data.datasets import PackedFile, read_dataset
from tests.pipeline import REPOSITORY, Project
from tests.shapes import CORNERS, draw_folder, drawn

PAGE = (REPOSITORY / "docs/your-images.md").read_text(encoding="utf-8")
BLOCKS = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]


def shell(project: Project, line: str) -> str:
    """Run a line of the page, as a shell does, and return what it prints."""
    finished = project.run("sh", "-c", line)
    assert 0 == finished.returncode, f"{line}: {finished.stdout}{finished.stderr}"
    return finished.stdout


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a new project, and a folder of shapes and another shape in the home folder."""
    (tmp_path / "project").mkdir()
    project = Project.create(tmp_path / "project", tmp_path / "home")
    draw_folder(project.home / "pictures/shapes", 60)
    random = np.random.Generator(np.random.PCG64(1))
    drawn(random, "star").save(project.home / "pictures/new.png")
    return project


def test_the_commands_lead_from_a_folder_to_an_answer(project: Project) -> None:
    *others, predict = BLOCKS[0]
    for line in others:
        shell(project, line)
    answer = shell(project, predict)

    assert any(name in answer for name in CORNERS)
    assert [] == project.leftovers()


def test_more_pictures_are_packed_and_compared(project: Project) -> None:
    shell(project, BLOCKS[0][0])
    for number in range(3):
        random = np.random.Generator(np.random.PCG64(100 + number))
        drawn(random, "circle").save(project.home / f"pictures/shapes/circle/more {number}.png")
    told = shell(project, BLOCKS[1][0])

    assert "added since the last time: circle (3)" in told.splitlines()


def test_what_is_packed_is_fetched_and_prepared(project: Project) -> None:
    for line in BLOCKS[0][:2]:
        shell(project, line)
    project.dvc("exp", "run", "--set-param", "dataset=shapes", "prepare")
    summary = json.loads((project.folder / "data/prepared/summary.json").read_bytes())

    assert [*CORNERS] == sorted(summary["images_per_class"]["train"], key=[*CORNERS].index)
    assert 240 == sum(summary["images"].values())
    assert 0 == summary["test_images_also_in_training"]


def test_a_clone_has_the_arrays_from_the_remote(project: Project, tmp_path: Path) -> None:
    """It has no folder of pictures."""
    project.dvc("remote", "add", "--default", "storage", str(tmp_path / "storage"))
    for line in BLOCKS[0][:2]:
        shell(project, line)
    project.commit("Use a remote")
    project.dvc("push", "datasets/shapes.npz.dvc")
    subprocess.run(
        ["git", "clone", "--quiet", str(project.folder), str(tmp_path / "clone")],
        env=project.environment(),
        check=True,
    )
    clone = Project(tmp_path / "clone", project.home)
    clone.set_param("dataset", "shapes")
    missing = clone.stage("fetch")

    assert "to get it: dvc pull datasets/shapes.npz.dvc" in missing.stderr
    clone.dvc("pull", "datasets/shapes.npz.dvc")
    assert "packed: complete, every checksum is right" in clone.stage("fetch").stdout


def test_the_dataset_of_the_page_has_the_keys_of_its_table() -> None:
    table = (REPOSITORY / "docs/datasets.md").read_text(encoding="utf-8").split("## Describe one")[1]
    rows = re.findall(r"^\| (`.*?`) \|", table.split("A stratified split")[0], re.MULTILINE)
    described = {key for row in rows for key in re.findall(r"`(\w+)`", row)}

    assert set(read_dataset("mnist", REPOSITORY / "datasets").model_dump(exclude={"name"})) == described


def test_every_dataset_that_comes_with_the_repository_is_in_the_table() -> None:
    page = (REPOSITORY / "docs/datasets.md").read_text(encoding="utf-8")
    names = {path.stem for path in (REPOSITORY / "datasets").glob("*.yaml")}
    own = {
        name
        for name in names
        if not isinstance(read_dataset(name, REPOSITORY / "datasets").sources[0], PackedFile)
    }

    assert (
        {"mnist", "fashion-mnist", "scikit-digits"}
        <= own
        == set(re.findall(r"^\| `([\w-]+)` \| [\d,]+", page, re.MULTILINE))
    )
