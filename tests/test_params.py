"""params.yaml: what is right comes out as it stands, what is wrong is one line that names it."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from digits.backend.runtime import RuntimeParams
from digits.data.preparation import PrepareParams
from digits.data.sources import FetchParams
from digits.errors import DigitsError
from digits.evaluation.metrics import EvaluateParams
from digits.params import Params
from digits.training.recipes import Recipe, TrainParams
from tests.pipeline import REPOSITORY

RECIPE: dict[str, Any] = {
    "network": "article",
    "widths": [32, 64, 128],
    "dropout": {"convolution": 0.25, "dense": 0.5},
    "batch_norm_momentum": 0.99,
    "augmentation": {
        "shift": 0,
        "rotation": 0.0,
        "scale": 0.0,
        "shear": 0.0,
        "elastic": 0.0,
        "elastic_spacing": 7.0,
        "flip": 0.0,
        "brightness": 0.0,
        "contrast": 0.0,
    },
    "label_smoothing": 0.0,
    "class_weights": 0.0,
    "epochs": 20,
    "batch_size": 128,
    "learning_rate": 0.001,
    "beta_2": 0.999,
    "schedule": {"kind": "plateau", "patience": 2, "factor": 0.5, "stopping_patience": 3},
}

# Each number of a recipe, with the least and the greatest value allowed, or the first beyond them.
WHOLE_NUMBERS = {
    "augmentation.shift": (0, 14),
    "epochs": (1, 10_000),
    "batch_size": (1, 65_536),
    "schedule.patience": (1, 10_000),
    "schedule.stopping_patience": (1, 10_000),
}
SHARES = ["batch_norm_momentum", "dropout.convolution", "dropout.dense", "label_smoothing", "beta_2"]

# What YAML can hold in a key's place.
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("params")


def params(folder: Path, values: object) -> Params:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return Params(path)


def changed(key: str, value: object) -> dict[str, Any]:
    """Return the recipe with another value at `key`, a path with dots."""
    *parents, last = key.split(".")
    section = {last: value}
    for parent in reversed(parents):
        section = {parent: {**RECIPE[parent], **section}}
    return RECIPE | section


def recipe_with(folder: Path, key: str, value: object) -> Recipe:
    return params(folder, {"recipes": {"mine": changed(key, value)}}).section("recipes.mine", Recipe)


def problem(folder: Path, key: str, value: object) -> str:
    """Return what is message of a wrong value at a recipe's `key`, without the file's name."""
    with pytest.raises(DigitsError) as caught:
        recipe_with(folder, key, value)
    return str(caught.value).removeprefix(f"{folder / 'params.yaml'}: ")


def test_every_section_of_the_repositorys_own_file_is_right() -> None:
    own = Params(REPOSITORY / "params.yaml")
    for name in own.names("recipes"):
        own.section(f"recipes.{name}", Recipe)
    own.section("fetch", FetchParams)
    own.section("prepare", PrepareParams)
    own.section("train", TrainParams)
    own.section("runtime", RuntimeParams)
    own.section("evaluate", EvaluateParams)

    assert own.choice("recipe", "recipe", own.names("recipes")) in own.names("recipes")


def test_a_section_comes_out_as_it_stands(folder: Path) -> None:
    recipe = params(folder, {"recipes": {"mine": RECIPE}}).section("recipes.mine", Recipe)

    assert RECIPE == recipe.model_dump()


def test_a_whole_number_may_stand_for_a_number(folder: Path) -> None:
    assert 1.0 == recipe_with(folder, "learning_rate", 1).learning_rate


@given(key=st.sampled_from(sorted(WHOLE_NUMBERS)), value=VALUES)
def test_whole_numbers_in_their_range_are_right_and_all_else_is_named(
    folder: Path, key: str, value: Any
) -> None:
    least, greatest = WHOLE_NUMBERS[key]
    if type(value) is int and least <= value <= greatest:
        assert changed(key, value) == recipe_with(folder, key, value).model_dump()
    else:
        message = problem(folder, key, value)

        assert message.startswith(f"recipes.mine.{key}: ")
        assert "is not allowed; expected " in message
        assert 1 == len(message.splitlines())


@given(key=st.sampled_from(SHARES), value=VALUES)
def test_shares_in_their_range_are_right_and_all_else_is_named(folder: Path, key: str, value: Any) -> None:
    if type(value) in (int, float) and 0 <= value < 1:
        assert changed(key, value) == recipe_with(folder, key, value).model_dump()
    else:
        message = problem(folder, key, value)

        assert message.startswith(f"recipes.mine.{key}: ")
        assert 1 == len(message.splitlines())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"kind": "one_cycle", "warm_up": 1.0, "final": 0.0},
            ".warm_up: 1.0 is not allowed; expected less than 1",
        ),
        ({"kind": "one_cycle", "warm_up": 0.2}, ".final: missing"),
        (
            {"kind": "one_cycle", "warm_up": 0.2, "end": 0.0},
            ": 'end' is no key; allowed: final, kind, warm_up",
        ),
        (
            {"kind": "one_cycel", "warm_up": 0.2},
            ".kind: 'one_cycel' is no kind (did you mean 'one_cycle'?); allowed: plateau, one_cycle",
        ),
        ({"patience": 2}, ".kind: missing"),
    ],
)
def test_what_is_wrong_in_one_of_several_kinds_of_section_is_named_as_elsewhere(
    folder: Path, value: object, message: str
) -> None:
    with pytest.raises(DigitsError) as caught:
        params(folder, {"recipes": {"mine": RECIPE | {"schedule": value}}}).section("recipes.mine", Recipe)

    assert f"{folder / 'params.yaml'}: recipes.mine.schedule{message}" == str(caught.value)


@given(value=VALUES)
def test_what_is_no_kind_of_section_is_named(folder: Path, value: Any) -> None:
    message = problem(folder, "schedule", value)

    assert message.startswith("recipes.mine.schedule")
    assert 1 == len(message.splitlines())


@given(value=VALUES)
def test_a_section_that_is_none_is_named(folder: Path, value: Any) -> None:
    with pytest.raises(DigitsError) as caught:
        params(folder, {"train": value}).section("train", TrainParams)

    assert str(caught.value).startswith(f"{folder / 'params.yaml'}: train")
    assert 1 == len(str(caught.value).splitlines())


@given(values=VALUES)
def test_a_file_that_is_none_is_named(folder: Path, values: Any) -> None:
    with pytest.raises(DigitsError) as caught:
        params(folder, values).section("train", TrainParams)

    assert str(caught.value).startswith(f"{folder / 'params.yaml'}: ")
    assert 1 == len(str(caught.value).splitlines())


def nested(depth: int) -> str:
    """Return YAML of nine lists in nine lists and so on, by aliases: few bytes, and 9 ** depth values."""
    text = "&x0 [a, a, a, a, a, a, a, a, a]"
    for level in range(1, depth):
        text = f"&x{level} [{text}{f', *x{level - 1}' * 8}]"
    return text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {seed: 2020-99-99}", "not valid YAML (month must be in 1..12)"),
        ("train: {seed: !!bool maybe}", "not valid YAML ('maybe')"),
        ('train: {seed: !!int "x"}', "not valid YAML (invalid literal for int"),
        ('train: {seed: !!float ""}', "not valid YAML ("),
        ('train: {seed: "\\U00110000"}', "not valid YAML ("),
        (f"train: {{seed: {'9' * 5000}}}", "not valid YAML (Exceeds the limit"),
        (f"train: {'[' * 3000}{']' * 3000}", "not valid YAML (maximum recursion depth exceeded"),
        (f"train: {{seed: {nested(9)}}}", "train.seed: [["),
        (f"train: {{seed: {'x' * 10_000}}}", "train.seed: 'xxxxx"),
        ("train: {seed: !!timestamp soon}", "not valid YAML ("),
        (f"train: {{seed: 0, {'x' * 1000}: 1}}", "train: 'xxxxx"),
        ('train: {"a\\nb": 1}', "train: 'a\\nb' is no key"),
    ],
)
def test_hostile_yaml_is_one_short_line(folder: Path, text: str, message: str) -> None:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DigitsError) as caught:
        Params(path).section("train", TrainParams)

    actual = str(caught.value).removeprefix(f"{path}: ")
    assert actual.startswith(message)
    assert len(actual) <= 501
    assert 1 == len(actual.splitlines())


@pytest.mark.parametrize(
    ("value", "hint"),
    [("1e-3", "write 0.001)"), ("0.5", "write 0.5)"), ("much", "number")],
)
def test_a_number_that_is_text_is_shown_as_yaml_wants_it(folder: Path, value: str, hint: str) -> None:
    message = problem(folder, "learning_rate", value)

    assert message.startswith(f"recipes.mine.learning_rate: {value!r} is not allowed; expected ")
    assert message.endswith(hint)


def test_a_whole_number_that_is_text_is_shown_as_a_whole_number(folder: Path) -> None:
    message = problem(folder, "epochs", "20")

    assert "20.0" not in message
    assert message.endswith("write 20)")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "epoch",
            3,
            "recipes.mine: 'epoch' is no key (did you mean 'epochs'?); allowed: augmentation, ",
        ),
        (
            "schedule.factr",
            3,
            "recipes.mine.schedule: 'factr' is no key (did you mean 'factor'?); allowed: factor, kind, ",
        ),
        ("zzz", 3, "recipes.mine: 'zzz' is no key; allowed: augmentation, "),
        (
            "network",
            "artikel",
            "recipes.mine.network: 'artikel' is no network (did you mean 'article'?); allowed: ",
        ),
    ],
)
def test_an_unknown_name_brings_the_nearest_and_all_that_are_allowed(
    folder: Path, key: str, value: object, message: str
) -> None:
    assert problem(folder, key, value).startswith(message)


def test_a_missing_key_is_named(folder: Path) -> None:
    without = {key: value for key, value in RECIPE.items() if key != "schedule"}
    with pytest.raises(DigitsError, match=r": recipes\.mine\.schedule: missing$"):
        params(folder, {"recipes": {"mine": without}}).section("recipes.mine", Recipe)


def test_a_misspelt_key_is_named_before_the_one_that_it_leaves_missing(folder: Path) -> None:
    misspelt = RECIPE | {"schedule": {"kind": "plateau", "patience": 2, "factr": 0.5, "stopping_patience": 3}}
    with pytest.raises(
        DigitsError, match=r": recipes\.mine\.schedule: 'factr' is no key \(did you mean 'factor'"
    ):
        params(folder, {"recipes": {"mine": misspelt}}).section("recipes.mine", Recipe)


@pytest.mark.parametrize(
    ("values", "key", "missing"),
    [
        ({}, "train", "train"),
        ({"recipes": {}}, "recipes.mine", "recipes.mine"),
        ({"recipes": None}, "recipes.mine", "recipes.mine"),
    ],
)
def test_a_missing_section_is_named(folder: Path, values: object, key: str, missing: str) -> None:
    with pytest.raises(DigitsError, match=f": {missing}: missing$"):
        params(folder, values).section(key, TrainParams)


def test_a_choice_is_one_of_the_names(folder: Path) -> None:
    chosen = params(folder, {"recipe": "short", "recipes": {"short": {}, "long": {}}})

    assert ["long", "short"] == sorted(chosen.names("recipes"))
    assert "short" == chosen.choice("recipe", "recipe", chosen.names("recipes"))
    with pytest.raises(DigitsError, match=r": recipe: 'short' is no recipe; allowed: long$"):
        chosen.choice("recipe", "recipe", ["long"])


@pytest.mark.parametrize("value", [["short"], None, {}, 3, True])
def test_a_choice_that_is_no_name_is_shown(folder: Path, value: object) -> None:
    with pytest.raises(DigitsError, match=r": recipe: .* is no recipe.*; allowed: long, short$"):
        params(folder, {"recipe": value}).choice("recipe", "recipe", ["long", "short"])


@pytest.mark.parametrize("folders", ["data", None, [1]])
def test_the_folders_to_fetch_from_are_a_list_of_names(folder: Path, folders: object) -> None:
    with pytest.raises(DigitsError, match=r": fetch\.folders.*expected "):
        params(folder, {"fetch": {"folders": folders}}).section("fetch", FetchParams)


def test_no_number_has_a_second_value_in_the_code() -> None:
    """A field with a default would be one."""
    sections = [EvaluateParams, FetchParams, PrepareParams, Recipe, RuntimeParams, TrainParams]
    while sections:
        section = sections.pop()
        for name, field in section.model_fields.items():
            assert field.is_required(), f"{section.__name__}.{name}"
            kinds = get_args(field.annotation) or [field.annotation]
            sections.extend(kind for kind in kinds if hasattr(kind, "model_fields"))
