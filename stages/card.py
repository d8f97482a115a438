"""Write the model card."""

from pathlib import Path

from digits.data.datasets import chosen_dataset
from digits.errors import run
from digits.files import write_text
from digits.model_card.card import model_card, read_measurements
from digits.params import Params


def main() -> None:
    params = Params()
    dataset = chosen_dataset(params)
    recipe = params.choice("recipe", "recipe", params.names("recipes"))
    path = Path("reports/model_card.md")
    write_text(path, model_card(dataset, recipe, read_measurements(dataset, recipe)))
    print(f"wrote {path.as_posix()}")


if __name__ == "__main__":
    run(main)
