"""The calibrated classifier, run by LiteRT, which starts at once, or by Keras."""

import math
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from digits.backend.quiet import quiet_stderr
from digits.classifier.metadata import (
    INK_FLATBUFFER,
    INK_WEIGHTS,
    Calibration,
    Thresholds,
    has_ink,
    read_calibration,
    read_detector,
    read_flatbuffer,
    read_ink,
)
from digits.data.forms import Framing, Ground
from digits.errors import DigitsError, reported_as
from digits.ink.finding import read_packed, with_tensorflow
from digits.ink.look import SIDE, FindInk
from digits.ink.network import CLASSES

# Pixels that LiteRT computes at a time, where there is more than one image: more do not fit a core's cache.
CHUNK_PIXELS = 32 * 28 * 28
MOST_AT_A_TIME = 32

# Pixels that are too little work for two threads.
ALONE_PIXELS = 28 * 28

# The largest difference of two probabilities that rounding explains, where sums are in another order.
ROUNDING = 1e-3

# Float32 images (N, H, W, C) to float32 probabilities (N, classes) and scores (N,).
Answer = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Answers:
    """The classifier's answers about N images.

    Attributes:
        probabilities: float32 (N, classes), calibrated; a row sums to 1.
        score: float32 (N,) in [0, 1], the probability that the image is one of the classes at all.
    """

    probabilities: np.ndarray
    score: np.ndarray


class Classifier:
    """A calibrated network with its detector; threads may share it, and are answered one after the other.

    Attributes:
        classes: the name of each class, label 0 first.
        image_shape: height, width and channels of its input images.
        temperature: what the logits of the trained network were divided by.
        thresholds: what an answer must reach to be accepted.
        framing: how a picture is brought into the form of those images.
        ground: where it is `dark`, a picture on lighter ground is inverted.
        find_ink: the network that finds the ink of digits in looks at a picture; None where the
            file has none.
    """

    def __init__(self, calibration: Calibration, answer: Answer, find_ink: FindInk | None) -> None:
        self.find_ink = find_ink
        self.classes: tuple[str, ...] = calibration.classes
        self.image_shape: tuple[int, int, int] = calibration.image_shape
        self.temperature: float = calibration.temperature
        self.thresholds: Thresholds = calibration.thresholds
        self.framing: Framing = calibration.framing
        self.ground: Ground = calibration.ground
        self._answer = answer
        self._lock = threading.Lock()

    def classify(self, images: np.ndarray) -> Answers:
        """Classify float32 `images` (N, H, W, C) in [0, 1], such as the dataset has: of MNIST, light on dark.

        Raises:
            DigitsError: the images have another shape or type.
        """
        if images.shape[1:] != self.image_shape or images.dtype != np.float32:
            size = ", ".join(str(length) for length in self.image_shape)
            raise DigitsError(
                f"images of type {images.dtype} and shape {images.shape}; expected float32 and (N, {size})"
            )
        with self._lock:
            return Answers(*self._answer(images))


def load_classifier(path: Path, engine: Literal["litert", "keras"]) -> Classifier:
    """Read what the stage `export` (LiteRT) or `calibrate` (Keras) wrote.

    With the engine `keras`, `digits.backend.runtime.start` must have been called.

    Raises:
        DigitsError: the file is missing, damaged, or no calibrated model.
    """
    calibration = read_calibration(path)
    # LiteRT prints the name of its delegate, and no setting stops it.
    with quiet_stderr():
        answer = _litert(path, calibration) if engine == "litert" else _keras(path, calibration)
        return Classifier(calibration, answer, _finder(path, engine))


def _finder(path: Path, engine: Literal["litert", "keras"]) -> FindInk | None:
    """Return the network of a model's file that finds ink, and None for a file without one."""
    name = INK_FLATBUFFER if engine == "litert" else INK_WEIGHTS
    if not has_ink(path, name):
        return None
    content = read_ink(path, name)
    return with_litert(content, str(path)) if engine == "litert" else with_tensorflow(read_packed(content))


