"""Whether outputs with other bytes mean the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digits.files import Arrays, write_arrays, write_json
from digits.params import Params
from digits.verification.comparison import Comparison, Tolerance, VerifyParams, compare, judge

REPOSITORY = Path(__file__).parent.parent


def tolerances(difference: float, share: float = 0.0) -> VerifyParams:
    """Give the same tolerance for all kinds."""
    tolerance = Tolerance(difference=difference, share=share)
    return VerifyParams(
        arrays=tolerance, tables=tolerance, metrics=tolerance, model=tolerance, pictures=tolerance
    )


def compare_in(folder: Path, ending: str, difference: float, share: float = 0.0) -> Comparison:
    """Compare locked.ENDING with made.ENDING."""
    locked, made = (folder / f"{name}.{ending}" for name in ("locked", "made"))
    return compare(locked, made, tolerances(difference, share), folder)


def compare_arrays(folder: Path, locked: Arrays, made: Arrays, difference: float = 0.25) -> Comparison:
    write_arrays(folder / "locked.npz", locked)
    write_arrays(folder / "made.npz", made)
    return compare_in(folder, "npz", difference)


def compare_text(folder: Path, ending: str, locked: str, made: str, difference: float = 0.25) -> Comparison:
    (folder / f"locked.{ending}").write_text(locked, encoding="utf-8")
    (folder / f"made.{ending}").write_text(made, encoding="utf-8")
    return compare_in(folder, ending, difference)


def test_the_committed_params_give_a_tolerance_for_each_kind() -> None:
    assert Params(REPOSITORY / "params.yaml").section("verify", VerifyParams).arrays.share == 0


def test_a_difference_of_exactly_the_tolerance_is_equivalent() -> None:
    found = judge(
        [np.array([0.0, 0.25]), np.array([0.25, 0.0])], Tolerance(difference=0.25, share=0.0), "values"
    )

    figures = {"count": 4, "largest": 0.25, "mean": 0.125, "share_beyond": 0.0}
    expected = (
        "differs by at most 0.25, on average by 0.12; 0 of 4 values (0.00%) by more than 0.25, allowed "
    )
    assert Comparison("equivalent", expected + "are 0.00%", figures) == found


@pytest.mark.parametrize(("beyond", "verdict"), [(1, "equivalent"), (2, "different")])
def test_as_many_values_as_the_share_allows_may_differ_by_more(beyond: int, verdict: str) -> None:
    differences = np.array([9.0] * beyond + [0.0] * (4 - beyond))

    assert verdict == judge([differences], Tolerance(difference=0.25, share=0.25), "values").verdict


def test_arrays_are_compared_by_their_largest_difference(tmp_path: Path) -> None:
    locked: Arrays = {"a": np.array([[1, 2], [3, 4]], np.float32), "b": np.array([7], np.uint8)}
    near = locked | {"a": np.array([[1, 2], [3, 4.25]], np.float32)}
    far = locked | {"b": np.array([6], np.uint8)}

    assert "equivalent" == compare_arrays(tmp_path, locked, near).verdict
    found = compare_arrays(tmp_path, locked, far)
    assert ("different", 1.0, 5) == (found.verdict, found.figures["largest"], found.figures["count"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"b": np.zeros(2)}, "arrays: ['a'] → ['b']"),
        ({"a": np.zeros(3)}, "a: float64 (2,) → float64 (3,)"),
        ({"a": np.zeros(2, np.float32)}, "a: float64 (2,) → float32 (2,)"),
    ],
)
def test_arrays_with_other_names_shapes_or_types_are_different(
    tmp_path: Path, made: Arrays, reason: str
) -> None:
    assert Comparison("different", reason) == compare_arrays(tmp_path, {"a": np.zeros(2)}, made)


def test_arrays_of_words_must_be_equal(tmp_path: Path) -> None:
    found = compare_arrays(tmp_path, {"a": np.array(["yes", "no"])}, {"a": np.array(["yes", "on"])})

    assert Comparison("different", "a: other values of type <U3") == found


@pytest.mark.parametrize("made", [np.nan, np.inf, 0.0])
def test_what_is_no_number_is_only_near_what_is_none(tmp_path: Path, made: float) -> None:
    same = {"a": np.array([np.nan, np.inf, -np.inf])}
    other = {"a": np.array([made, np.inf, -np.inf])}

    verdict = "equivalent" if np.isnan(made) else "different"
    assert verdict == compare_arrays(tmp_path, same, other).verdict


def test_tables_are_compared_by_their_numbers_and_words(tmp_path: Path) -> None:
    table = "name,value\nfirst,1\nsecond,{}\n"
    near = compare_text(tmp_path, "csv", table.format("2.0"), table.format("2.25"))
    far = compare_text(tmp_path, "csv", table.format("2.0"), table.format("2.5"))
    word = compare_text(tmp_path, "csv", table.format("2.0"), table.format("2.0").replace("first", "third"))

    assert ("equivalent", {"count": 2, "largest": 0.25, "mean": 0.125, "share_beyond": 0.0}) == (
        near.verdict,
        near.figures,
    )
    assert ("different", 0.5) == (far.verdict, far.figures["share_beyond"])  # type: ignore[index]
    assert Comparison("different", "row 1: first → third") == word


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ("a,c\n1,2\n", "columns: [['a', 'b']] → [['a', 'c']]"),
        ("a,b\n1,2\n1,2\n", "rows: 2 → 3"),
        ("a,b\n1\n", "cells of row 1: 2 → 1"),
        ("a,b\n1,\n", "row 1: 2 → "),
    ],
)
def test_tables_of_another_form_are_different(tmp_path: Path, made: str, reason: str) -> None:
    assert Comparison("different", reason) == compare_text(tmp_path, "csv", "a,b\n1,2\n", made)


@pytest.mark.parametrize(
    ("made", "verdict", "reason"),
    [
        ({"a": {"b": 1.2}, "c": [1, 2], "good": True}, "equivalent", "differs by at most 0.2, "),
        ({"a": {"b": 1.0}, "c": [1, 3], "good": True}, "different", "differs by at most 1, "),
        ({"a": {"b": 1.0}, "c": [1, 2], "good": False}, "different", "good: True → False"),
        ({"a": {"b": "1"}, "c": [1, 2], "good": True}, "different", "a.b: 1.0 → 1"),
        (
            {"a": {"b": 1.0}, "c": [1], "good": True},
            "different",
            "keys: ['a.b', 'c.0', 'c.1', 'good'] → ['a.b', 'c.0', ",
        ),
    ],
)
def test_json_is_compared_by_value(tmp_path: Path, made: dict[str, Any], verdict: str, reason: str) -> None:
    write_json(tmp_path / "locked.json", {"a": {"b": 1.0}, "c": [1, 2], "good": True})
    write_json(tmp_path / "made.json", made)
    found = compare_in(tmp_path, "json", 0.25)

    assert verdict == found.verdict
    assert found.reason.startswith(reason)


def test_json_that_says_the_same_in_other_bytes_is_equivalent(tmp_path: Path) -> None:
    value = {"b": 1, "a": [2.5, None]}

    assert (
        "equivalent"
        == compare_text(tmp_path, "json", json.dumps(value), json.dumps(value, indent=1), 0).verdict
    )


@pytest.mark.parametrize(
    ("pixels", "share", "verdict"),
    [
        ([(51, 0, 0)], 0.0, "equivalent"),
        ([(102, 0, 0)], 0.0, "different"),
        ([(102, 102, 102)], 0.25, "equivalent"),
        ([(102, 0, 0), (0, 102, 0)], 0.25, "different"),
    ],
)
def test_pictures_are_compared_pixel_by_pixel(
    tmp_path: Path, pixels: list[tuple[int, int, int]], share: float, verdict: str
) -> None:
    picture = Image.new("RGB", (2, 2))
    picture.save(tmp_path / "locked.png")
    for column, colour in enumerate(pixels):
        picture.putpixel((column, 0), colour)
    picture.save(tmp_path / "made.png")
    found = compare_in(tmp_path, "png", 0.2, share)

    assert verdict == found.verdict
    assert 4 == found.figures["count"]  # type: ignore[index]


def test_a_picture_of_another_size_is_different(tmp_path: Path) -> None:
    Image.new("L", (2, 3)).save(tmp_path / "locked.png")
    Image.new("L", (2, 2)).save(tmp_path / "made.png")

    assert Comparison("different", "height and width: (3, 2) → (2, 2)") == compare_in(tmp_path, "png", 1.0)


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("npz", "not readable as arrays (File is not a zip file)"),
        ("json", "not readable as JSON (Expecting value: line 1 column 1 (char 0))"),
        ("png", "not readable as a picture (cannot identify image file "),
        ("txt", "other bytes; what such an output means is not known"),
    ],
)
def test_what_cannot_be_read_is_different(tmp_path: Path, ending: str, reason: str) -> None:
    found = compare_text(tmp_path, ending, "one", "other")

    assert "different" == found.verdict
    assert found.reason.startswith(reason)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras
@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_models_are_compared_by_their_answers_to_the_test_images(tmp_path: Path) -> None:
    import keras

    from digits.backend.models import save_model

    images = np.array([[[[1.0]]], [[[2.0]]]], np.float32)
    write_arrays(tmp_path / "data/prepared/test.npz", {"images": images})
    (tmp_path / "params.yaml").write_text("runtime: {threads: 2}\n", encoding="utf-8")
    model = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    )
    save_model(set_weights(model, 0.0), tmp_path / "locked.keras")
    save_model(set_weights(model, 1.0), tmp_path / "made.keras")
    found = compare_in(tmp_path, "keras", 0.3, 0.5)

    # softmax([1, 0]) and softmax([2, 0]) against (0.5, 0.5): 0.7311 and 0.8808
    assert ("equivalent", 2, 0.5) == (found.verdict, found.figures["count"], found.figures["share_beyond"])  # type: ignore[index]
    assert pytest.approx(0.3808, abs=1e-4) == found.figures["largest"]  # type: ignore[index]
    assert "different" == compare_in(tmp_path, "keras", 0.2, 0.5).verdict


def set_weights(model: Any, weight: float) -> Any:
    model.set_weights([np.array([[weight, 0.0]], np.float32), np.zeros(2, np.float32)])
    return model


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("tensorflow_started")
def test_a_file_that_is_no_model_is_different(tmp_path: Path) -> None:
    write_arrays(tmp_path / "data/prepared/test.npz", {"images": np.zeros((1, 1, 1, 1), np.float32)})
    (tmp_path / "params.yaml").write_text("runtime: {threads: 2}\n", encoding="utf-8")
    found = compare_text(tmp_path, "keras", "one", "other")

    assert "different" == found.verdict
    assert found.reason.startswith("locked.keras: not a readable .keras model (")
