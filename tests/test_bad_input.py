"""Bad input, and outputs that the machine refuses: one line that says what and where, and nothing is lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digits.data.idx import IDX_FILES
from digits.files import Arrays, read_arrays, write_arrays
from tests.pipeline import Project

RAW = "data/arrays/synthetic.npz"
HISTORY_HEADER = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n"

Change = Callable[[Project], object]


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """Return a project with all outputs, in which a stage that imports TensorFlow too early fails."""
    copy = finished.copy(tmp_path / "project", without=[".dvc", ".git"])
    (copy.folder / "tensorflow.py").write_text("raise AssertionError('imported')\n", encoding="utf-8")
    return copy


@pytest.fixture
def project_with_tensorflow(project: Project) -> Project:
    (project.folder / "tensorflow.py").unlink()
    return project


def everything(project: Project) -> dict[str, bytes]:
    """Return the content of every file in the folders of outputs, temporary ones included."""
    files = (path for name in ("data", "reports") for path in (project.folder / name).rglob("*"))
    return {
        path.relative_to(project.folder).as_posix(): path.read_bytes() for path in files if path.is_file()
    }


def refusal(project: Project, stage: str, first: str = "") -> str:
    """Run a stage that must fail and leave all as it was, and return its output in its one line."""
    before = everything(project)
    result = project.stage(stage, first)

    assert 1 == result.returncode
    assert before == everything(project)
    assert 1 == result.stderr.count("\n"), result.stderr
    assert result.stderr.startswith(f"{stage}: ")
    return result.stderr.removeprefix(f"{stage}: ").rstrip()


def put(name: str, content: str | bytes) -> Change:
    encoded = content.encode() if isinstance(content, str) else content
    return lambda project: (project.folder / name).write_bytes(encoded)


def put_param(key: str, value: object) -> Change:
    return lambda project: project.set_param(key, value)


def remove(name: str) -> Change:
    return lambda project: (project.folder / name).unlink()


def truncate(name: str) -> Change:
    def change(project: Project) -> None:
        content = (project.folder / name).read_bytes()
        (project.folder / name).write_bytes(content[: len(content) // 2])

    return change


def change_byte(name: str) -> Change:
    def change(project: Project) -> None:
        content = bytearray((project.folder / name).read_bytes())
        content[len(content) // 2] ^= 0xFF
        (project.folder / name).write_bytes(content)

    return change


def change_raw(name: str, how: Callable[[np.ndarray], np.ndarray | None]) -> Change:
    """Return a change of one raw array; one that becomes None is left out."""

    def change(project: Project) -> None:
        arrays: Arrays = read_arrays(project.folder / RAW, tuple(IDX_FILES))
        changed = how(arrays.pop(name))
        write_arrays(project.folder / RAW, arrays if changed is None else {**arrays, name: changed})

    return change


def replace_text(name: str, old: str, new: str) -> Change:
    def change(project: Project) -> None:
        text = (project.folder / name).read_text(encoding="utf-8")
        assert old in text
        (project.folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove("params.yaml"), "params.yaml: no such file"),
        (put("params.yaml", ""), "params.yaml: expected sections with keys, found NoneType"),
        (put("params.yaml", "- recipe\n"), "params.yaml: expected sections with keys, found list"),
        (put("params.yaml", "recipe: [\n"), "params.yaml: not valid YAML ("),
        (
            replace_text("params.yaml", "runtime:", "run_time:"),
            "params.yaml: 'run_time' is no section (did you mean 'runtime'?); allowed: calibrate, ",
        ),
        (
            put_param("recipe", "articel"),
            "params.yaml: recipe: 'articel' is no recipe (did you mean 'article'?); allowed: article, ",
        ),
        (
            put_param("recipes.article.network", "articel"),
            "params.yaml: recipes.article.network: 'articel' is no network (did you mean 'article'?); ",
        ),
        (
            put_param("recipes.article.epoch", 3),
            "params.yaml: recipes.article: 'epoch' is no key (did you mean 'epochs'?); allowed: augment",
        ),
        (
            replace_text("params.yaml", " patience: 1", " patient: 1"),
            "params.yaml: recipes.article.schedule: 'patient' is no key (did you mean 'patience'?); ",
        ),
        (
            put_param("recipes.article.epochs", "twenty"),
            "params.yaml: recipes.article.epochs: 'twenty' is not allowed; expected ",
        ),
        (
            replace_text("params.yaml", "learning_rate: 0.03", "learning_rate: 1e-3"),
            "params.yaml: recipes.article.learning_rate: '1e-3' is not allowed; expected ",
        ),
        (
            put_param("recipes.article.learning_rate", -0.001),
            "params.yaml: recipes.article.learning_rate: -0.001 is not allowed; expected greater than 0",
        ),
        (
            put_param("runtime.threads", 0),
            "params.yaml: runtime.threads: 0 is not allowed; expected greater than or equal to 1",
        ),
    ],
)
def test_training_refuses_wrong_params_before_tensorflow_is_loaded(
    project: Project, change: Change, message: str
) -> None:
    change(project)

    assert refusal(project, "train").startswith(message)


@pytest.mark.parametrize(
    ("stage", "change", "message"),
    [
        (
            "fetch",
            put_param("dataset", "syntetic"),
            "params.yaml: dataset: 'syntetic' is no dataset (did you mean 'synthetic'?); allowed: ",
        ),
        (
            "fetch",
            put_param("fetch.folders", "data"),
            "params.yaml: fetch.folders: 'data' is not allowed; expected ",
        ),
        (
            "prepare",
            put_param("prepare.validation_split", "a fifth"),
            "params.yaml: prepare.validation_split: 'a fifth' is not allowed; expected ",
        ),
        (
            "prepare",
            put_param("prepare.validation_split", 1),
            "params.yaml: prepare.validation_split: 1 is not allowed; expected less than 1",
        ),
        (
            "evaluate",
            put_param("evaluate.marks.gap_below", 98),
            "params.yaml: evaluate.marks.gap_below: 98 is not allowed; expected less than or equal to 1",
        ),
        (
            "plot",
            put_param("evaluate.calibration_bins", 0),
            "params.yaml: evaluate.calibration_bins: 0 is not allowed; expected greater than or equal to 1",
        ),
    ],
)
def test_every_stage_refuses_wrong_params(project: Project, stage: str, change: Change, message: str) -> None:
    change(project)

    assert refusal(project, stage).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove(RAW), f"{RAW}: no such file"),
        (put(RAW, ""), f"{RAW}: empty, truncated, or not a .npz archive"),
        (truncate(RAW), f"{RAW}: empty, truncated, or not a .npz archive"),
        (change_byte(RAW), f"{RAW}: damaged .npz archive"),
        (change_raw("y_test", lambda _: None), f"{RAW}: no array 'y_test'; expected the arrays "),
        (
            change_raw("x_train", lambda x: x[:, :27]),
            "x_train: the shape is (300, 27, 28), expected (300, 28, 28)",
        ),
        (change_raw("x_test", lambda x: x / 255), "x_test: the type is float64, expected uint8"),
        (change_raw("y_train", lambda y: y - (y == 7)), "y_train: no image of class '7'"),
        (change_raw("y_test", lambda y: y + np.uint8(1)), "y_test: there is a label 10, expected 0 to 9"),
    ],
)
def test_preparation_refuses_raw_arrays_that_are_not_the_datasets(
    project: Project, change: Change, message: str
) -> None:
    change(project)

    assert message in refusal(project, "prepare")


@pytest.mark.parametrize("split", [0.98, 0.999])
def test_preparation_refuses_to_leave_training_without_a_class(project: Project, split: float) -> None:
    project.set_param("prepare.validation_split", split)

    assert refusal(project, "prepare").startswith(f"prepare.validation_split: {split} of 300 images leaves ")


@pytest.mark.parametrize(
    ("stage", "change", "message"),
    [
        (
            "train",
            truncate("data/prepared/train.npz"),
            "data/prepared/train.npz: empty, truncated, or not a .npz",
        ),
        ("evaluate", remove("data/prepared/test.npz"), "data/prepared/test.npz: no such file"),
        ("evaluate", put("data/history.csv", HISTORY_HEADER), "data/history.csv: no rows"),
        ("evaluate", put("data/history.csv", "epoch,loss\n1,2\n"), "data/history.csv: no column 'accuracy'"),
        (
            "evaluate",
            put("data/history.csv", HISTORY_HEADER + "1,2,3\n"),
            "data/history.csv: not a table of numbers",
        ),
        (
            "plot",
            put("data/predictions.csv", "index,actual,predicted,confidence,uncalibrated\n0,1,1,0.5,0.5\n"),
            "data/predictions.csv: 1 predictions that do not belong to the 60 test images",
        ),
        ("plot", truncate("data/predictions.csv"), "data/predictions.csv: "),
    ],
)
def test_a_stage_refuses_damaged_inputs(project: Project, stage: str, change: Change, message: str) -> None:
    change(project)

    assert refusal(project, stage).startswith(message)


def test_a_damaged_source_is_told_with_the_way_out_and_the_raw_arrays_stay(
    project: Project, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(project.home / "synthetic", source)
    images = source / IDX_FILES["x_test"]
    images.write_bytes(images.read_bytes()[:-1])
    sources = [{"kind": "folder", "name": "copied", "path": str(source)}]
    project.write_description("synthetic", project.description() | {"sources": sources})
    before = everything(project)
    result = project.stage("fetch")

    first, reason, *advice = result.stderr.splitlines()
    assert 1 == result.returncode
    assert "fetch: no source gave the arrays of synthetic:" == first
    assert f"copied: {images.name}: damaged IDX file" in reason
    assert "fetch.folders: [FOLDER]" in advice[-1]
    assert before == everything(project)


def test_a_damaged_model_is_not_evaluated(project_with_tensorflow: Project) -> None:
    truncate("data/model.keras")(project_with_tensorflow)

    assert refusal(project_with_tensorflow, "evaluate").startswith(
        "data/model.keras: not a readable .keras model ("
    )


NO_ROOM = "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"


@pytest.mark.parametrize(
    ("stage", "output"),
    [("fetch", RAW), ("prepare", "data/prepared/train.npz"), ("plot", "reports/training.png")],
)
def test_a_full_disk_leaves_the_previous_output(project: Project, stage: str, output: str) -> None:
    assert f"{output}: cannot be written: File too large" == refusal(project, stage, NO_ROOM)


def test_a_disk_full_in_the_middle_of_training_leaves_the_previous_model(
    project_with_tensorflow: Project,
) -> None:
    # TensorFlow's own temporary files are smaller than this, the checkpoint is larger.
    room = "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"

    assert "data/checkpoints/train.npz: cannot be written: File too large" == refusal(
        project_with_tensorflow, "train", room
    )


@pytest.mark.parametrize(
    ("stage", "output"),
    [("fetch", RAW), ("prepare", "data/prepared/summary.json"), ("plot", "reports/training.png")],
)
def test_a_folder_that_cannot_be_made_is_told(project: Project, stage: str, output: str) -> None:
    """A file stands in the folder's place, which stops the administrator too, as permissions do not."""
    folder = (project.folder / output).parent
    shutil.rmtree(folder)
    folder.touch()

    assert f"{output}: cannot be written: " in refusal(project, stage)
