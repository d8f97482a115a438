"""Artefacts that are not what a stage before wrote: one line that names the file and what is wrong."""

import os
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from digits.classifier.classifier import load_classifier
from digits.classifier.metadata import Calibration, Thresholds, append_calibration, read_detector
from digits.data.prepared import read_prepared
from digits.errors import DigitsError
from digits.evaluation.predictions import read_predictions
from digits.files import HISTORY, read_arrays, read_history, read_table, write_arrays, write_table
from digits.params import Params

IMAGES = np.full((3, 4, 4, 1), 0.5, np.float32)
LABELS = np.array([0, 1, 2], np.uint8)
HUGE_SHAPE = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 8), }"


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(DigitsError) as caught:
        read()
    return str(caught.value)


def with_value(value: float) -> np.ndarray:
    images = IMAGES.copy()
    images[1, 2, 3] = value
    return images


@pytest.mark.parametrize(
    ("images", "labels", "problem"),
    [
        (IMAGES[..., 0], LABELS, "images: the shape is (3, 4, 4), expected (N, H, W, C)"),
        (IMAGES.astype(np.float64), LABELS, "images: the type is float64, expected float32"),
        (IMAGES.astype(np.complex64), LABELS, "images: the type is complex64, expected float32"),
        (IMAGES.astype("U3"), LABELS, "images: the type is <U3, expected float32"),
        (
            np.zeros((3, 4, 4, 1), [("a", "u1")]),
            LABELS,
            "images: the type is [('a', 'u1')], expected float32",
        ),
        (IMAGES[:0], LABELS[:0], "images: the shape is (0, 4, 4, 1), expected (N, H, W, C)"),
        (with_value(np.nan), LABELS, "images: the values reach from nan to nan, expected 0 to 1"),
        (with_value(2), LABELS, "images: the values reach from 0.5 to 2, expected 0 to 1"),
        (IMAGES, LABELS[:2], "3 images with 2 labels"),
        (IMAGES, LABELS[:, np.newaxis], "labels: the shape is (3, 1), expected (N,)"),
        (IMAGES, LABELS.astype(np.int64), "labels: the type is int64, expected uint8"),
        (IMAGES, LABELS + np.uint8(1), "labels: the values reach from 1 to 3, expected 0 to 2"),
    ],
)
def test_prepared_arrays_are_what_they_must_be(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, problem: str
) -> None:
    path = tmp_path / "train.npz"
    write_arrays(path, {"images": images, "labels": labels})

    assert f"{path}: {problem}" == refusal(lambda: read_prepared(path, 3))


def test_a_shape_that_overflows_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "train.npz"
    header = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + HUGE_SHAPE.ljust(117) + b"\n"
    with ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header)

    assert refusal(lambda: read_arrays(path, ("images",))).startswith(f"{path}: damaged .npz archive (")


def test_an_array_that_is_larger_than_expected_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez_compressed(path, x_train=np.zeros(10**6, np.uint8))

    assert f"{path}: x_train has 1000128 bytes, expected at most 1000" == refusal(
        lambda: read_arrays(path, ("x_train",), largest=1000)
    )


@pytest.mark.parametrize(
    "read",
    [
        lambda path: read_arrays(path, ("images",)),
        lambda path: read_table(path, ("epoch",)),
        lambda path: load_classifier(path, "litert"),
        lambda path: Params(path),
    ],
)
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "train.npz"
    os.mkfifo(path)

    assert f"{path}: not a regular file" == refusal(lambda: read(path))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("accuracy", 1.5, "accuracy in row 2 is 1.5, expected a finite number from 0 to 1"),
        ("val_loss", -0.1, "val_loss in row 2 is -0.1, expected a finite number from 0"),
        ("loss", float("nan"), "loss in row 2 is nan, expected a finite number"),
        ("learning_rate", float("inf"), "learning_rate in row 2 is inf, expected a finite number"),
    ],
)
def test_a_history_has_shares_and_losses(tmp_path: Path, name: str, value: float, problem: str) -> None:
    path = tmp_path / "history.csv"
    row = dict.fromkeys(HISTORY, 0.5)
    lines = [row, row | {name: value}]
    text = "\n".join([",".join(HISTORY), *(",".join(map(str, line.values())) for line in lines)])
    path.write_text(text, encoding="utf-8")

    assert f"{path}: {problem}" == refusal(lambda: read_history(path))


