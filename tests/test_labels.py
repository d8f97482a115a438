"""Models of anything: images of any size and colour, and answers with the names of classes."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import ExifTags, Image

from digits import find_digits, load_model, predict_digit, predict_digits, predict_label, predict_labels
from digits.classifier.classifier import Classifier
from digits.classifier.metadata import Calibration, Thresholds, read_calibration
from digits.errors import DigitsError
from digits.files import read_arrays
from digits.prediction.explanation import explanation
from digits.prediction.output import WIDEST_LABEL, cells_of
from tests.pipeline import REPOSITORY, Project
from tests.tiny_colours import COLOURS

RED, GREEN, BLUE = (230, 20, 20), (20, 230, 20), (20, 20, 230)


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> Image.Image:
    return Image.new("RGB", size, colour)


@pytest.fixture(scope="module")
def model(colour_models: Path) -> Classifier:
    return load_model(colour_models / "colours.tflite")


class Asked:
    """A classifier of images of 8 by 10 that always answers alike, and keeps what it was asked about."""

    def __init__(self, channels: int = 3, framing: Any = "fit", ground: Any = "any") -> None:
        self.images: list[np.ndarray] = []
        thresholds = Thresholds(0.5, 0.5)
        calibration = Calibration(("a", "b"), (8, 10, channels), framing, ground, 1.0, thresholds)
        self.model = Classifier(calibration, self.answer, None)

    def answer(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.images.append(images)
        count = len(images)
        return np.tile(np.array([0.25, 0.75], np.float32), (count, 1)), np.full(count, 0.9, np.float32)

    def seen(self, picture: Any) -> np.ndarray:
        """Return what the network sees of a picture."""
        predict_label(picture, self.model)
        return self.images[-1][0]


def noise(*shape: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(0)).integers(0, 256, shape, np.uint8)


def test_a_picture_is_answered_with_the_name_and_the_index_of_its_class(model: Classifier) -> None:
    prediction = predict_label(plain(BLUE), model)
    label, confidence = prediction

    assert ("青い花", 2, COLOURS) == (prediction.label, prediction.index, prediction.classes)
    assert (prediction.label, prediction.confidence) == (label, confidence)
    assert prediction.sure
    assert ((12, 16, 3), (0, 0, 300, 200)) == (prediction.image.shape, prediction.box)


def test_a_class_that_is_no_digit_has_none(model: Classifier) -> None:
    prediction = predict_label(plain(RED), model)

    with pytest.raises(AttributeError, match=r"the classes are no digits, but 'red apple', .*`label`"):
        _ = prediction.digit


def test_a_model_of_digits_answers_with_digits_whatever_its_images_are(colour_models: Path) -> None:
    model = load_model(colour_models / "digits.tflite")
    digit, _ = prediction = predict_digit(plain(GREEN), model)

    assert (1, int, "1") == (digit, type(digit), prediction.label)


@pytest.mark.parametrize("function", [predict_digit, predict_digits, find_digits])
def test_a_model_of_anything_else_reads_no_digits(function: Callable[..., object], model: Classifier) -> None:
    with pytest.raises(DigitsError, match=r"^the model reads no digits: its classes are 'red apple', .*"):
        function(plain(RED), model)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
@pytest.mark.parametrize(("framing", "ground"), [("fit", "any"), ("crop", "any"), ("fit", "dark")])
@pytest.mark.parametrize("kind", ["a file", "bytes", "float32"])
def test_a_picture_of_the_dataset_s_size_reaches_the_network_bit_for_bit(
    channels: int, mode: str, framing: str, ground: str, kind: str, tmp_path: Path
) -> None:
    # Its border is lighter than its middle, but most of its outermost pixels are dark.
    image = noise(8, 10, channels) // 5
    image[0] = 255
    Image.fromarray(image.squeeze(), mode).save(tmp_path / "picture.png")
    pictures = {"a file": tmp_path / "picture.png", "bytes": image, "float32": image / np.float32(255)}

    assert (image / np.float32(255)).tolist() == Asked(channels, framing, ground).seen(
        pictures[kind]
    ).tolist()


def test_a_picture_is_turned_as_its_camera_was_held(tmp_path: Path) -> None:
    image = noise(10, 8, 3)
    picture = Image.fromarray(image)
    exif = picture.getexif()
    exif[ExifTags.Base.Orientation] = 6
    picture.save(tmp_path / "picture.png", exif=exif)

    assert (np.rot90(image, 3) / np.float32(255)).tolist() == Asked().seen(tmp_path / "picture.png").tolist()


def test_a_picture_is_fitted_whole_or_cropped() -> None:
    halves = np.zeros((40, 200, 3), np.uint8)
    halves[:, 80:120] = RED
    fitted, cropped = (Asked(framing=framing).seen(halves) for framing in ("fit", "crop"))
    box = predict_label(halves, Asked(framing="crop").model).box

    assert (0, 0) == (fitted[0].max(), fitted[4, 0].max())
    assert np.float32(230 / 255) == cropped[..., 0].max()
    assert (75, 0, 125, 40) == box


def test_a_picture_on_light_ground_is_inverted_where_the_dataset_is_on_dark_ground() -> None:
    page = np.full((80, 100), 255, np.uint8)
    page[30:50, 40:60] = 0
    for size in ((80, 100), (8, 10)):
        picture = Image.fromarray(page).resize(size[::-1])
        dark, any_ground = (Asked(1, "fit", ground).seen(picture) for ground in ("dark", "any"))

        assert (0, 1) == (dark[0, 0, 0], any_ground[0, 0, 0])
        assert (dark + any_ground).ravel() == pytest.approx(np.ones(80))


@pytest.mark.parametrize("shape", [(5, 8, 10, 3), (5, 8, 10, 1), (5, 8, 10)])
def test_an_array_of_prepared_images_of_any_shape_is_answered_in_one_pass(shape: tuple[int, ...]) -> None:
    asked = Asked(3 if shape[-1] == 3 else 1)
    images = noise(*shape)
    predictions = predict_labels(images, asked.model)

    assert ["b"] * 5 == [prediction.label for prediction in predictions]
    assert [(images / np.float32(255)).ravel().tolist()] == [seen.ravel().tolist() for seen in asked.images]
    assert [(images[0] / np.float32(255)).squeeze().shape] * 5 == [one.image.shape for one in predictions]


def test_large_and_many_are_answered_as_each_alone(colour_models: Path) -> None:
    for name, count in (("large", 5), ("many", 40)):
        model = load_model(colour_models / f"{name}.tflite")
        images = noise(count, *model.image_shape)
        together = [prediction.probabilities for prediction in predict_labels(images, model)]
        alone = [predict_label(image, model).probabilities for image in images]

        assert (count, len(model.classes)) == np.shape(together)
        np.testing.assert_allclose(alone, together, rtol=0, atol=1e-6)


def test_the_likeliest_classes_come_first_of_many_and_in_order_of_few(colour_models: Path) -> None:
    models = (load_model(colour_models / f"{name}.tflite") for name in ("colours", "many"))
    few, many = (predict_label(plain(BLUE), model).likeliest(10) for model in models)

    assert [0, 1, 2] == few
    assert (2, [*range(10)]) == (many[0], sorted(many))


@pytest.fixture
def predict(colour_models: Path, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Return a function that runs `digits predict` with a model in a folder that has three pictures only."""
    (tmp_path / "花").mkdir()
    for name, colour in (("花/red 花.jpg", RED), ("花/green.png", GREEN), ("花/blue.webp", BLUE)):
        plain(colour).save(tmp_path / name)
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from digits.cli import main; main()"

    def predict(name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-X", "utf8", "-c", code, "predict", "--model", str(colour_models / name)]
        return subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True)

    return predict


