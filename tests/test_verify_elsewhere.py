"""`digits verify` in any DVC repository: what it cannot read or check is one line."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline import REPOSITORY

PIPELINE = """\
stages:
  one: {cmd: "echo 1 > one.txt", params: [p.py: [X]], outs: [one.txt]}
  two: {cmd: "echo 2 > two.txt", deps: [one.txt], outs: [two.txt]}
"""
PARAMS = "a: 1\n"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository that is not of this project, with a current lock."""
    tmp_path = tmp_path_factory.mktemp("original")
    (tmp_path / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "p.py").write_text("X = 1\n", encoding="utf-8")
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for command in (
        ["git", "init", "--quiet"],
        [sys.executable, "-m", "dvc", "init", "--quiet"],
        [sys.executable, "-m", "dvc", "repro", "--quiet"],
        ["git", "add", "--all"],
        ["git", *author, "commit", "--quiet", "--message=x"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def repository(original: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    shutil.copytree(original, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def verify(folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "digits", "verify", *arguments]
    variables = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    return result.returncode, result.stderr if result.returncode == 1 else result.stdout


def test_another_repository_is_verified_and_run_again(repository: Path) -> None:
    checked, rerun = verify(repository), verify(repository, "--rerun")

    assert (0, "dvc.lock matches this checkout") == (checked[0], checked[1].splitlines()[-1])
    assert (0, True) == (rerun[0], rerun[1].endswith("2 identical\n"))


def test_a_stage_that_always_runs_is_never_current_and_can_be_run_again(repository: Path) -> None:
    path = repository / "dvc.yaml"
    path.write_text(PIPELINE.replace("two: {", "two: {always_changed: true, "), encoding="utf-8")
    status, text = verify(repository)

    assert 5 == status
    assert "two  runs each time, as always_changed says, and is never current" in text


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("p.py", "X = (\n", "Unable to read parameters from 'p.py': "),
        ("params.yaml", "a: 2020-99-99\n", "params.yaml: cannot be read (month must be in 1..12)"),
        ("params.yaml", "a: !!int x\n", "params.yaml: cannot be read (invalid literal for int() "),
        ("params.yaml", f"a: {'9' * 5000}\n", "params.yaml: cannot be read (Exceeds the limit "),
        ("params.yaml", "a: " + "[" * 3000 + "]" * 3000, "DVC cannot read the pipeline (maximum recursion "),
        (
            "params.yaml",
            "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, 9)),
            "params.yaml: its aliases stand for more than 1,000,000 values",
        ),
        ("dvc.yaml", PIPELINE.replace("[one.txt]", "['gs://bucket/x']", 1), ""),
        ("dvc.lock", "", "dvc.lock: empty"),
        (".dvc/tmp/rwlock", "", ".dvc/tmp/rwlock: empty, since DVC was interrupted while it wrote it; "),
    ],
)
def test_what_cannot_be_read_is_one_line(repository: Path, name: str, content: str, line: str) -> None:
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_text(content, encoding="utf-8")
    start = time.monotonic()
    status, text = verify(repository)

    assert 1 == status
    assert text.startswith(f"digits: {line}")
    assert 1 == text.count("\n"), text
    assert len(text) < 1000
    assert time.monotonic() - start < 60


def test_a_stage_that_is_interrupted_while_it_imports_ends_without_a_trace() -> None:
    code = "import stages, os, signal; os.kill(os.getpid(), signal.SIGINT)"
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)

    assert (130, "") == (result.returncode, result.stderr)


def test_make_clears_an_empty_list_of_running_commands() -> None:
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    assert text.index("find .dvc/tmp/rwlock -empty -delete") < text.index("@dvc repro")
