"""What a calibrated model's file holds beside the network: classes, framing, thresholds, detector.

It is in `calibration.json` and `detector/*.npy`: entries of the `.keras` archive,
or of a zip archive behind the `.tflite` flatbuffer, where TensorFlow Lite keeps a model's metadata.
Keras and LiteRT ignore it. Behind a flatbuffer there is also the checksum of its bytes, in `sha256`:
LiteRT maps a flatbuffer as it is, and a damaged one can end the process.
"""

import hashlib
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args
from zipfile import ZipFile, ZipInfo, is_zipfile

import numpy as np

from digits.data.forms import LARGEST_SIDE, MOST_CLASSES, Framing, Ground
from digits.errors import DigitsError, reason, reported_as
from digits.files import NO_TIME, check_array, check_file

CALIBRATION = "calibration.json"
CHECKSUM = "sha256"
# Bytes of one entry, far more than any has.
LARGEST_ENTRY = 64 * 2**20
DIGIT_NAMES = frozenset("0123456789")
# The network that finds ink in pictures: it travels with the classifier that reads what it finds.
INK_WEIGHTS, INK_FLATBUFFER = "ink.npz", "ink.tflite"
NOTHING: Mapping[str, bytes] = MappingProxyType({})
DETECTOR = tuple(f"detector/{name}.npy" for name in ("kernel_1", "bias_1", "kernel_2", "bias_2"))


@dataclass(frozen=True)
class Thresholds:
    """What an answer must reach to be accepted.

    Attributes:
        confidence: the lowest accepted probability of the predicted class.
        score: the lowest accepted probability, the detector's, that the image is a digit at all.
    """

    confidence: float
    score: float

    def accept(self, probabilities: np.ndarray, score: np.ndarray) -> np.ndarray:
        """Return booleans (N,), whether each answer reaches both thresholds.

        Args:
            probabilities: float32 (N, classes).
            score: float32 (N,) in [0, 1].
        """
        confidence = probabilities.max(axis=1).astype(np.float64)
        return np.asarray((confidence >= self.confidence) & (score.astype(np.float64) >= self.score))