@pytest.mark.parametrize("name", ["colours", "long"])
def test_names_of_any_length_and_alphabet_keep_the_table_s_columns(predict: Any, name: str) -> None:
    answer = predict(f"{name}.tflite", "花")
    head, *rows = answer.stdout.splitlines()

    assert (0, "") == (answer.returncode, answer.stderr)
    assert ["file", "label", "confidence"] == head.split()
    assert 1 == len({cells_of(row[: row.index("█")]) for row in rows})
    labels = ("青", "grü", "red a")
    assert 1 == len({cells_of(row[: row.index(label)]) for row, label in zip(rows, labels, strict=True)})
    assert max(cells_of(row) for row in rows) < 50 + WIDEST_LABEL


def test_programs_read_labels(predict: Any) -> None:
    (line,) = predict("colours.tflite", "--json", "花/green.png").stdout.splitlines()
    answer = json.loads(line)
    table = csv.DictReader(io.StringIO(predict("colours.tflite", "--csv", "花/green.png").stdout))
    (row,) = table

    assert "box confidence file label probabilities reason score sure" == " ".join(answer)
    assert "grüne Birne" == answer["label"] == row["label"]
    assert {*COLOURS} == {*answer["probabilities"]}
    assert answer["probabilities"]["grüne Birne"] == answer["confidence"]
    assert answer["confidence"] == float(row["confidence"]) == float(row["p_grüne Birne"])
    assert ["file", "label", "confidence"] == [*row][:3]


