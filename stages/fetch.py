"""Get the dataset's raw arrays from the first source that has them."""

from pathlib import Path

from digits.data.datasets import DATASETS
from digits.data.sources import FetchParams, fetch
from digits.errors import run
from digits.files import write_arrays
from digits.params import Params


def main() -> None:
    params = Params()
    name = params.choice("dataset", "dataset", list(DATASETS))
    sources = params.section("fetch", FetchParams).sources
    arrays = fetch(DATASETS[name], sources, name)
    write_arrays(Path("data/raw") / f"{name}.npz", arrays)


if __name__ == "__main__":
    run(main)
