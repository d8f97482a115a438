"""How far apart two files of one kind are, in what they say: arrays, tables, JSON, pictures, models.

Each function gives the absolute differences of what can be counted, as flat float64 arrays, and raises
a `DigitsError` where the two cannot be laid side by side: other names, shapes or words, or no such format.
"""

import csv
import json
import math
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from digits.classifier.metadata import has_calibration, read_calibration
from digits.errors import DigitsError
from digits.files import Arrays, read_arrays

Differences = Iterable[np.ndarray]

# The images on which models are compared.
TEST_SET = Path("data/prepared/test.npz")
# Values that are compared at a time, so that large arrays need little memory.
SLICE = 1 << 20


def array_differences(first: Path, second: Path, _: Path) -> Differences:
    """Give the differences of the values in two `.npz` files with equal names, types and shapes of arrays."""
    a, b = _all_arrays(first), _all_arrays(second)
    _require_equal("arrays", sorted(a), sorted(b))
    for name in sorted(a):
        _require_equal(name, f"{a[name].dtype} {a[name].shape}", f"{b[name].dtype} {b[name].shape}")
        if a[name].dtype.kind in "biuf":
            yield from _by_slices(a[name].reshape(-1), b[name].reshape(-1))
        elif not np.array_equal(a[name], b[name]):
            raise DigitsError(f"{name}: other values of type {a[name].dtype}")


def _all_arrays(path: Path) -> Arrays:
    try:
        with zipfile.ZipFile(path) as archive:
            names = tuple(name.removesuffix(".npy") for name in archive.namelist())
    except zipfile.BadZipFile as error:
        raise DigitsError(f"not readable as arrays ({error})") from error
    return read_arrays(path, names)


def _by_slices(first: np.ndarray, second: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, first.size, SLICE):
        a, b = (array[start : start + SLICE].astype(np.float64) for array in (first, second))
        with np.errstate(invalid="ignore"):
            distance = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        yield np.where(np.isnan(distance), np.inf, distance)


def table_differences(first: Path, second: Path, _: Path) -> Differences:
    """Give the differences of the cells of two `.csv` files with the same columns and number of rows."""
    try:
        a, b = ([*csv.reader(_text(path).splitlines(keepends=True))] for path in (first, second))
    except csv.Error as error:
        raise DigitsError(f"not readable as a table ({error})") from error
    _require_equal("columns", a[:1], b[:1])
    _require_equal("rows", len(a), len(b))
    for row, (cells, others) in enumerate(zip(a[1:], b[1:], strict=True), 1):
        _require_equal(f"cells of row {row}", len(cells), len(others))
        pairs = [_numbers(row, *pair) for pair in zip(cells, others, strict=True)]
        yield np.array([_distance(*pair) for pair in pairs if pair])


def _numbers(row: int, first: str, second: str) -> tuple[float, float] | None:
    try:
        return float(first), float(second)
    except ValueError:
        _require_equal(f"row {row}", first, second)
        return None


def json_differences(first: Path, second: Path, _: Path) -> Differences:
    """Give the differences of the numbers in two `.json` files that agree in all else."""
    a, b = (dict(_flat(_json(path), "")) for path in (first, second))
    _require_equal("keys", sorted(a), sorted(b))
    numbers = [key for key in a if _is_number(a[key]) and _is_number(b[key])]
    for key in sorted(a.keys() - set(numbers)):
        _require_equal(key, a[key], b[key])
    yield np.array([_distance(a[key], b[key]) for key in numbers])


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise DigitsError(f"not readable as JSON ({error})") from error


def _flat(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (dict, list)) and value:
        for name, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(child, f"{key}.{name}" if key else str(name))
    else:
        yield key, value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _distance(first: float, second: float) -> float:
    if first == second or (math.isnan(first) and math.isnan(second)):
        return 0.0
    distance = abs(first - second)
    return math.inf if math.isnan(distance) else distance


def pixel_differences(first: Path, second: Path, _: Path) -> Differences:
    """Give each pixel's difference in two pictures of one size: its channels' largest one, from 0 to 1."""
    a, b = _pixels(first), _pixels(second)
    _require_equal("height and width", a.shape[:2], b.shape[:2])
    yield np.abs(a - b).max(axis=2).reshape(-1)


def _pixels(path: Path) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGBA"), dtype=np.float64) / 255
    except (OSError, SyntaxError, ValueError) as error:
        raise DigitsError(f"not readable as a picture ({error})") from error


def answer_differences(first: Path, second: Path, root: Path) -> Differences:
    """Give for each test image the largest difference between the answers that two models give it.

    The answers of calibrated models are probabilities, score, and 1 where they are accepted.

    The test images and the number of threads are those of the pipeline at `root`.
    """
    from digits.backend import runtime
    from digits.params import Params

    images = read_arrays(root / TEST_SET, ("images",))["images"]
    threads = Params(root / "params.yaml").section("runtime", runtime.RuntimeParams).threads
    if "tensorflow" not in sys.modules:
        runtime.start(threads)
    _require_equal(*_calibrations(first, second))
    try:
        a, b = (_answers(path, images).astype(np.float64) for path in (first, second))
    except (ValueError, TypeError) as error:
        raise DigitsError(f"no answer to the test images ({str(error).splitlines()[0]})") from error
    _require_equal("shape of the answers", a.shape, b.shape)
    yield np.abs(a - b).max(axis=1)


def _calibrations(first: Path, second: Path) -> tuple[str, object, object]:
    """Give what two models' calibrations say that is no measured number, None where a model has none."""
    found = [read_calibration(path) if has_calibration(path) else None for path in (first, second)]
    a, b = ((each.classes, each.image_shape) if each else None for each in found)
    return "calibration", a, b


def _answers(path: Path, images: np.ndarray) -> np.ndarray:
    """Give what a model says about each image: probabilities, and if calibrated, score and acceptance."""
    if not has_calibration(path) and path.suffix == ".keras":
        from digits.backend.models import load_model, probabilities

        return probabilities(load_model(path), images)
    from digits.classifier.classifier import load_classifier

    classifier = load_classifier(path, "keras" if path.suffix == ".keras" else "litert")
    said = classifier.classify(images)
    accepted = classifier.thresholds.accept(said.probabilities, said.score)
    return np.column_stack([said.probabilities, said.score, accepted])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DigitsError(f"not readable as text ({error.reason})") from error


def _require_equal(what: str, locked: object, made: object) -> None:
    if locked != made:
        raise DigitsError(f"{what}: {locked} → {made}")
