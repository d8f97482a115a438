"""Write the calibrated model for LiteRT, and its network alone, small, as float32 and as int8.

The answers are compared with Keras's on the validation images.
"""

from dataclasses import replace
from pathlib import Path

from digits.backend import runtime
from digits.backend.models import load_model
from digits.classifier.classifier import check_parity, load_classifier, parity
from digits.classifier.int8 import int8_flatbuffer
from digits.classifier.metadata import (
    INK_FLATBUFFER,
    INK_WEIGHTS,
    append_calibration,
    has_ink,
    read_calibration,
    read_detector,
    read_ink,
)
from digits.classifier.tflite import flatbuffer
from digits.data.prepared import read_prepared
from digits.errors import run
from digits.files import whole_file
from digits.ink.finding import flatbuffer as flatbuffer_of_ink
from digits.ink.finding import read_packed
from digits.params import Params

# Images by which the ranges of the int8 network's values are found.
RANGING = 1000


def main() -> None:
    settings = runtime.read_runtime(Params())
    source = Path("data/calibrated.keras")
    calibration, detector = read_calibration(source), read_detector(source)
    packed = read_ink(source, INK_WEIGHTS) if has_ink(source, INK_WEIGHTS) else None
    images = read_prepared(Path("data/prepared/validation.npz"))["images"]

    runtime.start(settings)
    model = load_model(source)
    original = load_classifier(source, "keras").classify(images).probabilities
    ink = {INK_FLATBUFFER: flatbuffer_of_ink(read_packed(packed))} if packed else {}
    # Without the detector there is no score to judge by.
    alone = replace(calibration, thresholds=replace(calibration.thresholds, score=0.0))
    for name, content, belonging, network_of_ink in (
        ("model", flatbuffer(model, detector), calibration, ink),
        ("network", flatbuffer(model), alone, {}),
        ("network-int8", int8_flatbuffer(model, images[:RANGING]), alone, {}),
    ):
        with whole_file(Path(f"data/{name}.tflite")) as partial:
            partial.write_bytes(content)
            append_calibration(partial, belonging, ink=network_of_ink)
            exported = load_classifier(partial, "litert").classify(images).probabilities
            # Eight bits answer differently: `evaluate` counts how often.
            if name != "network-int8":
                check_parity(original, exported)
            same, size = parity(original, exported)["same_answers"], partial.stat().st_size
        print(f"data/{name}.tflite: {size:,} bytes, the same answers on {same:,} of {len(images):,} images")


if __name__ == "__main__":
    run(main)
