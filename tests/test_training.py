"""A training that is stopped, at whatever moment, goes on and ends as if it had never been."""

import inspect
import signal
from pathlib import Path
from typing import Any

import pytest

from digits.backend import runtime
from digits.files import read_arrays, read_table, write_arrays
from digits.training import train as training
from stages import train as stage
from tests.pipeline import Project

KILLED_TRAINING = Path(__file__).parent / "killed_training.py"
OUTPUTS = ("data/history.csv", "data/model.keras")


def old_outputs(project: Project) -> bool:
    return all((project.folder / name).read_bytes() == b"of an earlier run" for name in OUTPUTS)


def printed_epochs(output: str) -> list[int]:
    lines = [line for line in output.splitlines() if line.startswith("epoch")]
    return [int(line.split()[1].partition("/")[0]) for line in lines]


def test_the_trained_example_has_all_that_a_checkpoint_must_keep(finished: Project) -> None:
    """Early stopping ends it, after an epoch that was not its best, and the learning rate has fallen."""
    history = read_table(finished.folder / "data/history.csv", ("epoch", "val_loss", "learning_rate"))
    epochs, best = len(history["epoch"]), min(history["val_loss"])

    assert 3 < epochs < finished.params()["recipes"]["article"]["epochs"]
    assert best < history["val_loss"][-1]
    assert history["learning_rate"][-1] < history["learning_rate"][0]


def test_a_training_killed_four_times_ends_with_the_bytes_of_one_never_stopped(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project", without=[".dvc", ".git", "reports"])
    for name in OUTPUTS:
        (project.folder / name).write_bytes(b"of an earlier run")
    last = len(read_table(finished.folder / "data/history.csv", ("epoch",))["epoch"])
    checkpoint = project.folder / "data/checkpoints/train.npz"

    # Where it is killed, the epoch after which it resumes, and the epochs that it says.
    lives: list[tuple[str, int, list[int]]] = [
        ("batch 3", 0, []),
        ("during train.npz 2", 0, [1, 2]),
        ("after train.npz 2", 1, [2, 3]),
        ("during model.keras 1", 3, [*range(4, last + 1)]),
    ]
    for death, resumed, epochs in lives:
        result = project.run("python", str(KILLED_TRAINING), *death.split())

        assert -signal.SIGKILL == result.returncode, result.stderr
        assert (f"resuming after epoch {resumed}," in result.stdout) == bool(resumed), death
        assert epochs == printed_epochs(result.stdout), death
        assert old_outputs(project), death

    result = project.stage("train")

    assert 0 == result.returncode, result.stderr
    assert f"resuming after epoch {last}," in result.stdout
    assert [] == printed_epochs(result.stdout)
    assert finished.contents("train") == project.contents("train")
    assert not checkpoint.exists()
    assert [] == project.leftovers()


def test_a_fixed_schedule_goes_on_where_it_was_killed_and_keeps_the_last_weights(
    finished: Project, tmp_path: Path
) -> None:
    """With everything else that a recipe may ask for: changed images, smoothed labels, weighted classes."""
    project = finished.copy(tmp_path / "project", without=[".dvc", ".git", "reports"])
    changes = {"shift": 1, "rotation": 10, "scale": 0.1, "shear": 0.1, "elastic": 2, "elastic_spacing": 5}
    changes |= {"flip": 0.5, "brightness": 0.1, "contrast": 0.1}
    project.write_description("synthetic", project.description() | {"mirrored": True})
    project.set_param("recipes.article.augmentation", changes)
    project.set_param("recipes.article.label_smoothing", 0.1)
    project.set_param("recipes.article.class_weights", 0.5)
    project.set_param("recipes.article.schedule", {"kind": "one_cycle", "warm_up": 0.25, "final": 0.1})
    project.set_param("recipes.article.epochs", 4)
    stopped = project.copy(tmp_path / "stopped")

    assert 0 == project.stage("train").returncode
    killed = stopped.run("python", str(KILLED_TRAINING), "batch", "9")
    result = stopped.stage("train")

    assert -signal.SIGKILL == killed.returncode, killed.stderr
    assert 0 == result.returncode, result.stderr
    assert "resuming after epoch 2," in result.stdout
    assert project.contents("train") == stopped.contents("train")
    # An epoch has four steps of sixteen, and 0.03 is reached after four.
    rates = read_table(project.folder / "data/history.csv", ("learning_rate",))["learning_rate"]
    expected = [
        0.03 / 8,
        0.03 * (1 - 0.9 * 0.5 / 12),
        0.03 * (1 - 0.9 * 4.5 / 12),
        0.03 * (1 - 0.9 * 8.5 / 12),
    ]
    assert expected == pytest.approx(rates, abs=1e-6)


@pytest.mark.parametrize(("steps", "expected"), [(1, 1), (4, 4), (29, 1), (375, 25), (469, 7)])
def test_as_many_steps_are_taken_at_once_as_an_epoch_can_be_divided_into(steps: int, expected: int) -> None:
    assert expected == training.steps_per_execution(steps)


class Trained(Exception):  # noqa: N818 - nothing went wrong
    """Raised in place of a training, with its arguments."""


@pytest.fixture
def untrained(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project in the current folder where the stage raises `Trained` when it would train."""

    def train(*arguments: Any, **named: Any) -> None:
        raise Trained(inspect.signature(training.train).bind(*arguments, **named).arguments["key"])

    project = finished.copy(tmp_path / "project", without=[".dvc", ".git", "reports"])
    monkeypatch.setattr(stage, "train", train)
    monkeypatch.setattr(runtime, "start", lambda _: None)
    monkeypatch.chdir(project.folder)
    return project


def checkpoint_key() -> str:
    with pytest.raises(Trained) as caught:
        stage.main()
    return str(caught.value)


def test_a_checkpoint_belongs_to_the_exact_inputs(untrained: Project) -> None:
    def change_labels(name: str) -> None:
        arrays = read_arrays(Path(name), ("images", "labels"))
        write_arrays(Path(name), {**arrays, "labels": (arrays["labels"] + 1) % 10})

    def append(name: str, text: str) -> None:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(text)

    keys = [checkpoint_key()]
    for change in (
        lambda: untrained.set_param("train.seed", 1),
        lambda: untrained.set_param("runtime.threads", 3),
        lambda: untrained.set_param("recipes.article.epochs", 9),
        lambda: untrained.set_param("recipes.article.dropout.dense", 0.4),
        lambda: change_labels("data/prepared/train.npz"),
        lambda: change_labels("data/prepared/validation.npz"),
        lambda: append("digits/training/networks.py", "# another network\n"),
        lambda: append("environment.yaml", 'another: "1.0"\n'),
    ):
        change()
        keys.append(checkpoint_key())

    assert len(keys) == len(set(keys))


def test_a_checkpoint_does_not_depend_on_what_training_does_not_read(untrained: Project) -> None:
    before = checkpoint_key()
    untrained.set_param("evaluate.calibration_bins", 3)
    untrained.set_param("recipes.short.epochs", 2)
    (untrained.folder / "data/prepared/test.npz").unlink()

    assert before == checkpoint_key()
