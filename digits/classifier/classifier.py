"""The calibrated classifier as applications ask it: through LiteRT, which starts at once, or Keras."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from digits.backend.quiet import chatter_held_back
from digits.classifier.metadata import Calibration, Thresholds, read_calibration, read_detector
from digits.errors import DigitsError, unknown_name

ENGINES = ("litert", "keras")

# Images that LiteRT computes at a time, where there are more than one: more fall out of a core's cache.
CHUNK = 32

# Float32 images (N, H, W, C) to float32 probabilities (N, classes) and scores (N,).
Answer = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Answers:
    """What the classifier says about N images.

    Attributes:
        probabilities: float32 (N, classes), calibrated; a row sums to 1.
        score: float32 (N,) in [0, 1], how surely the image is one of the classes at all.
    """

    probabilities: np.ndarray
    score: np.ndarray


class Classifier:
    """A calibrated network with its detector; any number of threads may ask it, and are answered in turn.

    Attributes:
        classes: the name of each class, label 0 first.
        image_shape: height, width and channels of the images it takes.
        temperature: by what the logits of the trained network were divided.
        thresholds: what an answer must reach to be accepted.
    """

    def __init__(self, calibration: Calibration, answer: Answer) -> None:
        self.classes: tuple[str, ...] = calibration.classes
        self.image_shape: tuple[int, int, int] = calibration.image_shape
        self.temperature: float = calibration.temperature
        self.thresholds: Thresholds = calibration.thresholds
        self._answer = answer
        self._lock = threading.Lock()

    def classify(self, images: np.ndarray) -> Answers:
        """Answer float32 `images` (N, H, W, C) in [0, 1], light on dark as in MNIST.

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
    """Load what the stage `export` (LiteRT) or `calibrate` (Keras) wrote.

    With the engine `keras`, `digits.backend.runtime.start` must have been called.

    Raises:
        DigitsError: the file is missing, damaged, or no calibrated model; no such engine.
    """
    if engine not in ENGINES:
        raise DigitsError(unknown_name("engine", engine, list(ENGINES)))
    calibration = read_calibration(path)
    # LiteRT names the delegate it found, and no setting stops it.
    with chatter_held_back():
        answer = _litert(path, calibration) if engine == "litert" else _keras(path)
    return Classifier(calibration, answer)


def _litert(path: Path, calibration: Calibration) -> Answer:
    from ai_edge_litert.interpreter import Interpreter

    content = path.read_bytes()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def interpreter(count: int) -> Any:
        """Make an interpreter for `count` images at a time; one image is no work for two threads."""
        made = Interpreter(model_content=content, num_threads=cores if count > 1 else 1)
        made.resize_tensor_input(made.get_input_details()[0]["index"], [count, *calibration.image_shape])
        made.allocate_tensors()
        return made

    try:
        interpreters = {count: interpreter(count) for count in (1, CHUNK)}
        places = {len(each["shape"]): each["index"] for each in interpreters[1].get_output_details()}
        asked, probabilities, score = interpreters[1].get_input_details()[0]["index"], places[2], places[1]
    except (ValueError, RuntimeError, KeyError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise DigitsError(f"{path}: not a readable .tflite model ({reason})") from error

    def answer(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        answers = np.empty((len(images), len(calibration.classes)), np.float32)
        scores = np.empty(len(images), np.float32)
        step = 1 if len(images) == 1 else CHUNK
        chosen = interpreters[step]
        for start in range(0, len(images), step):
            chunk = images[start : start + step]
            count = len(chunk)
            if count < step:
                chunk = np.concatenate([chunk, np.zeros((step - count, *images.shape[1:]), np.float32)])
            chosen.set_tensor(asked, chunk)
            chosen.invoke()
            answers[start : start + count] = chosen.get_tensor(probabilities)[:count]
            scores[start : start + count] = chosen.get_tensor(score)[:count]
        return answers, scores

    return answer


def _keras(path: Path) -> Answer:
    from digits.backend.models import load_model
    from digits.classifier.detector import answerer

    return answerer(load_model(path), read_detector(path))
