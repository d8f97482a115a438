"""Trained models: writing the same bytes for the same model, reading, and asking for probabilities."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digits.errors import DigitsError
from digits.files import NO_TIME, whole_file

if TYPE_CHECKING:
    import keras


def save_model(model: keras.Model, path: Path) -> None:
    """Write `model` as a `.keras` archive whose bytes depend on the model alone.

    Keras writes the time of saving, and object numbers that are memory addresses;
    the archive is written anew without them, and `keras.saving.load_model` reads it as any other.
    """
    with whole_file(path) as partial:
        model.save(partial)
        with zipfile.ZipFile(partial) as archive:
            contents = {name: archive.read(name) for name in sorted(archive.namelist())}
        for name in ("metadata.json", "config.json"):
            contents[name] = json.dumps(_without_traces(json.loads(contents[name])), sort_keys=True).encode()
        with zipfile.ZipFile(partial, "w") as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name, NO_TIME), content)


def _without_traces(value: Any) -> Any:
    """Drop what differs between two savings of one model from a decoded JSON `value`."""
    if isinstance(value, dict):
        traces = ("date_saved", "shared_object_id")
        return {key: _without_traces(inner) for key, inner in value.items() if key not in traces}
    return [_without_traces(inner) for inner in value] if isinstance(value, list) else value


def load_model(path: Path) -> keras.Model:
    """Read a model; `digits.backend.runtime.start` must have been called.

    Raises:
        DigitsError: the file is missing, or is no `.keras` archive.
    """
    import keras

    try:
        model = keras.saving.load_model(path)
    except (ValueError, OSError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if path.exists() else "no such file"
        raise DigitsError(f"{path}: not a readable .keras model ({reason})") from error
    return model


def probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Ask `model` about float32 images (N, H, W, 1) in [0, 1].

    Returns:
        Float32 probabilities (N, classes); a row sums to 1.
    """
    from digits.backend.batches import batches_in_order
    from digits.backend.exact import exact_copy

    return np.asarray(exact_copy(model).predict(batches_in_order(images), verbose=0))
