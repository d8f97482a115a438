"""A dataset is a file, and a schema checks it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from digits.data.datasets import Dataset, chosen_dataset, dataset_names, read_dataset
from digits.errors import DigitsError
from digits.params import Params
from tests.pipeline import REPOSITORY

FOLDER = REPOSITORY / "datasets"
MNIST: dict[str, Any] = yaml.safe_load((FOLDER / "mnist.yaml").read_text(encoding="utf-8"))
ADDRESS = {"kind": "npz", "name": "keras", "url": "https://host/mnist.npz"}


@pytest.mark.parametrize("name", dataset_names(FOLDER))
def test_each_dataset_of_the_repository_is_described(name: str) -> None:
    dataset = read_dataset(name, FOLDER)

    assert (dataset.train, *dataset.image_shape[:2]) == dataset.array_shapes["x_train"][:3]
    assert all(len(digest) == 64 for digest in dataset.sha256.model_dump().values())


def test_mnist_is_what_it_was() -> None:
    """Its fields decide what the stages compute."""
    mnist = read_dataset("mnist", FOLDER)

    assert ((28, 28, 1), 60_000, 10_000) == (mnist.image_shape, mnist.train, mnist.test)
    assert ("last", "mnist", "dark", 0.98) == (
        mnist.validation,
        mnist.framing,
        mnist.ground,
        mnist.accuracy_above,
    )
    assert [*"0123456789"] == mnist.classes


def test_the_arrays_of_coloured_images_have_an_axis_for_their_channels() -> None:
    grey, coloured = (Dataset(name="x", **(MNIST | {"channels": channels})) for channels in (1, 3))

    assert (60_000, 28, 28) == grey.array_shapes["x_train"]
    assert (60_000, 28, 28, 3) == coloured.array_shapes["x_train"]


def test_labels_of_more_than_256_classes_take_two_bytes() -> None:
    types = [
        Dataset(name="x", **(MNIST | {"classes": [str(label) for label in range(count)]})).label_type
        for count in (256, 257)
    ]

    assert [np.dtype(np.uint8), np.dtype("<u2")] == types


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": 2}, "channels: 2 is no channels; allowed: 1, 3"),
        ({"height": 0}, "height: 0 is not allowed; expected greater than or equal to 1"),
        ({"width": "28"}, "width: '28' is not allowed; expected a valid integer"),
        ({"classes": ["a"]}, "classes: ['a'] is not allowed; expected at least 2 items"),
        ({"classes": ["a", "b", "a"]}, "classes: 'a' is there twice"),
        ({"classes": ["a", 1]}, "classes.1: 1 is not allowed; expected a valid string"),
        ({"classes": [str(number) for number in range(1001)]}, "classes: ["),
        ({"framing": "Fit"}, "framing: 'Fit' is no framing (did you mean 'fit'?); allowed: mnist, fit, crop"),
        ({"ground": "light"}, "ground: 'light' is no ground; allowed: any, dark"),
        ({"mirrored": "yes"}, "mirrored: 'yes' is not allowed; expected a valid boolean"),
        ({"accuracy_above": 98}, "accuracy_above: 98 is not allowed; expected less than or equal to 1"),
        ({"sha256": {"x_train": "a"}}, "sha256.y_train: missing"),
        ({"licens": "MIT"}, "'licens' is no key (did you mean 'licence'?); allowed: "),
        ({"sources": []}, "sources: [] is not allowed; expected at least 1 item"),
        ({"sources": ["keras"]}, "sources.0: 'keras' is not allowed; expected "),
        ({"sources": [{"name": "a"}]}, "sources.0.kind: missing"),
        (
            {"sources": [{"kind": "ftp"}]},
            "sources.0.kind: 'ftp' is no kind; allowed: npz, npm, idx, folder, packed, scikit-learn",
        ),
        ({"sources": [ADDRESS, ADDRESS | {"url": 3}]}, "sources.1.url: 3 is not allowed; expected "),
        ({"sources": [ADDRESS | {"path": "x"}]}, "sources.0: 'path' is no key; allowed: kind, name, url"),
        ({"sources": [{"kind": "idx", "name": "a"}]}, "sources.0.url: missing"),
    ],
)
def test_a_wrong_description_is_told_in_one_line(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump(MNIST | changes), encoding="utf-8")
    with pytest.raises(DigitsError) as caught:
        read_dataset("x", tmp_path)

    assert str(caught.value).startswith(f"{path}: {message}")
    assert 1 == len(str(caught.value).splitlines())


@pytest.mark.parametrize("key", sorted(MNIST))
def test_each_key_has_to_be_there(tmp_path: Path, key: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({name: MNIST[name] for name in MNIST if name != key}), encoding="utf-8")
    with pytest.raises(DigitsError, match=f"{key}: missing$"):
        read_dataset("x", tmp_path)


def test_the_params_choose_a_dataset_that_is_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets/mnist.yaml").write_bytes((FOLDER / "mnist.yaml").read_bytes())
    (tmp_path / "params.yaml").write_text("dataset: mnits\n")
    monkeypatch.chdir(tmp_path)

    message = r"dataset: 'mnits' is no dataset \(did you mean 'mnist'\?\); allowed: mnist$"
    with pytest.raises(DigitsError, match=message):
        chosen_dataset(Params())
    (tmp_path / "params.yaml").write_text("dataset: mnist\n")
    assert "mnist" == chosen_dataset(Params()).name
