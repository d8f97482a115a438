"""Fit the temperature and the thresholds on the validation images, and train the detector of other images."""

from pathlib import Path

from digits.backend import runtime
from digits.backend.models import load_model
from digits.calibration.calibrate import CalibrateParams, calibrate, save_calibrated
from digits.calibration.examples import read_examples
from digits.calibration.readings import read_readings
from digits.data.datasets import chosen_dataset
from digits.errors import run
from digits.params import Params


def main() -> None:
    params = Params()
    calibrate_params = params.section("calibrate", CalibrateParams)
    dataset = chosen_dataset(params)
    settings = runtime.read_runtime(params)
    training, validation = (
        read_examples(Path(f"data/prepared/{part}.npz"), calibrate_params.images, len(dataset.classes))
        for part in ("train", "validation")
    )
    readings = read_readings(Path("data/readings.npz"), dataset.image_shape)
    ink = Path("data/ink.npz").read_bytes() if dataset.framing == "mnist" else None

    runtime.start(settings)
    model = load_model(Path("data/model.keras"), dataset.image_shape, len(dataset.classes))
    calibration, detector = calibrate(model, training, validation, readings, dataset, calibrate_params)
    save_calibrated(model, calibration, detector, ink, Path("data/calibrated.keras"))
    thresholds = calibration.thresholds
    print(f"temperature: {calibration.temperature:.4f}")
    print(f"accepted: confidence at least {thresholds.confidence:g} and score at least {thresholds.score:g}")


if __name__ == "__main__":
    run(main)