def test_keras_answers_too(predict: Any) -> None:
    answer = predict("colours.keras", "--json", "花/green.png")

    assert ("grüne Birne", "") == (json.loads(answer.stdout)["label"], answer.stderr)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("colours", "the model reads no digits: its classes are 'red apple', 'grüne Birne', '青い花'; "),
        ("digits", "the model reads one digit in a picture: it has no network that finds ink"),
    ],
)
def test_a_model_that_finds_no_ink_refuses_to_find_many(predict: Any, name: str, line: str) -> None:
    answer = predict(f"{name}.tflite", "--many", "花/green.png")

    assert (1, "") == (answer.returncode, answer.stdout)
    assert answer.stderr.startswith(f"digits: --many: {line}")
    assert 1 == answer.stderr.count("\n")


def test_an_explanation_shows_the_fitted_picture_and_the_ten_likeliest_classes(
    colour_models: Path, predict: Any, tmp_path: Path
) -> None:
    prediction = predict_label(plain(BLUE), load_model(colour_models / "many.tflite"))
    figure = explanation("blue.png", [prediction])
    *_, bars = figure.axes
    answer = predict("many.tflite", "--explain", "steps.png", "花/blue.webp")

    assert ["picture", "fitted"] == [name for name, _ in prediction.steps]
    assert (12, 16, 3) == prediction.steps[1][1].shape
    assert (10, "青い花") == (len(bars.texts), bars.texts[0].get_text())
    assert (0, "") == (answer.returncode, answer.stderr)
    with Image.open(tmp_path / "steps.png") as image:
        assert 994 == image.width


def test_a_model_of_another_version_says_what_it_lacks(colour_models: Path, tmp_path: Path) -> None:
    path = tmp_path / "old.keras"
    with ZipFile(colour_models / "colours.keras") as source, ZipFile(path, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name).replace(b'"ground"', b'"grund"'))

    with pytest.raises(DigitsError, match=r"calibration\.json has no 'ground' \(made by another version\?"):
        read_calibration(path)


def test_the_pipeline_makes_a_model_that_needs_no_repository_of_pictures_without_ink(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project", without=[".dvc", ".git"])
    names = [f"Größe {number}" for number in range(10)]
    changes = {"framing": "fit", "characters": False, "classes": names}
    project.write_description("synthetic", project.description() | changes)
    stages = {stage: project.stage(stage) for stage in ("ink", "calibrate", "export", "evaluate", "plot")}
    model = project.folder / "data/model.tflite"
    images = read_arrays(finished.folder / "data/prepared/test.npz", ("images",))["images"]
    (tmp_path / "empty").mkdir()
    picture = tmp_path / "empty/picture.png"
    Image.fromarray(np.rint(images[0, ..., 0] * 255).astype(np.uint8)).save(picture)
    project.folder.rename(tmp_path / "moved")
    model = tmp_path / "moved/data/model.tflite"
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from digits.cli import main; main()"
    command = [sys.executable, "-c", code, "predict", "--json", "--model", str(model), picture.name]
    answer = subprocess.run(command, cwd=picture.parent, capture_output=True, text=True)
    alone = load_model(model).classify(images[:1])

    assert [] == [result.stderr for result in stages.values() if result.returncode]
    assert "" == answer.stderr
    assert names[int(alone.probabilities.argmax())] == json.loads(answer.stdout)["label"]
    assert round(float(alone.probabilities.max()), 6) == json.loads(answer.stdout)["confidence"]
