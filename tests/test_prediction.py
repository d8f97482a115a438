"""`load_model`, `predict_digit`, `predict_digits` and `find_digits`, as applications call them."""

import doctest
import io
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digits import Prediction, find_digits, load_model, predict_digit, predict_digits
from digits.classifier.classifier import Classifier
from digits.classifier.metadata import Calibration, Thresholds
from digits.errors import DigitsError
from digits.pictures.framing import Framed
from digits.prediction import predict
from tests.drawing import drawn
from tests.pipeline import REPOSITORY
from tests.seeing import find_ink


@pytest.fixture(scope="session")
def model(classifier_files: Path) -> Classifier:
    return load_model(classifier_files / "model.tflite")


OF_DIGITS = Calibration(tuple("0123456789"), (28, 28, 1), "mnist", "dark", 1.0, Thresholds(0.75, 0.5))


class Asked:
    """A classifier that always gives the same answer, and keeps the images it was asked about."""

    def __init__(self, confidence: float = 0.9, score: float = 0.9) -> None:
        self.images: list[np.ndarray] = []
        self.row = np.full(10, (1 - confidence) / 9, np.float32)
        self.row[4] = confidence
        self.score = score
        self.model = Classifier(OF_DIGITS, self.answer, find_ink)

    def answer(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.images.append(images)
        return np.tile(self.row, (len(images), 1)), np.full(len(images), self.score, np.float32)


SEVEN = drawn("7", 60)
GREY = np.asarray(SEVEN)
SEVEN_PNG = io.BytesIO()
SEVEN.save(SEVEN_PNG, "PNG")
KINDS = {
    "bytes": SEVEN_PNG.getvalue(),
    "a Pillow image": SEVEN,
    "light on dark": drawn("7", 60, ink=255, paper=0),
    "colours": SEVEN.convert("RGB"),
    "a palette": SEVEN.convert("P"),
    "one bit": SEVEN.convert("1"),
    "small": drawn("7", 16),
    "large": drawn("7", 900),
    "uint8": GREY,
    "uint8 with one channel": GREY[..., np.newaxis],
    "uint8 with three channels": np.dstack([GREY] * 3),
    "uint16": GREY.astype(np.uint16) * 257,
    "booleans": GREY > 127,
    "floats from 0 to 1": GREY / 255,
    "floats from 0 to 255": GREY.astype(np.float64),
    "single precision": (GREY / 255).astype(np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_picture_is_read(kind: str, model: Classifier) -> None:
    digit, confidence = predict_digit(KINDS[kind], model)

    assert 7 == digit
    assert confidence > 0.9


def test_a_prediction_unpacks_as_digit_and_confidence_and_has_everything_else_as_attributes() -> None:
    asked = Asked(score=0.875)
    prediction = predict_digit(SEVEN, asked.model)
    digit, confidence = prediction

    assert (4, pytest.approx(0.9)) == (digit, confidence)
    assert (int, float) == (type(digit), type(confidence))
    assert (prediction.digit, prediction.confidence) == (digit, confidence)
    assert prediction.probabilities.tolist() == asked.row.tolist()
    assert 0.875 == prediction.score
    assert prediction.image.tolist() == asked.images[0][0, ..., 0].tolist()
    assert prediction.box is not None
    left, top, right, bottom = prediction.box
    dark = GREY < 128
    assert not dark[:top].any() and not dark[bottom:].any()
    assert not dark[:, :left].any() and not dark[:, right:].any()


def test_an_image_in_the_form_of_mnist_reaches_the_network_unchanged() -> None:
    asked = Asked()
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 10:16] = np.random.Generator(np.random.PCG64(0)).integers(1, 256, (20, 6), np.uint8)
    image[4:24, 12:14] = 255
    predict_digit(image, asked.model)

    assert (image / np.float32(255)).tolist() == asked.images[0][0, ..., 0].tolist()


def test_where_a_digit_was_looked_at_twice_the_answer_is_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    dark, light = np.full((2, 28, 28), [[[0.25]], [[0.75]]], np.float32)
    pictures = iter([Framed((dark,), (0, 0, 9, 9), ()), Framed((dark, light), (0, 0, 9, 9), ())])
    monkeypatch.setattr("digits.prediction.predict.framed", lambda image, model: next(pictures))

    def answer(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        level = images[:, 0, 0]
        return np.concatenate([level, 1 - level, np.zeros((len(images), 8))], axis=1), level[:, 0]

    model = Classifier(OF_DIGITS, answer, find_ink)
    alone, both = predict_digits([None, None], model)

    assert (1, 0.75, 0.25) == (*alone, alone.score)
    assert (0.5, 0.5) == (both.confidence, both.score)


@pytest.mark.parametrize(
    ("confidence", "score", "reason"),
    [
        (0.75, 0.5, ""),
        (0.625, 0.5, "confidence 0.625 under 0.750"),
        (0.75, 0.25, "score 0.250 under 0.500"),
        (0.625, 0.25, "confidence 0.625 under 0.750 and score 0.250 under 0.500"),
    ],
)
def test_an_answer_under_a_threshold_is_unsure_and_says_why(
    confidence: float, score: float, reason: str
) -> None:
    prediction = predict_digit(SEVEN, Asked(confidence, score).model)

    assert (reason, not reason) == (prediction.reason, prediction.sure)


def test_a_blank_page_has_no_ink_and_the_network_is_not_asked() -> None:
    asked = Asked()
    prediction = predict_digit(np.full((90, 60), 255, np.uint8), asked.model)

    assert [] == asked.images
    assert ("no ink found", False, None) == (prediction.reason, prediction.sure, prediction.box)
    assert [np.float32(0.1)] * 10 == prediction.probabilities.tolist()
    assert (pytest.approx(0.1), 0.0) == (prediction.confidence, prediction.score)
    assert not prediction.image.any()


def test_all_pictures_with_ink_reach_the_network_in_one_pass() -> None:
    asked = Asked()
    blank = np.full((50, 50), 255, np.uint8)
    predictions = predict_digits([SEVEN, blank, drawn("3", 80)], asked.model)

    # Each of the two was looked at twice.
    assert [(4, 28, 28, 1)] == [images.shape for images in asked.images]
    assert [4, 0, 4] == [prediction.digit for prediction in predictions]
    assert ["", "no ink found", ""] == [prediction.reason for prediction in predictions]


def assert_alike(alone: list[Prediction], together: list[Prediction]) -> None:
    assert [one.digit for one in alone] == [one.digit for one in together]
    assert [one.box for one in alone] == [one.box for one in together]
    for one, other in zip(alone, together, strict=True):
        assert one.image.tolist() == other.image.tolist()
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


@settings(max_examples=25)
@given(texts=st.lists(st.sampled_from([*"0123456789", " "]), max_size=5), size=st.sampled_from([20, 47]))
def test_a_batch_gives_what_its_pictures_give_alone(texts: list[str], size: int, model: Classifier) -> None:
    pictures = [drawn(text, size) for text in texts]

    assert_alike([predict_digit(picture, model) for picture in pictures], predict_digits(pictures, model))


@pytest.mark.parametrize("shape", [(11, 28, 28), (11, 28, 28, 1)])
def test_an_array_in_the_form_of_mnist_gives_what_its_images_give_alone(
    shape: tuple[int, ...], model: Classifier
) -> None:
    images = [predict_digit(drawn(str(digit), 48), model).image for digit in range(10)]
    batch = np.rint(np.stack([*images, np.zeros((28, 28))]) * 255).astype(np.uint8)
    together = predict_digits(batch.reshape(shape), model)

    assert [*range(10), 0] == [prediction.digit for prediction in together]
    assert [""] * 10 + ["no ink found"] == [prediction.reason for prediction in together]
    assert_alike([predict_digit(image, model) for image in batch], together)


def test_no_pictures_and_a_blank_page_give_no_predictions(model: Classifier) -> None:
    assert [] == predict_digits([], model)
    assert [] == predict_digits(np.zeros((0, 28, 28), np.uint8), model)
    assert [] == find_digits(np.full((100, 200), 255, np.uint8), model)


def test_digits_are_found_from_left_to_right_with_their_places(model: Classifier) -> None:
    picture = drawn("3 1 4 1 5", 60)
    predictions = find_digits(picture, model)
    boxes = [prediction.box for prediction in predictions if prediction.box]

    assert [3, 1, 4, 1, 5] == [prediction.digit for prediction in predictions]
    assert 5 == len(boxes)
    assert boxes == sorted(boxes)
    assert all(0 <= left < right <= picture.width for left, _, right, _ in boxes)
    assert all(0 <= top < bottom <= picture.height for _, top, _, bottom in boxes)


@pytest.mark.parametrize("certainty", [0.79, 0.81])
def test_a_row_with_a_doubtful_stroke_is_unsure(certainty: float, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Asked(confidence=1.0).model
    found = predict.framed_digits(drawn("3 1 4", 60), model)
    monkeypatch.setattr(predict, "framed_digits", lambda *_: replace(found, certainty=certainty))
    predictions = find_digits(SEVEN, model)
    row = predictions[0].row

    assert all(prediction.sure for prediction in predictions)
    assert row is not None
    assert row.sure == (certainty > 0.8)


@given(picture=arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=40)))
def test_the_answer_about_any_array_is_consistent(picture: np.ndarray, model: Classifier) -> None:
    prediction = predict_digit(picture, model)

    assert isinstance(prediction, Prediction)
    assert prediction.digit == prediction.probabilities.argmax()
    assert prediction.confidence == prediction.probabilities.max()
    assert 1 == pytest.approx(float(prediction.probabilities.sum()), abs=1e-5)
    assert prediction.sure == (prediction.reason == "")
    assert (prediction.box is None) == (prediction.reason == "no ink found")
    assert (28, 28) == prediction.image.shape


@pytest.mark.parametrize("pictures", ["seven.png", b"bytes", np.zeros((28, 28), np.uint8), SEVEN])
def test_one_picture_is_not_a_batch(pictures: Any) -> None:
    with pytest.raises(DigitsError, match=r"expected several pictures.*predict_digit"):
        predict_digits(pictures, Asked().model)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: predict_digits([SEVEN, "/no/7.png"], Asked().model), "picture 1: /no/7.png: No such file"),
        (lambda: predict_digit(SEVEN, "data/model"), "model: expected what load_model gives, found str"),  # type: ignore[arg-type]
        (lambda: load_model("m.tflite", "lite"), "'lite' is no engine (did you mean 'litert'?)"),
    ],
    ids=["a picture of a batch", "a model's path", "an engine"],
)
def test_wrong_arguments_are_named(call: Callable[[], object], line: str) -> None:
    with pytest.raises(DigitsError, match=f"^{re.escape(line)}"):
        call()


