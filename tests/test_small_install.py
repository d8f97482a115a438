"""The package without TensorFlow and DVC: what an application installs, in a fresh environment."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline import REPOSITORY

pytestmark = pytest.mark.network

MEGABYTE = 1_000_000
HEAVY = ["dvc", "h5py", "keras", "matplotlib", "pydantic", "sklearn", "tensorflow"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh environment with the package and its extra `app`, in the locked versions."""
    folder = tmp_path_factory.mktemp("small")
    # The build leaves files behind, and installs what Git knows only.
    for name in ("digits", "pyproject.toml", "README.md"):
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, folder / name)
    locked = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    versions = re.findall(r"^[\w.-]+==[^\\\n]+", locked, re.MULTILINE)
    (folder / "constraints.txt").write_text("\n".join(versions), encoding="utf-8")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    pip = [sys.executable, "-m", "pip", "--python", folder / "venv/bin/python"]
    constraints = ["--constraint", folder / "constraints.txt"]
    installed = run(*pip, "install", "--quiet", *constraints, f"{folder}[app]")
    assert 0 == installed.returncode, installed.stderr
    return folder / "venv"


def run(*command: str | Path, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_it_takes_at_most_330_megabytes(environment: Path) -> None:
    size = sum(path.lstat().st_size for path in environment.rglob("*"))

    assert 200 < size / MEGABYTE <= 330


def test_it_answers_for_a_photograph_and_loads_no_framework(
    environment: Path, classifier_files: Path, tmp_path: Path
) -> None:
    code = f"""
import json, sys
from digits import load_model, predict_digit
digit, confidence = predict_digit({str(REPOSITORY / "docs/photograph.jpg")!r}, load_model("model.tflite"))
print(json.dumps([digit, confidence, sorted({{*sys.modules}} & {{*{HEAVY}}})]))
"""
    shutil.copy(classifier_files / "model.tflite", tmp_path)
    digit, confidence, loaded = json.loads(
        run(environment / "bin/python", "-c", code, folder=tmp_path).stdout
    )

    assert digit in range(10)
    assert 0.1 <= confidence <= 1
    assert [] == loaded


def test_it_answers_where_only_memory_can_be_written_as_in_the_container(
    environment: Path, classifier_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = re.findall(r"TMPDIR=(\S+)", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    monkeypatch.setenv("TMPDIR", folder)
    read_only = 'mount -o remount,bind,ro / && ! touch "$0" 2>/dev/null && exec "$@"'
    command = [environment / "bin/digits", "predict", "--model", classifier_files / "model.tflite"]
    picture = REPOSITORY / "docs/photograph.jpg"
    shell = ["unshare", "--mount", "sh", "-c", read_only, str(environment / "written")]
    if os.geteuid() != 0 or run(*shell, "true").returncode:
        pytest.skip("only root can make the file system read-only here")

    answer = run(*shell, *command, picture)

    assert 0 == answer.returncode, answer.stderr
    assert str(picture) in answer.stdout


@pytest.mark.parametrize("command", ["predict", "app", "verify", "report"])
def test_each_command_has_its_help(environment: Path, command: str, tmp_path: Path) -> None:
    answer = run(environment / "bin/digits", command, "--help", folder=tmp_path)

    assert 0 == answer.returncode
    assert f"usage: digits {command}" in answer.stdout


@pytest.mark.parametrize("command", ["verify", "report"])
def test_a_command_of_the_pipeline_says_in_one_line_what_it_needs(
    environment: Path, command: str, tmp_path: Path
) -> None:
    answer = run(environment / "bin/digits", command, folder=tmp_path)

    assert (1, "") == (answer.returncode, answer.stdout)
    assert re.fullmatch(r"digits: this needs \w+, which the extra `pipeline` installs: .*\n", answer.stderr)
