"""A calibrated model's files: they are read as written, both engines agree, bad files give one line."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digits.classifier.classifier import check_parity, load_classifier
from digits.classifier.metadata import (
    Calibration,
    Thresholds,
    append_calibration,
    read_calibration,
    read_detector,
)
from digits.errors import DigitsError
from digits.files import read_arrays
from digits.params import Params
from digits.prediction.predict import predict_digit
from digits.training.networks import build
from digits.training.recipes import Recipe
from tests.pipeline import REPOSITORY, Project

CALIBRATION_OF_DIGITS = Calibration(
    tuple("0123456789"), (28, 28, 1), "mnist", "dark", 1.0, Thresholds(0.5, 0.0)
)
CALIBRATION = Calibration(("a", "b"), (2, 2, 1), "mnist", "dark", 1.5, Thresholds(0.75, 0.25))


def test_a_calibration_comes_back_from_the_file_that_it_was_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"a network")
    weights = [np.full(shape, 0.5, np.float32) for shape in ((3, 2), (2,), (2, 2), (2,))]
    append_calibration(path, CALIBRATION, weights)

    assert CALIBRATION == read_calibration(path)
    assert all(np.array_equal(*pair) for pair in zip(weights, read_detector(path), strict=True))
    assert path.read_bytes().startswith(b"a network")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(b""), "not a calibrated model"),
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "not a calibrated model"),
        (lambda path: (path.unlink(), path.mkdir()), "not a regular file"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"temperature", b"temperance_")), "no"),
    ],
)
def test_a_file_that_is_no_calibrated_model_gives_one_line(
    tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "model.tflite"
    append_calibration(path, CALIBRATION)
    change(path)
    with pytest.raises(DigitsError, match=reason) as caught:
        load_classifier(path, "litert")

    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", *(CALIBRATION.as_json().replace(old, new) for old, new in [("1.5", "NaN"), ("2,", "")])],
)
def test_a_calibration_that_lacks_a_value_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Calibration.from_json(text)


def test_a_network_that_litert_cannot_read_gives_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no network" * 100)
    append_calibration(path, CALIBRATION)
    with pytest.raises(DigitsError, match=r"model\.tflite: not a readable \.tflite model \(") as caught:
        load_classifier(path, "litert")

    assert "\n" not in str(caught.value)


def test_any_number_of_images_is_answered_as_each_alone(finished: Project) -> None:
    images = read_arrays(finished.folder / "data/prepared/test.npz", ("images",))["images"]
    classifier = load_classifier(finished.folder / "data/model.tflite", "litert")
    whole = classifier.classify(images[:33])
    alone = [classifier.classify(images[index : index + 1]) for index in range(33)]

    np.testing.assert_allclose(whole.score, [answers.score[0] for answers in alone], rtol=0, atol=1e-5)
    np.testing.assert_allclose(
        whole.probabilities, np.concatenate([answers.probabilities for answers in alone]), rtol=0, atol=1e-5
    )
    assert (0, 10) == classifier.classify(images[:0]).probabilities.shape


def test_images_of_another_form_are_refused(finished: Project) -> None:
    classifier = load_classifier(finished.folder / "data/model.tflite", "litert")

    assert ((28, 28, 1), tuple("0123456789")) == (classifier.image_shape, classifier.classes)
    for images in (np.zeros((1, 14, 14, 1), np.float32), np.zeros((1, 28, 28, 1))):
        with pytest.raises(DigitsError, match=r"expected float32 and \(N, 28, 28, 1\)"):
            classifier.classify(images)


def test_litert_needs_no_tensorflow() -> None:
    code = "import sys, digits.classifier.classifier, ai_edge_litert.interpreter; "
    code += "print({'tensorflow', 'keras'} & {*sys.modules})"
    finished = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)

    assert "set()" == finished.stdout.strip()


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_both_engines_answer_alike(finished: Project) -> None:
    images = read_arrays(finished.folder / "data/prepared/test.npz", ("images",))["images"]
    keras, litert = (
        load_classifier(finished.folder / file, engine).classify(images)  # type: ignore[arg-type]
        for file, engine in (("data/calibrated.keras", "keras"), ("data/model.tflite", "litert"))
    )

    np.testing.assert_allclose(keras.probabilities, litert.probabilities, rtol=0, atol=1e-5)
    np.testing.assert_allclose(keras.score, litert.score, rtol=0, atol=1e-5)


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_two_exports_have_equal_bytes(finished: Project) -> None:
    from digits.backend.models import load_model
    from digits.classifier.tflite import flatbuffer

    path = finished.folder / "data/calibrated.keras"
    first, second = (flatbuffer(load_model(path), read_detector(path)) for _ in range(2))

    assert first == second
    assert (finished.folder / "data/model.tflite").read_bytes().startswith(first)


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
@pytest.mark.parametrize("recipe", ["article", "fast", "accurate", "general"])
@pytest.mark.parametrize(("shape", "classes"), [((96, 64, 3), 2), ((28, 28, 1), 10), ((32, 40, 3), 200)])
def test_the_export_of_each_network_answers_as_it_does_for_images_of_any_form(
    recipe: str, shape: tuple[int, int, int], classes: int, tmp_path: Path
) -> None:
    from digits.classifier.detector import answerer
    from digits.classifier.tflite import flatbuffer

    random = np.random.Generator(np.random.PCG64(0))
    settings = Params(REPOSITORY / "params.yaml").section(f"recipes.{recipe}", Recipe)
    model = build(shape, classes, settings)
    # As after a training: no mean is 0, and no variance is 1.
    model.set_weights(
        [weights + random.random(weights.shape, np.float32) / 20 for weights in model.get_weights()]
    )
    features = model.layers[-1].kernel.shape[0]
    detector = [random.random(size, np.float32) / 20 for size in ((features, 4), (4,), (4, 2), (2,))]
    names = tuple(f"class {number}" for number in range(classes))
    path = tmp_path / "model.tflite"
    path.write_bytes(flatbuffer(model, detector))
    append_calibration(path, Calibration(names, shape, "fit", "any", 1.0, Thresholds(0.5, 0.5)))
    images = random.random((5, *shape), np.float32)
    exported = load_classifier(path, "litert").classify(images)
    probabilities, scores = answerer(model, detector)(images)

    check_parity(probabilities, exported.probabilities)
    np.testing.assert_allclose(scores, exported.score, rtol=0, atol=1e-5)


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
@pytest.mark.parametrize("recipe", ["article", "fast", "accurate", "general"])
def test_each_network_answers_as_int8_as_well_as_eight_bits_can(recipe: str, tmp_path: Path) -> None:
    import keras

    from digits.backend.models import probabilities
    from digits.classifier.int8 import int8_flatbuffer

    keras.utils.set_random_seed(0)
    settings = Params(REPOSITORY / "params.yaml").section(f"recipes.{recipe}", Recipe)
    model = build((28, 28, 1), 10, settings.model_copy(update={"batch_norm_momentum": 0.5}))
    # A bright bar, which is the higher the larger the class.
    labels = np.arange(60) % 10
    images = np.random.default_rng(0).random((60, 28, 28, 1), np.float32) / 2
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4 : 2 * label + 6, 6:22] = 1
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, labels, batch_size=20, epochs=20, verbose=0)
    path = tmp_path / "int8.tflite"
    content = int8_flatbuffer(model, images)
    path.write_bytes(content)
    append_calibration(path, CALIBRATION_OF_DIGITS)
    answers = load_classifier(path, "litert").classify(images)
    expected = probabilities(model, images)

    assert len(content) < 1.2 * model.count_params() + 10_000
    assert (expected.argmax(axis=1) == labels).mean() > 0.9
    assert (expected.argmax(axis=1) == answers.probabilities.argmax(axis=1)).mean() > 0.9
    assert np.abs(expected - answers.probabilities).mean() < 0.02
    # It has no detector, which would tell what is no digit.
    assert [1.0] * 60 == answers.score.tolist()
    assert int8_flatbuffer(model, images) == content


@pytest.mark.parametrize("name", ["network", "network-int8"])
def test_the_network_alone_reads_what_has_the_form_of_mnist_and_refuses_other_pictures(
    finished: Project, name: str
) -> None:
    images = read_arrays(finished.folder / "data/prepared/test.npz", ("images",))["images"]
    whole, alone = (
        load_classifier(finished.folder / f"data/{each}.tflite", "litert") for each in ("model", name)
    )
    expected, actual = (model.classify(images).probabilities for model in (whole, alone))
    framed = np.pad(np.ones((20, 4), np.float32), ((4, 4), (12, 12)))

    assert (expected.argmax(axis=1) == actual.argmax(axis=1)).mean() > (0.99 if name == "network" else 0.9)
    assert 1 == predict_digit(framed, alone).score
    photograph = REPOSITORY / "docs/photograph.jpg"
    with pytest.raises(
        DigitsError, match=r"no network that finds ink; it reads images .* 28 by 28 pixels"
    ) as caught:
        predict_digit(photograph, alone)

    assert str(caught.value).startswith(f"{photograph}: ")
