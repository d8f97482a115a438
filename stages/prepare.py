"""Check the raw arrays, scale them to [0, 1], and split off the validation part."""

from pathlib import Path

from digits.data.datasets import chosen_dataset
from digits.data.preparation import PrepareParams, check_raw, split, summarize
from digits.errors import run
from digits.files import read_arrays, write_json, write_streams
from digits.params import Params


def main() -> None:
    params = Params()
    dataset = chosen_dataset(params)
    validation_split = params.section("prepare", PrepareParams).validation_split

    raw = read_arrays(Path(f"data/arrays/{dataset.name}.npz"), tuple(dataset.array_shapes))
    check_raw(raw, dataset)
    splits = split(raw, validation_split, dataset.validation)
    folder = Path("data/prepared")
    write_json(folder / "summary.json", summarize(splits, tuple(dataset.classes)))
    for split_name, part in splits.items():
        write_streams(folder / f"{split_name}.npz", part.streams())
        print(f"{split_name}: {len(part.labels)} images")


if __name__ == "__main__":
    run(main)