@dataclass(frozen=True)
class Calibration:
    """What belongs to a calibrated network beside its weights.

    Attributes:
        classes: the name of each class, label 0 first.
        image_shape: height, width and channels of the network's input images.
        framing: how a picture is brought into the form of those images, one of `Framing`.
        ground: one of `Ground`; where it is `dark`, a picture on lighter ground is inverted.
        temperature: what the logits of the trained network were divided by, as they are in the file.
        thresholds: what an answer must reach to be accepted.
    """

    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    framing: Framing
    ground: Ground
    temperature: float
    thresholds: Thresholds

    def as_json(self) -> str:
        """Return the content of calibration.json."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Calibration":
        """Read the content of calibration.json.

        Raises:
            ValueError, TypeError, KeyError, OverflowError: it is no JSON, or lacks a possible value.
        """
        values: dict[str, Any] = json.loads(text)
        thresholds = Thresholds(**{name: float(value) for name, value in values["thresholds"].items()})
        height, width, channels = (int(size) for size in values["image_shape"])
        numbers = (values["temperature"], thresholds.confidence, thresholds.score)
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError("a number is not finite")
        if not all(1 <= size <= LARGEST_SIDE for size in (height, width, channels)):
            raise ValueError(f"a size is not from 1 to {LARGEST_SIDE}")
        if not (isinstance(values["classes"], list) and 1 <= len(values["classes"]) <= MOST_CLASSES):
            raise ValueError(f"the number of classes is not from 1 to {MOST_CLASSES}")
        classes = tuple(str(name) for name in values["classes"])
        if len({*classes}) < len(classes):
            raise ValueError("a class is there twice")
        for key, allowed in (("framing", get_args(Framing)), ("ground", get_args(Ground))):
            if values[key] not in allowed:
                raise ValueError(f"the {key} is none of {', '.join(allowed)}")
        return cls(
            classes,
            (height, width, channels),
            values["framing"],
            values["ground"],
            float(values["temperature"]),
            thresholds,
        )


def are_digits(classes: Sequence[str]) -> bool:
    """Return whether all names of classes are digits, from 0 to 9."""
    return DIGIT_NAMES.issuperset(classes)


def append_calibration(
    path: Path,
    calibration: Calibration,
    detector: Iterable[np.ndarray] = (),
    ink: Mapping[str, bytes] = NOTHING,
) -> None:
    """Add the entries to the archive at `path`, or append an archive of them to any other file.

    `ink` is the network that finds ink, under the name of its form, `INK_WEIGHTS` or `INK_FLATBUFFER`.
    """
    entries = {CALIBRATION: calibration.as_json().encode(), **ink}
    for name, weights in zip(DETECTOR, detector, strict=False):
        content = io.BytesIO()
        np.lib.format.write_array(content, weights, allow_pickle=False)
        entries[name] = content.getvalue()
    if path.exists() and not is_zipfile(path):
        entries[CHECKSUM] = hashlib.sha256(path.read_bytes()).hexdigest().encode()
    with ZipFile(path, "a") as archive:
        for name, content_bytes in entries.items():
            archive.writestr(ZipInfo(name, NO_TIME), content_bytes)


def read_calibration(path: Path) -> Calibration:
    """Read calibration.json from a calibrated model's file.

    Raises:
        DigitsError: the file is missing, damaged, or no calibrated model.
    """
    content = _entries(path, (CALIBRATION,))[0]
    try:
        return Calibration.from_json(content)
    except KeyError as error:
        made = "made by another version? `dvc repro` makes it anew"
        raise DigitsError(f"{path}: {CALIBRATION} has no {error} ({made})") from error
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DigitsError(f"{path}: damaged {CALIBRATION} ({reason(error)})") from error


def read_detector(path: Path) -> list[np.ndarray]:
    """Read the detector's kernels and biases from a calibrated `.keras` archive, in the order of `DETECTOR`.

    Raises:
        DigitsError: the file is missing, damaged, or no calibrated model.
    """
    contents = _entries(path, DETECTOR)
    with reported_as(f"{path}: damaged detector"):
        weights = [np.lib.format.read_array(io.BytesIO(content), allow_pickle=False) for content in contents]
    units = weights[1].shape[0] if weights[1].ndim else 0
    for name, array, shape in zip(DETECTOR, weights, (("F", units), (units,), (units, 2), (2,)), strict=True):
        check_array(f"{path}: {name}", array, np.float32, shape)
    return weights


def read_flatbuffer(path: Path) -> bytes:
    """Read the flatbuffer of a calibrated `.tflite` file, with what is behind it.

    Raises:
        DigitsError: the flatbuffer is not the one that its checksum is of, or there is no checksum.
    """
    expected = _entries(path, (CHECKSUM,))[0]
    with ZipFile(path) as archive:
        end = min(entry.header_offset for entry in archive.infolist())
    content = path.read_bytes()
    if hashlib.sha256(content[:end]).hexdigest().encode() != expected:
        raise DigitsError(f"{path}: damaged; the network's bytes are not those that `dvc repro export` wrote")
    return content


def has_ink(path: Path, name: str) -> bool:
    """Return whether a calibrated model's file has the network that finds ink, in the form of that `name`."""
    with reported_as(f"{path}: not a calibrated model"), ZipFile(path) as archive:
        return name in archive.namelist()


def read_ink(path: Path, name: str) -> bytes:
    """Read the network that finds ink, in the form of that `name`, from a calibrated model's file.

    Raises:
        DigitsError: the file is missing, damaged, or has no such network.
    """
    return _entries(path, (name,))[0]


def _entries(path: Path, names: Iterable[str]) -> list[bytes]:
    if not path.exists():
        raise DigitsError(f"{path}: no such file; `dvc repro export` makes it")
    check_file(path)
    with reported_as(f"{path}: not a calibrated model"), ZipFile(path) as archive:
        if missing := [name for name in names if name not in archive.namelist()]:
            raise DigitsError(f"{path}: not a calibrated model (it has no {missing[0]})")
        if any(archive.getinfo(name).file_size > LARGEST_ENTRY for name in names):
            raise DigitsError(f"{path}: not a calibrated model (an entry is too large)")
        return [archive.read(name) for name in names]
