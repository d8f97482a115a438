"""What tests share that takes seconds to make: it is made once, whichever worker needs it first."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.pipeline import REPOSITORY, STAGES, Project

# A busy machine is no failure.
settings.register_profile("digits", deadline=None)
settings.load_profile("digits")

AUDITED_STAGE = Path(__file__).parent / "audited_stage.py"

# What may differ around a stage without a difference in its outputs.
ANOTHER_PLACE = {
    "LC_ALL": "de_DE.UTF-8",
    "KERAS_MAX_EPOCHS": "1",
    "OMP_NUM_THREADS": "5",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "PYTHONHASHSEED": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "3",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
    "TZ": "Asia/Tokyo",
}
KERAS_JSON = '{"floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first"}'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker make the finished project while another runs what needs none."""
    waiting = [item for item in items if "finished" in getattr(item, "fixturenames", ())]
    waiting.sort(key=lambda item: "killed" not in item.name)
    others = [item for item in items if item not in waiting]
    items[:] = [*waiting[-1:], *others, *waiting[:-1]]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a function that lets the first of all workers build a folder, and the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, build: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                build(folder)
                done.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def finished(once: Callable[[str, Callable[[Path], object]], Path]) -> Project:
    """Return a committed project whose pipeline has run; tests that change things take a copy of it.

    What the first `dvc repro` said stands in first-run.txt beside the project's folder.
    """

    def build(folder: Path) -> None:
        (folder / "project").mkdir()
        project = Project.create(folder / "project", folder / "home")
        (folder / "first-run.txt").write_text(project.dvc("repro"), encoding="utf-8")
        project.commit("Run the pipeline")

    folder = once("finished", build)
    return Project(folder / "project", folder / "home")


@pytest.fixture(scope="session")
def classifier_files(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Return a folder with the small classifier of printed digits: model.tflite and calibrated.keras."""

    def build(folder: Path) -> None:
        command = [sys.executable, "-m", "tests.tiny_classifier", str(folder)]
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)

    return once("classifier", build)


@pytest.fixture(scope="session")
def colour_models(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Return a folder with the small classifiers of colours, NAME.tflite each, and colours.keras."""

    def build(folder: Path) -> None:
        command = [sys.executable, "-m", "tests.tiny_colours", str(folder)]
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)

    return once("colours", build)


@pytest.fixture(scope="session")
def tensorflow_started() -> None:
    """Start TensorFlow in this worker, as a stage does; tests that ask for it belong to one xdist group."""
    from digits.backend import runtime

    runtime.start(runtime.RuntimeParams(threads=2, instructions="AVX2"))


@pytest.fixture(scope="session")
def audited(once: Callable[[str, Callable[[Path], object]], Path], finished: Project) -> Project:
    """Return the project after each stage ran again, watched, where everything around it is another.

    STAGE.json beside the project's folder says which files and params the stage used.
    """
    one_core = "hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])"

    def build(folder: Path) -> None:
        (folder / "keras").mkdir()
        (folder / "keras/keras.json").write_text(KERAS_JSON, encoding="utf-8")
        variables = ANOTHER_PLACE | {"KERAS_HOME": str(folder / "keras")}
        project = finished.copy(folder / "Ein anderer Ordner", without=[".dvc", ".git", "data", "reports"])
        for stage in STAGES:
            command = ("python", str(AUDITED_STAGE), stage, str(folder / f"{stage}.json"))
            result = project.run(*command, variables=variables, first=f"os.umask(0o077); {one_core}")
            assert 0 == result.returncode, result.stderr

    return Project(once("audited", build) / "Ein anderer Ordner", finished.home)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, in which a pipeline could be; DVC is not asked to keep a dataset."""
    from digits.packing import keeping

    folder = tmp_path / "repository"
    folder.mkdir()
    for name in ("dvc.yaml", "params.yaml"):
        (folder / name).touch()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(keeping, "add_to_dvc", lambda path: None)
    return folder