@pytest.mark.parametrize(
    ("engine", "path"), [(None, "data/model.tflite"), ("keras", "data/calibrated.keras")]
)
def test_a_missing_model_is_named_with_the_command_that_makes_it(
    engine: str | None, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DigitsError, match=f"^{path}: no such file; .*`make` or `dvc repro`"):
        load_model(engine=engine)


@pytest.mark.parametrize("function", [load_model, predict_digit, predict_digits])
def test_the_example_of_a_function_is_true(
    function: Callable[..., object], classifier_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").symlink_to(classifier_files)
    monkeypatch.chdir(tmp_path)
    (example,) = doctest.DocTestFinder(recurse=False).find(function, globs={})

    assert (0, len(example.examples)) == doctest.DocTestRunner().run(example)


def test_answers_need_no_tensorflow_matplotlib_or_pydantic(classifier_files: Path) -> None:
    code = """
import sys
import digits
before = {"numpy", "PIL"} & set(sys.modules)
from digits import load_model, predict_digit
digit, _ = predict_digit(sys.argv[2], load_model(sys.argv[1]))
slow = {"keras", "matplotlib", "pydantic", "tensorflow"} & set(sys.modules)
print(digit, before, slow)
"""
    picture = classifier_files / "seven.png"
    SEVEN.save(picture)
    command = [sys.executable, "-c", code, str(classifier_files / "model.tflite"), str(picture)]

    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert ("7 set() set()\n", "") == (answer.stdout, answer.stderr)
