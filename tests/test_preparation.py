"""Raw arrays are checked, scaled and split, and counted."""

import tracemalloc
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.data import preparation
from digits.data.datasets import Dataset
from digits.data.preparation import Part, check_raw, scale, split, summarize
from digits.errors import DigitsError
from digits.files import Arrays, read_arrays, write_arrays, write_streams
from tests.pipeline import description
from tests.tiny_dataset import NOWHERE

CLASSES = ("cat", "dog")


def raw_arrays() -> Arrays:
    """Return four training images, the first and last of them cats, and two test images."""
    return {
        "x_train": np.array([[[1, 2]], [[3, 4]], [[5, 6]], [[7, 8]]], dtype=np.uint8),
        "y_train": np.array([0, 1, 1, 0], dtype=np.uint8),
        "x_test": np.array([[[7, 8]], [[8, 7]]], dtype=np.uint8),
        "y_test": np.array([1, 0], dtype=np.uint8),
    }


DATASET = Dataset.model_validate({"name": "tiny", "sources": [NOWHERE], **description(raw_arrays(), CLASSES)})


def numbered(count: int) -> Arrays:
    """Return images of one pixel that tells their place modulo 250, all of one class."""
    images = (np.arange(count) % 250).astype(np.uint8).reshape(count, 1, 1)
    labels = np.zeros(count, np.uint8)
    return {"x_train": images, "y_train": labels, "x_test": images[:1], "y_test": labels[:1]}


def images_of(part: Part) -> np.ndarray:
    return np.asarray(part.raw[part.places])


def test_right_arrays_pass() -> None:
    check_raw(raw_arrays(), DATASET)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("x_train", np.zeros((4, 1, 2), np.float32), "x_train: the type is float32, expected uint8"),
        ("x_train", np.zeros((4, 2), np.uint8), r"x_train: the shape is \(4, 2\), expected \(4, 1, 2\)"),
        ("y_train", np.zeros((3,), np.uint8), r"y_train: the shape is \(3,\), expected \(4,\)"),
        ("x_test", np.zeros((0, 1, 2), np.uint8), r"x_test: the shape is \(0, 1, 2\), expected \(2, 1, 2\)"),
        ("y_test", np.zeros((2, 1), np.uint8), r"y_test: the shape is \(2, 1\), expected \(2,\)"),
        ("y_test", np.array([0, 2], np.uint8), "y_test: there is a label 2, expected 0 to 1"),
        ("y_test", np.array([0, 1], np.int64), "y_test: the type is int64, expected uint8"),
        ("y_train", np.array([1, 1, 1, 1], np.uint8), "y_train: no image of class 'cat'"),
        ("y_test", np.array([0, 0], np.uint8), "y_test: no image of class 'dog'"),
    ],
)
def test_wrong_arrays_are_named(name: str, array: np.ndarray, message: str) -> None:
    with pytest.raises(DigitsError, match=message):
        check_raw({**raw_arrays(), name: array}, DATASET)


def test_scaling_gives_shares_of_white_in_a_channel_of_their_own() -> None:
    scaled = scale(np.array([[[0, 51], [102, 255]]], dtype=np.uint8))

    assert np.float32 == scaled.dtype
    assert (1, 2, 2, 1) == scaled.shape
    assert [0, np.float32(0.2), np.float32(0.4), 1] == scaled.ravel().tolist()


def test_every_pixel_value_is_scaled_to_the_nearest_number() -> None:
    values = np.arange(256, dtype=np.uint8)
    scaled = scale(values.reshape(1, 16, 16)).ravel()

    assert [np.float32(value / 255) for value in range(256)] == scaled.tolist()


