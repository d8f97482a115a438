"""The stage `plot`, run as the pipeline runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digits.files import Table, write_arrays, write_table

REPOSITORY = Path(__file__).parent.parent
PICTURES = {"confusion.png", "mistakes.png", "reliability.png", "training.png"}

# What a user may have set for their own pictures.
HOSTILE_SETTINGS = """\
font.family: serif
font.size: 22
lines.linewidth: 9
axes.facecolor: green
axes.grid: True
image.cmap: jet
figure.constrained_layout.use: True
savefig.dpi: 50
savefig.bbox: tight
savefig.transparent: True
text.usetex: True
text.antialiased: False
path.sketch: 1, 100, 2
"""


def make_project(folder: Path) -> Path:
    """Write what `plot` reads: 40 images, of which two are mistaken, and three epochs."""
    random = np.random.default_rng(0)
    labels = np.arange(40) % 10
    predicted = labels.copy()
    predicted[[3, 17]] = [5, 1]
    confidence = 1 - random.random(40) ** 4 / 2
    images = random.random((40, 28, 28, 1), np.float32)
    write_arrays(folder / "data/prepared/test.npz", {"images": images, "labels": labels.astype(np.uint8)})
    predictions: Table = {
        "index": [*range(40)],
        "actual": labels.astype(float).tolist(),
        "predicted": predicted.astype(float).tolist(),
        "confidence": confidence.tolist(),
        "uncalibrated": (confidence**0.5).tolist(),
    }
    write_table(folder / "data/predictions.csv", {**predictions})
    history: Table = {
        "epoch": [1, 2, 3],
        "loss": [0.25, 0.08, 0.06],
        "accuracy": [0.92, 0.97, 0.98],
        "val_loss": [3.2, 0.05, 0.03],
        "val_accuracy": [0.17, 0.984, 0.9912],
        "learning_rate": [0.001, 0.001, 0.0005],
    }
    write_table(folder / "data/history.csv", {**history})
    for name in ("params.yaml", "environment.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    shutil.copytree(REPOSITORY / "datasets", folder / "datasets")
    return folder


def plot(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the stage in `folder`, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "stages.plot"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "reports").iterdir()}


def test_the_pictures_are_the_same_bytes_whatever_the_user_has_set(tmp_path: Path) -> None:
    plain, hostile = make_project(tmp_path / "plain"), make_project(tmp_path / "an other folder")
    (hostile / "matplotlibrc").write_text(HOSTILE_SETTINGS, encoding="utf-8")
    first = plot(plain, HOME=str(plain), TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="1")
    second = plot(
        hostile,
        HOME=str(hostile),
        TZ="Asia/Tokyo",
        LC_ALL="de_DE.UTF-8",
        PYTHONHASHSEED="2",
        MATPLOTLIBRC=str(hostile / "matplotlibrc"),
        MPLCONFIGDIR=str(hostile / "settings"),
        MPLBACKEND="svg",
        OPENBLAS_CORETYPE="Prescott",
    )

    assert ("", "") == (first.stderr, second.stderr)
    assert PICTURES == set(pictures(plain))
    assert pictures(plain) == pictures(hostile)


def test_the_stage_names_what_it_wrote(tmp_path: Path) -> None:
    result = plot(make_project(tmp_path))

    names = ("training", "confusion", "mistakes", "reliability")
    assert [f"wrote reports/{name}.png" for name in names] == result.stdout.splitlines()


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "data/predictions.csv",
            "index,actual,predicted,confidence,uncalibrated\n0,0,0,1,1\n",
            "data/predictions.csv: 1 predictions that do not belong to the 40 test images",
        ),
        ("data/history.csv", "epoch,loss\n1,0.5\n", "data/history.csv: no column 'accuracy'"),
        (
            "data/history.csv",
            "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n1,nan,0.1,nan,0.1,0.001\n",
            "data/history.csv: loss in row 1 is nan, expected a finite number",
        ),
        ("data/prepared/test.npz", "", "data/prepared/test.npz: empty, truncated, or not a .npz archive"),
        (
            "params.yaml",
            "dataset: mnist\nevaluate: {seed: 0, calibration_bins: 0}\n",
            "evaluate.calibration_bins: 0",
        ),
    ],
)
def test_wrong_input_gives_one_line_and_no_picture(
    tmp_path: Path, file: str, content: str, message: str
) -> None:
    project = make_project(tmp_path)
    (project / file).write_text(content, encoding="utf-8")

    result = plot(project)

    assert 1 == result.returncode
    assert 1 == len(result.stderr.splitlines())
    assert message in result.stderr
    assert not (project / "reports").exists()
