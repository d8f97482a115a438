"""Fit the temperature and the thresholds on the validation images, and train the detector of other images."""

from pathlib import Path

from digits.backend import runtime
from digits.backend.models import load_model
from digits.calibration.calibrate import CalibrateParams, calibrate, read_no_pictures, save_calibrated
from digits.calibration.composed import FORM, Read, read_composed
from digits.composing.stock import ComposeParams, stock_of
from digits.data.datasets import Dataset, chosen_dataset
from digits.data.prepared import read_prepared
from digits.errors import run
from digits.files import Arrays
from digits.ink.finding import with_tensorflow
from digits.ink.network import read_weights
from digits.params import Params

INK = Path("data/ink.npz")


def read_pictures(
    dataset: Dataset, parts: tuple[Arrays, Arrays], compose_params: ComposeParams, params: CalibrateParams
) -> tuple[Read, Read]:
    """Read composed pictures for the detector, and others for the thresholds, if they are of these classes.

    They show the ten digits, and are brought into MNIST's form.
    """
    classes, shape = dataset.classes, dataset.image_shape
    if dataset.framing != "mnist" or (classes, shape) != (list("0123456789"), FORM):
        return read_no_pictures()
    find = with_tensorflow(read_weights(INK))
    learn, choose = (
        read_composed(stock_of(part, *parts, compose_params), find, params.seed, params.composed)
        for part in ("learn", "choose")
    )
    return learn, choose


def main() -> None:
    params = Params()
    calibrate_params = params.section("calibrate", CalibrateParams)
    compose_params = params.section("compose", ComposeParams)
    dataset = chosen_dataset(params)
    threads = runtime.read_threads(params)
    training, validation = (
        read_prepared(Path(f"data/prepared/{part}.npz"), len(dataset.classes))
        for part in ("train", "validation")
    )
    ink = INK.read_bytes() if dataset.framing == "mnist" else None

    runtime.start(threads)
    model = load_model(Path("data/model.keras"), dataset.image_shape, len(dataset.classes))
    composed = read_pictures(dataset, (training, validation), compose_params, calibrate_params)
    calibration, detector = calibrate(model, training, validation, composed, dataset, calibrate_params)
    save_calibrated(model, calibration, detector, ink, Path("data/calibrated.keras"))
    thresholds = calibration.thresholds
    print(f"temperature: {calibration.temperature:.4f}")
    print(f"accepted: confidence at least {thresholds.confidence:g} and score at least {thresholds.score:g}")


if __name__ == "__main__":
    run(main)
