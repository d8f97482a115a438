"""What is installed is locked by hashes, and other programs load what the pipeline writes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from digits.backend.models import NEW_DEFAULTS
from digits.files import read_arrays, read_table
from tests.pipeline import REPOSITORY, Project

BUILD = ("packaging", "setuptools", "wheel")
LOCKED = (
    "requirements-build.txt",
    "requirements.txt",
    "requirements-dev.txt",
    "benchmarks/requirements-peers.txt",
)


def entries(name: str) -> dict[str, str]:
    """Return the entry of each package in a file of requirements, with its version and hashes."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)(==(?:.*\\\n)*.*)", text, re.MULTILINE))


def test_make_installs_nothing_that_is_not_locked_by_a_hash() -> None:
    """An isolated build would fetch its tools, which no hash covers."""
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install (.*)", text)
    locked = [re.search(r"--requirement (\S+)", line) for line in installs if "--require-hashes" in line]

    assert {*LOCKED} == {match[1] for match in locked if match}
    assert ["--no-deps --no-build-isolation --editable ."] == [
        line for line in installs if "--require-hashes" not in line
    ]
    assert all(
        "--no-build-isolation" in line or "--only-binary=:all:" in line or "requirements-build.txt" in line
        for line in installs
    )


@pytest.mark.parametrize("name", LOCKED)
def test_every_locked_package_has_hashes(name: str) -> None:
    assert [] == [package for package, entry in entries(name).items() if "--hash=sha256:" not in entry]


def test_the_locked_build_tools_are_those_of_the_requirements() -> None:
    everything = entries("requirements.txt")

    assert {name: everything[name] for name in BUILD} == entries("requirements-build.txt")


@pytest.mark.network
def test_a_package_without_a_wheel_is_built_by_the_locked_tools(tmp_path: Path) -> None:
    name = "antlr4-python3-runtime"
    (tmp_path / "one.txt").write_text(name + entries("requirements.txt")[name] + "\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [str(tmp_path / "venv/bin/python"), "-m", "pip", "install", "--require-hashes"]
    subprocess.run([*pip, "--requirement", REPOSITORY / "requirements-build.txt"], check=True)
    built = subprocess.run(
        [*pip, "--no-build-isolation", "--no-deps", "--requirement", tmp_path / "one.txt"],
        check=True,
        capture_output=True,
        text=True,
    )

    assert "Installing build dependencies" not in built.stdout


def test_the_saved_models_have_no_key_that_older_versions_of_keras_do_not_know(finished: Project) -> None:
    for name in ("model.keras", "calibrated.keras"):
        with ZipFile(finished.folder / "data" / name) as archive:
            text = json.dumps(json.loads(archive.read("config.json")))

        assert [] == [key for key in NEW_DEFAULTS if f'"{key}"' in text]


@pytest.mark.network
def test_an_older_keras_loads_the_calibrated_model_with_the_same_answers(
    finished: Project, tmp_path: Path
) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path)]
    subprocess.run([*install, "keras==3.6.0"], check=True)
    code = f"""
import keras, numpy
images = numpy.load("data/prepared/test.npz")["images"]
answers = keras.saving.load_model("data/calibrated.keras").predict(images, verbose=0)
numpy.save({str(tmp_path / "answers.npy")!r}, answers)
assert keras.__version__ == "3.6.0"
"""
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "KERAS_BACKEND": "tensorflow"}
    subprocess.run([sys.executable, "-c", code], cwd=finished.folder, env=variables, check=True)
    answers = np.load(tmp_path / "answers.npy")
    table = read_table(finished.folder / "data/predictions.csv", ("predicted", "confidence"))

    assert table["predicted"] == answers.argmax(axis=1).tolist()
    np.testing.assert_allclose(table["confidence"], answers.max(axis=1), rtol=0, atol=1e-4)


def test_the_first_output_of_the_flatbuffer_is_the_probabilities(finished: Project) -> None:
    from ai_edge_litert.interpreter import Interpreter

    images = read_arrays(finished.folder / "data/prepared/test.npz", ("images",))["images"][:1]
    interpreter = Interpreter(str(finished.folder / "data/model.tflite"))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
    interpreter.invoke()
    first = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    assert (1, 10) == first.shape
    assert pytest.approx(1, abs=1e-5) == first.sum()