def test_the_last_fifth_validates() -> None:
    parts = split({**numbered(10), "y_train": np.arange(10, dtype=np.uint8) // 7}, 0.2, "last")

    assert [*range(8)] == images_of(parts["train"]).ravel().tolist()
    assert [0, 0, 0, 0, 0, 0, 0, 1] == parts["train"].labels.tolist()
    assert [8, 9] == images_of(parts["validation"]).ravel().tolist()
    assert [1, 1] == parts["validation"].labels.tolist()
    assert [0] == images_of(parts["test"]).ravel().tolist()


@pytest.mark.parametrize(
    ("count", "share", "training"),
    [(60_000, 0.2, 48_000), (10, 0.25, 7), (3, 0.5, 1), (10, 0.3, 7)],
)
def test_the_split_is_where_keras_puts_it(count: int, share: float, training: int) -> None:
    """Keras takes floor(count * (1 - validation_split)) images to train with."""
    assert training == len(split(numbered(count), share, "last")["train"].labels)


@given(count=st.integers(2, 200), share=st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_split_loses_nothing_and_leaves_no_part_empty(count: int, share: float) -> None:
    raw = numbered(count)
    try:
        parts = split(raw, share, "last")
    except DigitsError as error:
        assert f"prepare.validation_split: {share} of {count} images leaves " in str(error)
        assert count * (1 - share) < 1 or count * share < 1
    else:
        cut = [parts["train"], parts["validation"]]

        assert all(len(part.labels) for part in cut)
        assert np.array_equal(raw["x_train"], np.concatenate([images_of(part) for part in cut]))
        assert np.array_equal(raw["y_train"], np.concatenate([part.labels for part in cut]))


def test_a_split_leaves_training_an_image_of_every_class() -> None:
    """Without one, the network would have no answer for the class."""
    raw = {**numbered(4), "y_train": np.array([0, 0, 1, 1], np.uint8)}
    with pytest.raises(DigitsError, match=r"prepare\.validation_split: 0\.5 of 4 images leaves "):
        split(raw, 0.5, "last")


def test_the_summary_counts_images_by_part_and_class_and_what_training_has_seen() -> None:
    summary = summarize(split(raw_arrays(), 0.25, "last"), CLASSES)

    # The last training image, which validates, is the first test image too.
    assert {
        "images": {"train": 3, "validation": 1, "test": 2},
        "images_per_class": {
            "train": {"cat": 1, "dog": 2},
            "validation": {"cat": 1, "dog": 0},
            "test": {"cat": 1, "dog": 1},
        },
        "test_images_also_in_training": 1,
    } == summary


def coloured(labels: list[int]) -> Arrays:
    """Return different images of 2x1 coloured pixels for `labels`."""
    images = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (len(labels), 2, 1, 3), np.uint8)
    return {"x_train": images, "y_train": np.array(labels, np.uint8), "x_test": images, "y_test": images}


def test_coloured_images_keep_their_channels() -> None:
    assert (4, 2, 1, 3) == scale(coloured([0, 1, 0, 1])["x_train"]).shape


def test_a_stratified_split_takes_the_share_of_each_class_and_at_least_one_image() -> None:
    parts = split(coloured([0] * 50 + [1] * 20 + [2] * 3), 0.2, "stratified")

    assert [10, 4, 1] == np.bincount(parts["validation"].labels).tolist()
    assert [40, 16, 2] == np.bincount(parts["train"].labels).tolist()


def test_a_stratified_split_depends_on_the_images_and_not_on_their_order() -> None:
    raw = coloured([0, 1] * 20)
    turned = raw | {name: raw[name][::-1] for name in ("x_train", "y_train")}
    one, other = (images_of(split(arrays, 0.25, "stratified")["validation"]) for arrays in (raw, turned))

    assert one.tolist() == other[::-1].tolist()


def test_copies_of_an_image_are_never_split() -> None:
    raw = coloured([0, 1] * 20)
    copied = raw | {name: np.concatenate([raw[name]] * 3) for name in ("x_train", "y_train")}
    parts = split(copied, 0.5, "stratified")
    trained, validated = (
        {image.tobytes() for image in images_of(parts[name])} for name in ("train", "validation")
    )

    assert 20 == len(trained) == len(validated)
    assert not trained & validated


@pytest.mark.parametrize("images_in_block", [1, 3, 100])
def test_what_is_written_block_by_block_is_the_scaled_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images_in_block: int
) -> None:
    raw = coloured([0, 1] * 20)
    monkeypatch.setattr(preparation, "BLOCK", images_in_block * raw["x_train"][0].nbytes)
    part = split(raw, 0.25, "stratified")["train"]
    write_streams(tmp_path / "streamed.npz", part.streams())
    write_arrays(tmp_path / "whole.npz", {"images": scale(images_of(part)), "labels": part.labels})

    assert 30 == len(read_arrays(tmp_path / "streamed.npz", ("images",))["images"])
    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "streamed.npz").read_bytes()


@pytest.mark.parametrize("how", ["last", "stratified"])
def test_preparing_needs_less_memory_than_a_second_copy_of_the_raw_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: Literal["last", "stratified"]
) -> None:
    monkeypatch.setattr(preparation, "BLOCK", 2**16)
    images = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (400, 64, 64, 3), np.uint8)
    labels = (np.arange(400) % 2).astype(np.uint8)
    raw = {"x_train": images, "y_train": labels, "x_test": images[::4], "y_test": labels[::4]}
    tracemalloc.start()
    try:
        parts = split(raw, 0.2, how)
        summarize(parts, CLASSES)
        for name, part in parts.items():
            write_streams(tmp_path / f"{name}.npz", part.streams())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < images.nbytes / 2


def test_more_than_256_classes_have_labels_of_two_bytes() -> None:
    images = np.arange(600, dtype=np.uint16).view(np.uint8).reshape(600, 1, 2)
    labels = (np.arange(600) % 300).astype(np.uint16)
    raw = {"x_train": images, "y_train": labels, "x_test": images[:300], "y_test": labels[:300]}
    dataset = Dataset.model_validate(
        {"name": "many", "sources": [NOWHERE], **description(raw, [f"class {label}" for label in range(300)])}
    )

    check_raw(raw, dataset)
    with pytest.raises(DigitsError, match="y_train: the type is uint8, expected uint16"):
        check_raw(raw | {"y_train": labels.astype(np.uint8)}, dataset)
