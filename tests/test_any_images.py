"""Images of anything are learned and calibrated: of any size and colour, of few classes or many."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from digits.backend.models import load_model
from digits.calibration.calibrate import CalibrateParams, calibrate, save_calibrated
from digits.calibration.readings import no_readings
from digits.classifier.detector import DetectorParams
from digits.classifier.metadata import read_calibration
from digits.data.datasets import Dataset
from digits.data.preparation import scale
from digits.files import Arrays
from digits.params import Params
from digits.training.recipes import Recipe
from digits.training.train import class_weights, train
from tests.pipeline import REPOSITORY, Project, description

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]

# Height, width and channels, the number of classes, and how many images one has for each of the last class.
SETS = {
    "two classes of 96 by 64 in colour": ((96, 64, 3), 2, 1),
    "four unbalanced classes in colour": ((24, 24, 3), 4, 8),
    "thirty classes of 8 by 8 in grey": ((8, 8, 1), 30, 1),
}

AXES = (("x", "images"), ("y", "labels"))

CALIBRATION = CalibrateParams(
    seed=0,
    detector=DetectorParams(units=8, epochs=2, batch_size=64, learning_rate=0.01),
    images=1000,
    wrong_at_most=0.5,
    wrong_of_composed_at_most=0.5,
    false_accepts_at_most=0.1,
)


def bars(shape: tuple[int, int, int], classes: int, often: int, count: int, seed: int) -> Arrays:
    """Draw noise with a bright bar: place, colour and brightness are the class; the last class is rare."""
    random = np.random.Generator(np.random.PCG64(seed))
    weights = np.array([often] * (classes - 1) + [1])
    labels = random.permutation(np.repeat(np.arange(classes), weights * count // weights.sum() + 1))
    images = random.integers(0, 100, (len(labels), *shape), np.uint8)
    thick = shape[0] // 8
    for image, label in zip(images, labels, strict=True):
        row, further = label % 8, label // 8
        image[row * thick : (row + 1) * thick, :, further % shape[2]] = 255 - further // shape[2] * 40
    return {"images": images, "labels": labels.astype(np.uint8)}


def dataset(parts: tuple[Arrays, Arrays], classes: int) -> Dataset:
    names = [f"class {number}" for number in range(classes)]
    arrays = {f"{axis}_{part}": parts[0][name] for axis, name in AXES for part in ("train", "test")}
    values = description(arrays, names, characters=False, framing="fit", ground="any")
    source = {"kind": "folder", "name": "nowhere", "path": "/nowhere"}
    return Dataset.model_validate({"name": "bars", **values, "sources": [source]})


def recipe(**changes: Any) -> Recipe:
    own = Params(REPOSITORY / "params.yaml").section("recipes.general", Recipe)
    still = own.augmentation.model_copy(update={"shift": 0})
    small = {"widths": [8, 16], "epochs": 4, "least_steps": 0, "batch_size": 16, "augmentation": still}
    return own.model_copy(update=small | changes)


@pytest.mark.parametrize("name", SETS)
def test_images_of_any_size_colour_and_number_of_classes_are_learned_and_calibrated(
    name: str, tmp_path: Path
) -> None:
    shape, classes, often = SETS[name]
    parts = (bars(shape, classes, often, 240, seed=0), bars(shape, classes, often, 60, seed=1))
    model, history = train(*parts, recipe=recipe(), seed=0, checkpoint=tmp_path / "train.npz", key="")
    training, validation = ({**part, "images": scale(part["images"])} for part in parts)
    described = dataset(parts, classes)
    unread = (no_readings(shape), no_readings(shape))
    calibration, detector = calibrate(model, training, validation, unread, described, CALIBRATION)
    save_calibrated(model, calibration, detector, None, tmp_path / "calibrated.keras")

    assert history["val_accuracy"][-1] > 3 / classes if classes > 4 else 0.7
    assert calibration == read_calibration(tmp_path / "calibrated.keras")
    assert (tuple(described.classes), shape) == (calibration.classes, calibration.image_shape)
    load_model(tmp_path / "calibrated.keras", shape, classes)


def test_rare_classes_weigh_as_much_as_frequent_ones_where_the_recipe_says_so() -> None:
    # Six images of class 0, two of class 1; inversely weighted, both count as four.
    labels = np.array([0, 0, 0, 1, 0, 0, 1, 0], np.uint8)

    assert class_weights(labels, 0) is None
    assert {0: 4 / 6, 1: 2.0} == pytest.approx(class_weights(labels, 1))
    assert {0: 1 - (1 - 4 / 6) / 2, 1: 1.5} == pytest.approx(class_weights(labels, 0.5))


@pytest.mark.parametrize(("steps", "expected"), [(375, 10), (200, 10), (199, 11), (13, 154)])
def test_few_images_are_seen_in_more_epochs(steps: int, expected: int) -> None:
    assert expected == recipe(epochs=10, least_steps=2000).epochs_of(steps)


def test_a_training_takes_the_steps_that_it_must_take(tmp_path: Path) -> None:
    parts = (bars((8, 8, 1), 2, 1, 30, seed=0), bars((8, 8, 1), 2, 1, 10, seed=1))
    longer = recipe(epochs=1, least_steps=5)
    _, history = train(*parts, recipe=longer, seed=0, checkpoint=tmp_path / "train.npz", key="")

    # Epochs of two steps.
    assert [1, 2, 3] == history["epoch"]


def test_weights_let_a_rare_class_be_found(tmp_path: Path) -> None:
    """Of noise, where there is nothing to learn, the frequent class is guessed, unless it weighs less."""
    random = np.random.Generator(np.random.PCG64(0))
    part = {
        "images": random.integers(0, 256, (256, 8, 8, 1), np.uint8),
        "labels": (np.arange(256) % 8 == 0).astype(np.uint8),
    }
    rare = {}
    for strength in (0, 1):
        weighted = recipe(class_weights=strength, epochs=2)
        model, _ = train(part, part, recipe=weighted, seed=0, checkpoint=tmp_path / f"{strength}", key="")
        rare[strength] = float(np.asarray(model.predict(scale(part["images"]), verbose=0))[:, 1].mean())

    assert rare[0] < 0.3 < 0.4 < rare[1]


def test_no_image_is_mirrored_where_a_mirrored_one_may_be_of_another_class(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project", without=[".dvc", ".git", "reports"])
    project.set_param("recipes.article.augmentation.flip", 0.5)
    result = project.stage("train")

    assert 0 == result.returncode, result.stderr
    assert "no image is mirrored: a mirrored image of synthetic may be of another class" in result.stdout
    assert finished.contents("train") == project.contents("train")


def test_there_is_no_ink_to_find_where_pictures_are_read_as_they_are(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project", without=[".dvc", ".git"])
    project.write_description("synthetic", project.description() | {"framing": "fit"})
    before = (project.folder / "data/ink.npz").stat().st_size
    for name in project.outputs("ink"):
        (project.folder / name).unlink()
    result = project.stage("ink")

    assert 0 == result.returncode, result.stderr
    assert "pictures of synthetic are read as they are: there is no ink to find" in result.stdout
    assert b"{}\n" == (project.folder / "data/ink.json").read_bytes()
    assert (project.folder / "data/ink.npz").stat().st_size < 100 < before

    result = project.stage("calibrate")

    assert 0 == result.returncode, result.stderr
    with ZipFile(project.folder / "data/calibrated.keras") as archive:
        assert not [name for name in archive.namelist() if "ink" in name]
