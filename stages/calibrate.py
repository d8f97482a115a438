"""Fit the temperature and the thresholds on the validation images, and train the detector of non-digits."""

from functools import partial
from pathlib import Path

from digits.backend import runtime
from digits.backend.models import load_model
from digits.calibration.calibrate import CalibrateParams, calibrate, save_calibrated
from digits.calibration.composed import FORM, read_composed
from digits.composing.stock import ComposeParams, stock_of
from digits.data.datasets import chosen_dataset
from digits.data.prepared import read_prepared
from digits.errors import run
from digits.ink.finding import with_tensorflow
from digits.ink.network import read_weights
from digits.params import Params


def main() -> None:
    params = Params()
    calibrate_params = params.section("calibrate", CalibrateParams)
    dataset = chosen_dataset(params)
    settings = runtime.read_runtime(params)
    training, validation = (
        read_prepared(Path(f"data/prepared/{part}.npz"), len(dataset.classes))
        for part in ("train", "validation")
    )

    ink = Path("data/ink.npz")
    runtime.start(settings)
    model = load_model(Path("data/model.keras"), validation["images"].shape[1:], len(dataset.classes))
    compose_params = params.section("compose", ComposeParams)
    stocks = partial(stock_of, training=training, validation=validation, params=compose_params)
    find = with_tensorflow(read_weights(ink))
    # Pictures are brought into MNIST's form, which images of another size do not have.
    seed, count = calibrate_params.seed, calibrate_params.composed if model.input_shape[1:] == FORM else 0
    composed = (
        read_composed(stocks("learn"), find, seed, count),
        read_composed(stocks("choose"), find, seed, count),
    )
    calibration, detector = calibrate(model, training, validation, composed, dataset, calibrate_params)
    save_calibrated(model, calibration, detector, ink.read_bytes(), Path("data/calibrated.keras"))
    thresholds = calibration.thresholds
    print(f"temperature: {calibration.temperature:.4f}")
    print(f"accepted: confidence at least {thresholds.confidence:g} and score at least {thresholds.score:g}")


if __name__ == "__main__":
    run(main)
