"""The files that other programs read: citation, hooks, container, workflows."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.pipeline import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_has_the_version_of_the_package() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))

    assert PROJECT["version"] == str(citation["version"])
    assert PROJECT["license"] == citation["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


def test_the_development_container_installs_by_a_target_of_make() -> None:
    container = json.loads((REPOSITORY / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    command = container["postCreateCommand"].split()

    answer = subprocess.run([command[0], "-n", *command[1:]], cwd=REPOSITORY, capture_output=True, text=True)

    assert 0 == answer.returncode, answer.stderr
    assert container["image"].rpartition(":")[2] in ("3.11", "3.12", "3.13")


def test_the_hooks_are_valid_and_run() -> None:
    pytest.importorskip("pre_commit")
    command = [sys.executable, "-m", "pre_commit", "run", "ruff-check", "--files", "digits/cli.py"]

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )

    assert 0 == answer.returncode, answer.stdout + answer.stderr
    assert "Passed" in answer.stdout


def test_the_image_installs_the_small_package_and_runs_it_without_rights() -> None:
    lines = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    from_here = [path for path in copied if "=" not in path and not path.startswith("/")]
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8")

    assert "'.[app]'" in "".join(lines)
    assert "USER 65534:65534" in lines
    assert not [path for path in from_here if f"!{path}" not in ignored]


@pytest.mark.parametrize("path", [*REPOSITORY.glob(".github/workflows/*.yml")], ids=lambda path: path.name)
def test_a_workflow_uses_commands_that_are_there(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    scripts = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    targets = {name for script in scripts for name in re.findall(r"^make ([a-z-]+)$", script, re.MULTILINE)}
    commands = {name for script in scripts for name in re.findall(r"digits (\w+)", script)}
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    assert scripts
    assert not [name for name in targets if f"\n{name}:" not in makefile]
    assert commands <= {"predict", "app", "verify", "report", "sweep", "compare"}


def test_the_job_for_gitlab_is_ten_lines_and_posts_the_report() -> None:
    page = (REPOSITORY / "docs/sharing.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    script = yaml.safe_load(block)["report"]["script"]

    assert 10 == len(block.splitlines())
    assert "digits report $BASE" in script[1]
    assert "body@report/report.md" in script[2]
