"""Train the chosen recipe's network on the training images."""

from pathlib import Path

from digits.backend import runtime
from digits.backend.models import save_model
from digits.data.datasets import chosen_dataset
from digits.data.prepared import read_prepared
from digits.environment import locked_versions
from digits.errors import run
from digits.files import Arrays, fingerprint, pixels, write_table
from digits.params import Params
from digits.training.imports import import_closure
from digits.training.recipes import Recipe, TrainParams
from digits.training.train import train


def in_bytes(path: Path, classes: int | None = None) -> Arrays:
    """Read prepared `images` and `labels`, the images as uint8: a quarter of the memory."""
    arrays = read_prepared(path, classes)
    return {**arrays, "images": pixels(arrays["images"])}


def main() -> None:
    params = Params()
    dataset = chosen_dataset(params)
    name = params.choice("recipe", "recipe", params.names("recipes"))
    recipe = params.section(f"recipes.{name}", Recipe)
    seed = params.section("train", TrainParams).seed
    threads = runtime.read_threads(params)

    inputs = [Path("data/prepared/train.npz"), Path("data/prepared/validation.npz")]
    training = in_bytes(inputs[0], len(dataset.classes))
    if recipe.augmentation.flip and not dataset.mirrored:
        print(f"no image is mirrored: a mirrored image of {dataset.name} may be of another class")
        recipe = recipe.without_flips()
    validation = in_bytes(inputs[1], len(dataset.classes))
    code = [Path(path) for path in import_closure(Path("stages/train.py"))]
    key = fingerprint(inputs + code, recipe.model_dump(), seed, threads, locked_versions())
    checkpoint = Path("data/checkpoints/train.npz")

    runtime.start(threads)
    with runtime.enough_memory(f"params.yaml: recipes.{name}"):
        model, history = train(training, validation, recipe, seed, checkpoint, key)
    save_model(model, Path("data/model.keras"))
    write_table(Path("data/history.csv"), history)
    checkpoint.unlink()


if __name__ == "__main__":
    run(main)