def _litert(path: Path, calibration: Calibration) -> Answer:
    from ai_edge_litert.interpreter import Interpreter

    content = read_flatbuffer(path)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pixels_of_one = calibration.image_shape[0] * calibration.image_shape[1]
    most = max(1, min(MOST_AT_A_TIME, CHUNK_PIXELS // pixels_of_one))

    def interpreter(count: int) -> Any:
        """Return an interpreter of `count` images at a time."""
        threads = cores if count * pixels_of_one > ALONE_PIXELS else 1
        engine = Interpreter(model_content=content, num_threads=threads)
        _check_shape(path, "images", engine.get_input_details()[0]["shape"], calibration.image_shape)
        engine.resize_tensor_input(engine.get_input_details()[0]["index"], [count, *calibration.image_shape])
        engine.allocate_tensors()
        return engine

    with reported_as(f"{path}: not a readable .tflite model"):
        interpreters = {count: interpreter(count) for count in (1, most)}
        asked, answered = interpreters[1].get_input_details()[0], interpreters[1].get_output_details()
        outputs = {len(output["shape"]): output for output in answered}
        # The network alone, without the detector, has no score.
        probabilities, score = outputs[2], outputs.get(1)
        shape = interpreters[1].get_tensor(probabilities["index"]).shape
        _check_shape(path, "probabilities", shape, (len(calibration.classes),))

    def answer(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        answers = np.empty((len(images), len(calibration.classes)), np.float32)
        scores = np.ones(len(images), np.float32)
        step = 1 if len(images) == 1 else most
        chosen = interpreters[step]
        for start in range(0, len(images), step):
            chunk = images[start : start + step]
            count = len(chunk)
            if count < step:
                chunk = np.concatenate([chunk, np.zeros((step - count, *images.shape[1:]), np.float32)])
            chosen.set_tensor(asked["index"], _as_asked(chunk, asked))
            chosen.invoke()
            answers[start : start + count] = _as_numbers(chosen, probabilities)[:count]
            if score:
                scores[start : start + count] = _as_numbers(chosen, score)[:count]
        return answers, scores

    return answer


def _as_asked(images: np.ndarray, asked: dict[str, Any]) -> np.ndarray:
    """Return float32 images as the network is asked: as they are, or as int8 that stand for them."""
    if asked["dtype"] == np.float32:
        return images
    scale, zero = asked["quantization"]
    return np.asarray(np.clip(np.rint(images / np.float32(scale)) + zero, -128, 127), np.int8)


def _as_numbers(interpreter: Any, answered: dict[str, Any]) -> np.ndarray:
    """Return what the network answered as float32."""
    values: np.ndarray = interpreter.get_tensor(answered["index"])
    if values.dtype == np.float32:
        return values
    scale, zero = answered["quantization"]
    return np.asarray((values.astype(np.float32) - np.float32(zero)) * np.float32(scale))


def with_litert(flatbuffer: bytes, name: str) -> FindInk:
    """Return what finds ink by LiteRT, for any number of threads.

    Raises:
        DigitsError: the `flatbuffer` of the file called `name` is no network that finds ink.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
        interpreter.allocate_tensors()
        (asked,), (answered,) = interpreter.get_input_details(), interpreter.get_output_details()
    except (ValueError, RuntimeError, KeyError, IndexError) as error:
        raise DigitsError(
            f"{name}: no readable network that finds ink ({' '.join(str(error).split())})"
        ) from error
    if [*asked["shape"]] != [1, SIDE, SIDE, 3] or [*answered["shape"]] != [1, SIDE, SIDE, CLASSES]:
        raise DigitsError(f"{name}: the network that finds ink is for other pictures")
    lock = threading.Lock()

    def find(looks: np.ndarray) -> np.ndarray:
        answers = np.empty((len(looks), SIDE, SIDE, CLASSES), np.float32)
        with lock:
            for look, answer in zip(looks, answers, strict=True):
                interpreter.set_tensor(asked["index"], look[np.newaxis])
                interpreter.invoke()
                answer[:] = interpreter.get_tensor(answered["index"])[0]
        return answers

    return find


def _keras(path: Path, calibration: Calibration) -> Answer:
    from digits.backend.models import load_model
    from digits.classifier.detector import answerer

    model, detector = load_model(path), read_detector(path)
    with reported_as(f"{path}: not a readable .keras model"):
        _check_shape(path, "images", model.input_shape, calibration.image_shape)
        _check_shape(path, "probabilities", model.output_shape, (len(calibration.classes),))
        return answerer(model, detector)


def _check_shape(path: Path, name: str, actual: Sequence[int | None], expected: tuple[int, ...]) -> None:
    """Check that a network's images or answers, of shape (N, ...), are those that its calibration is for."""
    if tuple(actual[1:]) != expected:
        shape = tuple(map(int, filter(None, actual[1:])))
        raise DigitsError(f"{path}: the network's {name} are {shape}, those of its calibration {expected}")


def parity(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Compare the probabilities (N, classes) that two engines compute for the same images.

    The difference is rounded up to a power of ten, since LiteRT's last bits depend on the CPU.

    Raises:
        DigitsError: the arrays have different shapes.
    """
    if first.shape != second.shape:
        raise DigitsError(f"answers of shape {first.shape} and {second.shape} cannot be compared")
    largest = float(np.abs(first.astype(np.float64) - second).max(initial=0))
    rounded_up = largest if not largest > 0 else 10.0 ** max(math.ceil(math.log10(largest)), -6)
    return {
        "images": len(first),
        "same_answers": int((first.argmax(axis=1) == second.argmax(axis=1)).sum()),
        "difference_at_most": rounded_up,
    }


def check_parity(first: np.ndarray, second: np.ndarray) -> None:
    """Check that the probabilities (N, classes) of an export are those of the original but for rounding.

    Raises:
        DigitsError: a probability differs by more than `ROUNDING`, or is nan.
    """
    comparison = parity(first, second)
    if not comparison["difference_at_most"] <= ROUNDING:
        raise DigitsError(
            f"the exported model answers differently: it agrees on {comparison['same_answers']} of "
            f"{comparison['images']} images, and probabilities differ by up to "
            f"{comparison['difference_at_most']:g}"
        )
