"""Train the network that finds the ink of digits in pictures, where the dataset's images are of ink."""

from functools import partial
from pathlib import Path

from digits.backend import runtime
from digits.composing.stock import ComposeParams, stock_of
from digits.data.datasets import chosen_dataset
from digits.environment import locked_versions
from digits.errors import run
from digits.files import fingerprint, read_arrays, write_arrays, write_json
from digits.ink.network import write_weights
from digits.ink.train import InkParams, measure, train
from digits.params import Params
from digits.training.imports import import_closure


def main() -> None:
    params = Params()
    dataset = chosen_dataset(params)
    ink_params = params.section("ink", InkParams)
    compose_params = params.section("compose", ComposeParams)
    settings = runtime.read_runtime(params)

    if dataset.framing != "mnist":
        write_arrays(Path("data/ink.npz"), {})
        write_json(Path("data/ink.json"), {})
        print(f"pictures of {dataset.name} are read as they are: there is no ink to find")
        return
    inputs = [Path("data/prepared/train.npz"), Path("data/prepared/validation.npz")]
    training, validation = (read_arrays(path, ("images", "labels")) for path in inputs)
    code = [Path(path) for path in import_closure(Path("stages/ink.py"))]
    key = fingerprint(
        inputs + code,
        ink_params.model_dump(),
        compose_params.model_dump(),
        settings.model_dump(),
        locked_versions(),
    )
    checkpoint = Path("data/checkpoints/ink.npz")

    stocks = partial(stock_of, training=training, validation=validation, params=compose_params)
    runtime.start(settings)
    weights = train(stocks("learn"), stocks("choose"), ink_params, checkpoint, key)
    write_weights(Path("data/ink.npz"), weights)
    measures = measure(weights, stocks("report"), ink_params)
    write_json(Path("data/ink.json"), measures)
    checkpoint.unlink(missing_ok=True)
    print(f"share of the ink found on pictures of other digits and grounds: {measures['overlap']:.4f}")


if __name__ == "__main__":
    run(main)
