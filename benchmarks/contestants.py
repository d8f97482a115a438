"""Who runs in `python -m benchmarks.recipes`, how, and what is read from what they say."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.borrowed import borrowed_folder, with_recipe
from benchmarks.children import Child, run_child
from digits.backend.runtime import RuntimeParams, check_cpu
from digits.errors import DigitsError

RECIPES = ("article", "fast", "accurate", "tiny")
# What the name of a recipe that is run with AVX-512 ends in.
WIDER = "-avx512"
SCRIPTS = Path("benchmarks").resolve()
EPOCH = re.compile(r"epoch +(\d+).* val_accuracy ([\d.]+).* ([\d.]+) s$")


@dataclass(frozen=True)
class Epoch:
    """A finished epoch: its time of day in seconds after the start, its own seconds, its accuracy."""

    moment: float
    seconds: float
    val_accuracy: float


@dataclass(frozen=True)
class Result:
    """What a contestant did in one run.

    Attributes:
        seconds: of the whole process, imports, loading and saving counted.
        peak_memory: in bytes.
        epochs: those that it finished.
        test_accuracy: of the model that it saved, from 0 to 1.
    """

    seconds: float
    peak_memory: int
    epochs: list[Epoch]
    test_accuracy: float


Contestant = Callable[[int | None], Result]


def epochs_of(child: Child) -> list[Epoch]:
    """Read the lines that tell of an epoch."""
    matches = [(moment, EPOCH.match(line)) for moment, line in child.lines]
    return [Epoch(moment, float(m[3]), float(m[2])) for moment, m in matches if m]


def script(
    name: str, python: str, arrays: Path, epochs: int, variables: dict[str, str] | None = None
) -> Contestant:
    """Return the contestant that is a plain script with arguments ARRAYS EPOCHS MODEL."""

    def contestant(limit: int | None) -> Result:
        with TemporaryDirectory() as folder:
            model = f"{folder}/model.{'pt' if 'torch' in name else 'keras'}"
            command = [python, str(SCRIPTS / name), str(arrays.resolve()), str(limit or epochs), model]
            child = run_child(command, Path(folder), variables)
        accuracies = [line.split()[1] for _, line in child.lines if line.startswith("test_accuracy ")]
        if len(accuracies) != 1:
            raise DigitsError(f"{name}: the output has no test accuracy")
        return Result(child.seconds, child.peak_memory, epochs_of(child), float(accuracies[0]))

    return contestant


def recipe(name: str, values: dict[str, Any]) -> Contestant:
    """Return the contestant that is the stage `train` with the recipe `name` of the params `values`."""

    def contestant(limit: int | None) -> Result:
        changes = {} if limit is None else {"epochs": min(limit, values["recipes"][name]["epochs"])}
        with borrowed_folder(with_recipe(values, name, changes)) as folder:
            child = run_child([sys.executable, "-m", "stages.train"], folder)
            wrong = wrong_answers(folder)
        return Result(child.seconds, child.peak_memory, epochs_of(child), 1 - len(wrong) / 10_000)

    return contestant


def wrong_answers(folder: Path) -> list[int]:
    """Return the numbers of the test images that the model trained in `folder` gets wrong."""
    command = [sys.executable, "-m", "benchmarks.wrong", "data/model.keras"]
    child = run_child(command, folder, {"PYTHONPATH": str(SCRIPTS.parent)})
    wrong: list[int] = json.loads(child.lines[-1][1])
    return wrong


def contestants(
    values: dict[str, Any], arrays: Path, peers: str | None
) -> tuple[dict[str, Contestant], dict[str, str]]:
    """Return those that can run here by name, and why the others can't.

    Args:
        values: the content of params.yaml.
        arrays: the raw arrays of MNIST.
        peers: a Python that has PyTorch and JAX, if there is one.
    """
    epochs = values["recipes"]["article"]["epochs"]
    plain = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
    able = {"keras": script("plain_keras.py", sys.executable, arrays, epochs, plain)}
    able |= {name: recipe(name, values) for name in RECIPES if name in values["recipes"]}
    unable = {name: "params.yaml has no such recipe" for name in RECIPES if name not in able}
    wider = RuntimeParams.model_validate(values["runtime"] | {"instructions": "AVX512"})
    names = [name for name in RECIPES if name in able]
    try:
        check_cpu(wider, Path("params.yaml"))
        able |= {name + WIDER: recipe(name, values | {"runtime": wider.model_dump()}) for name in names}
    except DigitsError as error:
        unable |= {name + WIDER: str(error) for name in names}
    if peers is None:
        reason = "needs --peers PYTHON, which `make bench-setup` makes"
        return able, unable | {"pytorch": reason, "keras-jax": reason}
    able["pytorch"] = script("plain_torch.py", peers, arrays, epochs)
    able["keras-jax"] = script("plain_keras.py", peers, arrays, epochs, {"KERAS_BACKEND": "jax"})
    return able, unable
