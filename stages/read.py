"""Read composed pictures with the network that finds ink, for the calibration to learn from."""

from functools import partial
from pathlib import Path

from digits.backend import runtime
from digits.calibration.composed import FORM, ReadParams, read_composed
from digits.calibration.readings import no_readings, write_readings
from digits.composing.stock import ComposeParams, stock_of
from digits.data.datasets import chosen_dataset
from digits.data.prepared import read_prepared
from digits.errors import run
from digits.ink.finding import with_tensorflow
from digits.ink.network import read_weights
from digits.params import Params

READINGS = Path("data/readings.npz")


def main() -> None:
    params = Params()
    dataset = chosen_dataset(params)
    read_params = params.section("read", ReadParams)
    compose_params = params.section("compose", ComposeParams)
    settings = runtime.read_runtime(params)

    classes, shape = dataset.classes, dataset.image_shape
    # Composed pictures show the ten digits, and the reader brings them into MNIST's form.
    if dataset.framing != "mnist" or (classes, shape) != (list("0123456789"), FORM):
        write_readings(READINGS, no_readings(shape), no_readings(shape))
        print(f"no pictures are composed of the classes of {dataset.name}")
        return
    training, validation = (
        read_prepared(Path(f"data/prepared/{part}.npz"), len(classes)) for part in ("train", "validation")
    )
    weights = read_weights(Path("data/ink.npz"))

    stocks = partial(stock_of, training=training, validation=validation, params=compose_params)
    runtime.start(settings)
    find = with_tensorflow(weights)
    learn, choose = (
        read_composed(stocks(part), find, read_params.seed, read_params.pictures)
        for part in ("learn", "choose")
    )
    write_readings(READINGS, learn, choose)
    print(f"readings: {len(learn.labels)} to learn from, {len(choose.labels)} to choose thresholds by")


if __name__ == "__main__":
    run(main)
