"""`load_model`, `predict_digit`, `predict_digits` and `find_digits`, as applications call them."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from digits import Prediction, find_digits, load_model, predict_digit, predict_digits
from digits.classifier.classifier import Classifier
from digits.classifier.metadata import Calibration, Thresholds
from digits.errors import DigitsError
from tests.drawing import drawn
from tests.pipeline import REPOSITORY


@pytest.fixture(scope="session")
def model(classifier_files: Path) -> Classifier:
    return load_model(classifier_files / "model.tflite")


class Asked:
    """A classifier that gives one and the same answer, and remembers the images that it was asked about."""

    def __init__(self, confidence: float = 0.9, score: float = 0.9) -> None:
        self.images: list[np.ndarray] = []
        self.row = np.full(10, (1 - confidence) / 9, np.float32)
        self.row[4] = confidence
        self.score = score
        calibration = Calibration(tuple("0123456789"), (28, 28, 1), 1.0, Thresholds(0.75, 0.5))
        self.model = Classifier(calibration, self.answer)

    def answer(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.images.append(images)
        return np.tile(self.row, (len(images), 1)), np.full(len(images), self.score, np.float32)


def encoded(image: Image.Image, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG", **options)
    return content.getvalue()


def on_nothing(image: Image.Image) -> Image.Image:
    """Give the ink of `image` on a transparent background."""
    clear = Image.new("RGBA", image.size, (0, 0, 0, 0))
    clear.putalpha(image.point(lambda value: 255 - value))
    return clear


def turned(image: Image.Image) -> bytes:
    """Give `image` as a camera stores it that was held on its side: EXIF says how to turn it upright."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter
    return encoded(image.transpose(Image.Transpose.ROTATE_90), exif=exif)


SEVEN = drawn("7", 60)
GREY = np.asarray(SEVEN)
KINDS = {
    "bytes": encoded(SEVEN),
    "a Pillow image": SEVEN,
    "light on dark": drawn("7", 60, ink=255, paper=0),
    "colours": SEVEN.convert("RGB"),
    "a transparent background": on_nothing(SEVEN),
    "a palette": SEVEN.convert("P"),
    "one bit": SEVEN.convert("1"),
    "turned by EXIF": turned(SEVEN),
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


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_read_whatever_its_ending(kind: type, tmp_path: Path, model: Classifier) -> None:
    path = tmp_path / "seven.of.something"
    path.write_bytes(encoded(SEVEN))

    assert 7 == predict_digit(kind(path), model).digit


@pytest.mark.parametrize("digit", range(10))
def test_each_digit_is_told_from_the_others(digit: int, model: Classifier) -> None:
    prediction = predict_digit(drawn(str(digit), 48), model)

    assert (digit, True, "") == (prediction.digit, prediction.sure, prediction.reason)


def test_a_prediction_unpacks_as_digit_and_confidence() -> None:
    prediction = predict_digit(SEVEN, Asked().model)
    digit, confidence = prediction

    assert (4, pytest.approx(0.9)) == (digit, confidence)
    assert (int, float) == (type(digit), type(confidence))
    assert (prediction.digit, prediction.confidence) == (digit, confidence)


def test_a_prediction_has_all_that_is_known() -> None:
    asked = Asked(score=0.875)
    prediction = predict_digit(SEVEN, asked.model)

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


def test_the_network_sees_all_pictures_of_a_batch_in_one_pass() -> None:
    asked = Asked()
    blank = np.full((50, 50), 255, np.uint8)
    predictions = predict_digits([SEVEN, blank, drawn("3", 80)], asked.model)

    assert [(2, 28, 28, 1)] == [images.shape for images in asked.images]
    assert [4, 0, 4] == [prediction.digit for prediction in predictions]
    assert ["", "no ink found", ""] == [prediction.reason for prediction in predictions]


@settings(max_examples=25)
@given(texts=st.lists(st.sampled_from([*"0123456789", " "]), max_size=5), size=st.sampled_from([20, 47]))
def test_a_batch_gives_what_its_pictures_give_alone(texts: list[str], size: int, model: Classifier) -> None:
    pictures = [drawn(text, size) for text in texts]
    together = predict_digits(pictures, model)
    alone = [predict_digit(picture, model) for picture in pictures]

    assert [each.digit for each in alone] == [each.digit for each in together]
    assert [each.box for each in alone] == [each.box for each in together]
    for one, other in zip(alone, together, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


@pytest.mark.parametrize("channel", [(), (1,)])
def test_an_array_of_pictures_is_a_batch(channel: tuple[int, ...], model: Classifier) -> None:
    pictures = np.stack(
        [np.asarray(drawn("0", 40).resize((60, 70))), np.asarray(drawn("1", 40).resize((60, 70)))]
    )
    predictions = predict_digits(pictures.reshape(*pictures.shape, *channel), model)

    assert 2 == len(predictions)
    assert [0, 1] == [prediction.digit for prediction in predictions]


def test_an_array_in_the_form_of_mnist_gives_what_its_images_give_alone(model: Classifier) -> None:
    images = [predict_digit(drawn(str(digit), 48), model).image for digit in range(10)]
    batch = np.rint(np.stack([*images, np.zeros((28, 28))]) * 255).astype(np.uint8)
    together = predict_digits(batch, model)
    alone = [predict_digit(image, model) for image in batch]

    assert [*range(10), 0] == [prediction.digit for prediction in together]
    assert "no ink found" == together[-1].reason
    assert [each.box for each in alone] == [each.box for each in together]
    for one, other in zip(alone, together, strict=True):
        assert one.image.tolist() == other.image.tolist()
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_no_pictures_give_no_predictions(model: Classifier) -> None:
    assert [] == predict_digits([], model)
    assert [] == predict_digits(np.zeros((0, 28, 28), np.uint8), model)


def test_digits_are_found_from_left_to_right_with_their_places(model: Classifier) -> None:
    picture = drawn("3 1 4 1 5", 60)
    predictions = find_digits(picture, model)
    boxes = [prediction.box for prediction in predictions if prediction.box]

    assert [3, 1, 4, 1, 5] == [prediction.digit for prediction in predictions]
    assert 5 == len(boxes)
    assert boxes == sorted(boxes)
    assert all(0 <= left < right <= picture.width for left, _, right, _ in boxes)
    assert all(0 <= top < bottom <= picture.height for _, top, _, bottom in boxes)


def test_no_digits_are_found_on_a_blank_page(model: Classifier) -> None:
    assert [] == find_digits(np.full((100, 200), 255, np.uint8), model)


@given(picture=arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=40)))
def test_whatever_the_picture_the_answer_is_a_whole_one(picture: np.ndarray, model: Classifier) -> None:
    prediction = predict_digit(picture, model)

    assert isinstance(prediction, Prediction)
    assert prediction.digit == prediction.probabilities.argmax()
    assert prediction.confidence == prediction.probabilities.max()
    assert 1 == pytest.approx(float(prediction.probabilities.sum()), abs=1e-5)
    assert prediction.sure == (prediction.reason == "")
    assert (prediction.box is None) == (prediction.reason == "no ink found")
    assert (28, 28) == prediction.image.shape


