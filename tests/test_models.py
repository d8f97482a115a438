"""A saved model is a plain Keras model whose bytes depend on the model alone."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits.backend.models import load_model, probabilities, save_model
from digits.errors import DigitsError
from digits.files import read_arrays, read_table
from digits.training.networks import build
from digits.training.recipes import Recipe
from tests.pipeline import RECIPE, Project

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]

# It can import nothing of ours, and is started in another folder.
PLAIN_KERAS = """
import sys
sys.modules["digits"] = None
import keras, numpy
model = keras.saving.load_model(sys.argv[1])
test = numpy.load(sys.argv[2])
numpy.save(sys.argv[3], model.predict(test["images"], verbose=0))
print(sorted({type(layer).__module__.partition(".")[0] for layer in model.layers}))
"""


def small_model() -> Any:
    """Build the network `article` for images of 14 by 14 pixels, with weights as training may leave them."""
    dropout = {"convolution": 0.25, "dense": 0.5}
    recipe = Recipe.model_validate(
        {
            "network": "article",
            "widths": [32, 64, 128],
            "dropout": dropout,
            "label_smoothing": 0,
            "class_weights": 0,
            "beta_2": 0.999,
            **RECIPE,
        }
    )
    model = build((14, 14, 1), 10, recipe)
    random = np.random.default_rng(0)
    model.set_weights(
        [random.random(weights.shape, np.float32) / 4 + 0.01 for weights in model.get_weights()]
    )
    return model


def test_the_trained_model_is_one_that_plain_keras_loads(finished: Project, tmp_path: Path) -> None:
    model, test = finished.folder / "data/model.keras", finished.folder / "data/prepared/test.npz"
    elsewhere = Project(tmp_path, finished.home)
    result = elsewhere.run("python", "-c", PLAIN_KERAS, str(model), str(test), str(tmp_path / "answers.npy"))

    assert 0 == result.returncode, result.stderr
    assert "['keras']" == result.stdout.strip()
    answers = np.load(tmp_path / "answers.npy")
    predictions = read_table(finished.folder / "data/predictions.csv", ("predicted", "uncalibrated"))
    assert predictions["predicted"] == answers.argmax(axis=1).tolist()
    # The table rounds to six decimals.
    np.testing.assert_allclose(predictions["uncalibrated"], answers.max(axis=1), rtol=0, atol=1e-5)


def test_loading_gives_the_answers_that_were_measured(finished: Project) -> None:
    test = read_arrays(finished.folder / "data/prepared/test.npz", ("images", "labels"))
    answers = probabilities(load_model(finished.folder / "data/model.keras"), test["images"])
    predictions = read_table(finished.folder / "data/predictions.csv", ("uncalibrated",))

    assert (len(test["labels"]), 10) == answers.shape
    np.testing.assert_allclose(1, answers.sum(axis=1), rtol=0, atol=1e-6)
    np.testing.assert_allclose(predictions["uncalibrated"], answers.max(axis=1), rtol=0, atol=6e-7)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    model = small_model()
    for name in ("one.keras", "two.keras"):
        save_model(model, tmp_path / name)
    save_model(load_model(tmp_path / "one.keras"), tmp_path / "three.keras")

    one, two, three = ((tmp_path / f"{name}.keras").read_bytes() for name in ("one", "two", "three"))
    assert one == two == three


def test_a_saved_model_carries_no_clock_and_no_address(tmp_path: Path) -> None:
    save_model(small_model(), tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        times = {entry.date_time for entry in archive.infolist()}
        texts = [archive.read(name).decode() for name in ("config.json", "metadata.json")]

    assert {(1980, 1, 1, 0, 0, 0)} == times
    assert not [text for text in texts if "date" in text or "shared_object_id" in text]


def test_a_model_that_cannot_be_written_is_a_problem_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "model.keras").mkdir()
    with pytest.raises(DigitsError, match=r"model\.keras: cannot be written: Is a directory$"):
        save_model(small_model(), tmp_path / "model.keras")

    assert ["model.keras"] == [path.name for path in tmp_path.iterdir()]


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def with_entry(name: str, change: Callable[[bytes], bytes | None]) -> Callable[[bytes], bytes]:
    """Return a function that changes an entry of an archive, or drops it where `change` gives None."""

    def damage(content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {entry: archive.read(entry) for entry in archive.namelist()}
        changed = change(entries.pop(name))
        damaged = io.BytesIO()
        with zipfile.ZipFile(damaged, "w") as archive:
            for entry, value in (entries | ({} if changed is None else {name: changed})).items():
                archive.writestr(entry, value)
        return damaged.getvalue()

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"a text", id="another file"),
        pytest.param(truncated, id="truncated"),
        pytest.param(lambda content: content[:5000] + b"\0" + content[5001:], id="a changed byte"),
        pytest.param(with_entry("model.weights.h5", lambda _: None), id="no weights"),
        pytest.param(with_entry("model.weights.h5", truncated), id="half of the weights"),
        pytest.param(with_entry("config.json", lambda _: None), id="no description"),
        pytest.param(with_entry("config.json", truncated), id="half of the description"),
        pytest.param(with_entry("config.json", lambda _: b"[]"), id="a description of nothing"),
        pytest.param(
            with_entry("config.json", lambda text: json.dumps({**json.loads(text), "module": "no"}).encode()),
            id="a description of something else",
        ),
    ],
)
def test_a_damaged_model_is_a_problem_said_in_a_line(
    finished: Project, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(damage((finished.folder / "data/model.keras").read_bytes()))
    with pytest.raises(DigitsError) as caught:
        load_model(path)

    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_model_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DigitsError, match=r"model\.keras: .*no such file"):
        load_model(tmp_path / "model.keras")
