"""Write the calibrated model for LiteRT."""

from pathlib import Path

from digits import runtime
from digits.calibrated import append_calibration, read_calibration, read_detector
from digits.errors import run
from digits.files import whole_file
from digits.flatbuffer import flatbuffer
from digits.models import load_model
from digits.params import Params


def main() -> None:
    threads = Params().section("runtime", runtime.RuntimeParams).threads
    source, target = Path("data/calibrated.keras"), Path("data/model.tflite")
    calibration, detector = read_calibration(source), read_detector(source)

    runtime.start(threads)
    content = flatbuffer(load_model(source), detector)
    with whole_file(target) as partial:
        partial.write_bytes(content)
        append_calibration(partial, calibration)
    print(f"wrote {target.as_posix()}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    run(main)