@pytest.mark.parametrize("pictures", ["seven.png", b"bytes", np.zeros((28, 28), np.uint8), SEVEN])
def test_one_picture_is_no_batch(pictures: Any) -> None:
    with pytest.raises(DigitsError, match=r"expected several pictures.*predict_digit"):
        predict_digits(pictures, Asked().model)


def test_the_picture_of_a_batch_that_cannot_be_read_is_named() -> None:
    with pytest.raises(DigitsError, match=r"^picture 1: /nowhere/7\.png: No such file"):
        predict_digits([SEVEN, "/nowhere/7.png"], Asked().model)


def test_what_is_no_classifier_is_refused() -> None:
    with pytest.raises(DigitsError, match="model: expected what load_model gives, found str"):
        predict_digit(SEVEN, "data/model.tflite")  # type: ignore[arg-type]


def test_an_unknown_engine_is_refused_with_the_nearest() -> None:
    with pytest.raises(DigitsError, match=r"'lite' is no engine \(did you mean 'litert'\?\)"):
        load_model("model.tflite", engine="lite")


@pytest.mark.parametrize(
    ("engine", "path"), [(None, "data/model.tflite"), ("keras", "data/calibrated.keras")]
)
def test_a_model_that_is_not_made_yet_says_how_to_make_it(
    engine: str | None, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DigitsError, match=f"^{path}: no such file; .*`make` or `dvc repro`"):
        load_model(engine=engine)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no model")

    with pytest.raises(DigitsError, match=f"^{path}: not a calibrated model"):
        load_model(path)


def test_answers_come_without_tensorflow_matplotlib_or_pydantic(classifier_files: Path) -> None:
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


def test_both_engines_give_the_same_answers(classifier_files: Path, model: Classifier) -> None:
    code = """
import sys
import numpy as np
from digits import load_model, predict_digits
answers = predict_digits(np.load(sys.argv[2]), load_model(sys.argv[1]))
np.save(sys.argv[3], np.stack([np.append(each.probabilities, each.score) for each in answers]))
"""
    images = np.stack([predict_digit(drawn(str(digit), 35), model).image for digit in range(10)])
    np.save(classifier_files / "images.npy", images)
    names = ("calibrated.keras", "images.npy", "answers.npy")
    command = [sys.executable, "-c", code, *(str(classifier_files / name) for name in names)]
    subprocess.run(command, cwd=REPOSITORY, check=True)

    by_keras = np.load(classifier_files / "answers.npy")
    by_litert = [np.append(each.probabilities, each.score) for each in predict_digits(images, model)]

    assert by_keras == pytest.approx(np.stack(by_litert), abs=1e-5)
