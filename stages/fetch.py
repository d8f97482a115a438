"""Fetch the dataset's raw arrays from the first source that has them."""

from pathlib import Path

from digits.data.datasets import chosen_dataset
from digits.data.sources import FetchParams, fetch
from digits.errors import run
from digits.files import write_arrays
from digits.params import Params


def main() -> None:
    params = Params()
    dataset = chosen_dataset(params)
    folders = params.section("fetch", FetchParams).folders
    write_arrays(Path(f"data/arrays/{dataset.name}.npz"), fetch(dataset, folders))


if __name__ == "__main__":
    run(main)
