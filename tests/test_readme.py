"""What the README says is so: its commands run, its numbers are measured, its files are there."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.pipeline import REPOSITORY, Project

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{page.name}" for page in REPOSITORY.glob("docs/*.md"))]


def test_the_commands_of_the_pipeline_run_in_their_order(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")
    by_dvc = [line.split()[1:] for line in COMMANDS if line.startswith("dvc ")]

    failed = [words for words in by_dvc if project.run("dvc", *words).returncode != 0]

    assert len(by_dvc) >= 8
    assert [] == failed


def test_the_lock_of_a_finished_pipeline_is_true_by_the_command_that_the_readme_shows(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project")

    answer = project.run("digits", "verify")

    assert "digits verify" in COMMANDS
    assert 0 == answer.returncode


@pytest.mark.parametrize("target", [line.removeprefix("make").strip() for line in COMMANDS if "make" in line])
def test_each_make_target_that_the_readme_shows_is_there(target: str) -> None:
    answer = subprocess.run(["make", "-n", *target.split()], cwd=REPOSITORY, capture_output=True, text=True)

    assert 0 == answer.returncode


def test_the_commands_by_hand_install_what_make_installs() -> None:
    by_hand = [line.split(" -m pip ")[1] for line in COMMANDS if " -m pip " in line]
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    by_make = re.findall(r"-m pip (install .*(?:requirements(?:-build)?\.txt|editable \.))", makefile)

    assert by_make == by_hand


@pytest.mark.parametrize("page", ["README.md", "docs/tour.md"])
def test_the_result_is_the_measured_one(page: str) -> None:
    metrics, details = (
        json.loads((REPOSITORY / f"reports/{name}.json").read_text(encoding="utf-8"))
        for name in ("metrics", "details")
    )
    interval = details["accuracy_interval"]
    measured = (
        f"**{metrics['accuracy']:.2%}** of the 10,000 test images are right "
        f"(95% interval {interval['low']:.2%} to {interval['high']:.2%}), {metrics['errors']} errors."
    )

    assert measured in (REPOSITORY / page).read_text(encoding="utf-8")


def test_the_code_of_the_tour_is_that_of_the_source() -> None:
    tour = (REPOSITORY / "docs/tour.md").read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- from (\S+) -->\n```python\n(.*?)```", tour, re.DOTALL)

    stale = [(path, code) for path, code in blocks if code not in (REPOSITORY / path).read_text("utf-8")]

    assert len(blocks) == tour.count("```python") > 0
    assert [] == stale


def test_the_tree_names_each_stage_each_folder_and_each_module_beside_them() -> None:
    tree = README.split("## The house")[1].split("```")[1]
    folders = [path.parent for path in REPOSITORY.glob("digits/*/__init__.py")]
    names = [path.name for path in REPOSITORY.glob("digits/[a-z]*.py")]
    names += [f"{folder.name}/" for folder in folders]
    names += [path.name for path in REPOSITORY.glob("stages/[a-z]*.py")]

    unnamed = [name for name in names if not re.search(rf"(^|  ){name}", tree, re.MULTILINE)]

    assert [] == unnamed


@pytest.mark.parametrize("page", PAGES)
def test_each_link_to_a_file_leads_to_one(page: str) -> None:
    folder = (REPOSITORY / page).parent
    links = re.findall(r"\]\(([^)#]+)", (REPOSITORY / page).read_text(encoding="utf-8"))

    missing = [link for link in links if "://" not in link and not (folder / link).exists()]

    assert [] == missing


def test_the_recipes_of_the_table_are_those_of_the_params() -> None:
    import yaml

    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    table = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)

    assert list(params["recipes"]) == table
