"""Trained models: write the same bytes for the same model, read, and predict probabilities."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digits.errors import DigitsError, reported_as
from digits.files import NO_TIME, check_file, whole_file

if TYPE_CHECKING:
    import keras

VOLATILE = ("date_saved", "shared_object_id")
# Keys of layers and initializers that Keras 3.6 does not know, and their defaults.
NEW_DEFAULTS = {
    "input_axes": None,
    "output_axes": None,
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
}
# Bytes of a network's description.
LARGEST_CONFIG = 10 * 2**20


def save_model(model: keras.Model, path: Path) -> None:
    """Write `model` as a `.keras` archive whose bytes depend on the model alone.

    Keras writes the time of saving, and object numbers that are memory addresses.
    They are removed, and `keras.saving.load_model` reads the file as usual.
    So are keys that older versions of Keras do not know, where they have their defaults.
    """
    with whole_file(path) as partial:
        model.save(partial)
        with zipfile.ZipFile(partial) as archive:
            contents = {name: archive.read(name) for name in sorted(archive.namelist())}
        for name in ("metadata.json", "config.json"):
            contents[name] = json.dumps(_lasting(json.loads(contents[name])), sort_keys=True).encode()
        with zipfile.ZipFile(partial, "w") as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name, NO_TIME), content)


def _lasting(value: Any) -> Any:
    """Remove what differs each time a model is saved, and new defaults, from a decoded JSON `value`."""
    if isinstance(value, dict):
        return {
            key: _lasting(inner)
            for key, inner in value.items()
            if key not in VOLATILE and not (key in NEW_DEFAULTS and inner == NEW_DEFAULTS[key])
        }
    return [_lasting(inner) for inner in value] if isinstance(value, list) else value


def load_model(
    path: Path, image_shape: tuple[int, ...] | None = None, classes: int | None = None
) -> keras.Sequential:
    """Read a model; call `digits.backend.runtime.start` before.

    Args:
        path: a `.keras` archive.
        image_shape: height, width and channels of the images that it must take, if they are known.
        classes: the number of classes that it must tell apart, if it is known.

    Raises:
        DigitsError: the file is missing, or is no `.keras` archive of one network from images to classes.
    """
    import keras

    check_file(path)
    with reported_as(f"{path}: not a readable .keras model"):
        _check_weights(path)
        model = keras.saving.load_model(path)
        if not isinstance(model, keras.Sequential) or not isinstance(model.layers[-1], keras.layers.Dense):
            raise DigitsError(f"{path}: expected a Sequential model that ends in a Dense layer")
        if image_shape not in (None, model.input_shape[1:]):
            raise DigitsError(f"{path}: takes images {model.input_shape[1:]}, expected {image_shape}")
        if classes not in (None, model.output_shape[-1]):
            raise DigitsError(f"{path}: tells {model.output_shape[-1]} classes apart, expected {classes}")
    return model


def _check_weights(path: Path) -> None:
    """Check that the file has the weights of its layers, before Keras takes memory for them."""
    with zipfile.ZipFile(path) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        if sizes["config.json"] > LARGEST_CONFIG:
            raise DigitsError(f"{path}: config.json has {sizes['config.json']} bytes")
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    weights = 0
    for layer in layers:
        config, channels = layer["config"], layer.get("build_config", {}).get("input_shape", [0])[-1]
        window = math.prod(config.get("kernel_size", [1]))
        weights += window * channels * config.get("filters", config.get("units", 0))
    if 4 * weights > sizes["model.weights.h5"]:
        raise DigitsError(f"{path}: its layers have {weights:,} weights, more than are in the file")


def probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Predict with `model` on float32 images (N, H, W, 1) in [0, 1].

    Returns:
        Float32 probabilities (N, classes); a row sums to 1.
    """
    from digits.backend.batches import batches_in_order
    from digits.backend.exact import exact_copy

    return np.asarray(exact_copy(model).predict(batches_in_order(images), verbose=0))
