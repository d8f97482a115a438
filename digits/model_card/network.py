"""What a saved `.keras` model consists of, read without TensorFlow."""

import io
import json
import math
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import h5py

from digits.errors import DigitsError

# What a layer's row says of its settings, in this order.
SETTINGS = ("filters", "units", "kernel_size", "pool_size", "strides", "rate", "activation")


def layers(path: Path) -> list[tuple[str, str]]:
    """Return the kind of each layer of the model at `path`, and its settings in words.

    Raises:
        DigitsError: it is no `.keras` archive.
    """
    config = json.loads(_entry(path, "config.json"))
    rows = []
    for layer in config["config"]["layers"]:
        values = {name: layer["config"].get(name) for name in SETTINGS}
        if values["strides"] == values["pool_size"] or values["strides"] == [1, 1]:
            values["strides"] = None
        words = [f"{name} {_plain(value)}" for name, value in values.items() if value is not None]
        rows.append((layer["class_name"], ", ".join(words)))
    return rows


def parameters(path: Path) -> int:
    """Return the number of parameters of the model at `path`, with the averages of its batch norms.

    Raises:
        DigitsError: it is no `.keras` archive.
    """
    sizes: list[int] = []
    with h5py.File(io.BytesIO(_entry(path, "model.weights.h5")), "r") as weights:
        layers = weights["layers"]
        layers.visititems(
            lambda _, item: sizes.append(math.prod(item.shape)) if isinstance(item, h5py.Dataset) else None
        )
    return sum(sizes)


def _entry(path: Path, name: str) -> bytes:
    try:
        with ZipFile(path) as archive:
            return archive.read(name)
    except FileNotFoundError:
        raise DigitsError(f"{path}: no such file") from None
    except (BadZipFile, KeyError) as error:
        raise DigitsError(f"{path}: not a .keras archive ({error})") from error


def _plain(value: object) -> str:
    return " by ".join(map(str, value)) if isinstance(value, list) else str(value)
