"""Write the calibrated model for LiteRT, and compare its answers with Keras's on the validation images."""

from pathlib import Path

from digits.backend import runtime
from digits.backend.models import load_model
from digits.classifier.classifier import check_parity, load_classifier
from digits.classifier.metadata import (
    INK_FLATBUFFER,
    INK_WEIGHTS,
    append_calibration,
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


def main() -> None:
    settings = runtime.read_runtime(Params())
    source, target = Path("data/calibrated.keras"), Path("data/model.tflite")
    calibration, detector = read_calibration(source), read_detector(source)
    images = read_prepared(Path("data/prepared/validation.npz"))["images"]

    runtime.start(settings)
    original = load_classifier(source, "keras").classify(images)
    with whole_file(target) as partial:
        partial.write_bytes(flatbuffer(load_model(source), detector))
        ink = {}
        if calibration.finds_ink:
            ink[INK_FLATBUFFER] = flatbuffer_of_ink(read_packed(read_ink(source, INK_WEIGHTS)))
        append_calibration(partial, calibration, ink=ink)
        exported = load_classifier(partial, "litert").classify(images)
        check_parity(original.probabilities, exported.probabilities)
    print(f"wrote {target.as_posix()}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    run(main)