@pytest.mark.parametrize(("name", "value"), [("predicted", 3), ("confidence", 1.5), ("uncalibrated", -0.5)])
def test_predictions_are_classes_and_shares(tmp_path: Path, name: str, value: float) -> None:
    columns = {"actual": [0], "predicted": [1], "confidence": [0.5], "uncalibrated": [0.5]}
    path = tmp_path / "predictions.csv"
    write_table(path, columns | {name: [value]})

    assert refusal(lambda: read_predictions(path, LABELS[:1], 3)).startswith(
        f"{path}: {name} in row 1 is {value:g}, expected a finite number from 0 to "
    )


def test_a_damaged_flatbuffer_is_refused_before_it_is_interpreted(
    classifier_files: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.tflite"
    content = bytearray((classifier_files / "model.tflite").read_bytes())
    content[100] ^= 1
    path.write_bytes(content)

    assert f"{path}: damaged; the network's bytes are not those that `dvc repro export` wrote" == refusal(
        lambda: load_classifier(path, "litert")
    )


@pytest.mark.parametrize(
    ("classes", "shape", "problem"),
    [
        ("012", (28, 28, 1), "the network's probabilities are (10,), those of its calibration (3,)"),
        (
            "0123456789",
            (14, 14, 1),
            "the network's images are (28, 28, 1), those of its calibration (14, 14, 1)",
        ),
    ],
)
def test_a_calibration_of_another_network_is_refused(
    classifier_files: Path, tmp_path: Path, classes: str, shape: tuple[int, int, int], problem: str
) -> None:
    path = tmp_path / "model.tflite"
    whole = (classifier_files / "model.tflite").read_bytes()
    path.write_bytes(whole[: whole.index(b"PK\x03\x04")])
    append_calibration(path, Calibration(tuple(classes), shape, "mnist", "dark", 1.0, Thresholds(0.5, 0.5)))

    assert f"{path}: {problem}" == refusal(lambda: load_classifier(path, "litert"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[\n    28,", "[\n    1e400,"),
        ("[\n    28,", "[\n    -1,"),
        ('"classes": [', '"classes": [[' + "0], [" * 1000),
    ],
)
def test_an_impossible_calibration_is_refused(old: str, new: str) -> None:
    text = Calibration(tuple("0123456789"), (28, 28, 1), "mnist", "dark", 1.0, Thresholds(0.5, 0.5)).as_json()

    assert old in text
    with pytest.raises((ValueError, OverflowError)):
        Calibration.from_json(text.replace(old, new))


def test_a_detector_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"a network")
    weights = [np.zeros(shape, np.float32) for shape in ((3, 2), (5,), (2, 2), (2,))]
    append_calibration(
        path, Calibration(("a",), (2, 2, 1), "mnist", "dark", 1.0, Thresholds(0.5, 0.5)), weights
    )

    assert f"{path}: detector/kernel_1.npy: the shape is (3, 2), expected (F, 5)" == refusal(
        lambda: read_detector(path)
    )


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_a_network_of_more_weights_than_the_file_has_is_refused(
    classifier_files: Path, tmp_path: Path
) -> None:
    from digits.backend.models import load_model

    path = tmp_path / "model.keras"
    with ZipFile(classifier_files / "calibrated.keras") as source, ZipFile(path, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            archive.writestr(name, content.replace(b'"units": 32', b'"units": 1000000000'))

    assert f"{path}: its layers have " in refusal(lambda: load_model(path))


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_a_network_for_other_images_or_classes_is_refused(classifier_files: Path) -> None:
    from digits.backend.models import load_model

    path = classifier_files / "calibrated.keras"

    assert f"{path}: takes images (28, 28, 1), expected (14, 14, 1)" == refusal(
        lambda: load_model(path, (14, 14, 1))
    )
    assert f"{path}: tells 10 classes apart, expected 3" == refusal(lambda: load_model(path, classes=3))


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_a_network_that_the_memory_does_not_suffice_for_is_refused_before_it_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from digits.training import networks
    from digits.training.recipes import Recipe

    recipe = Params(Path(__file__).parent.parent / "params.yaml").section("recipes.article", Recipe)
    monkeypatch.setattr(networks, "machine_memory", lambda: 10**8)

    assert "needs 1,067.4 GB of memory to train; this machine has 0.1 GB" in refusal(
        lambda: networks.build((28, 28, 1), 10, recipe.model_copy(update={"widths": [65536, 65536, 128]}))
    )
