"""Draw the training, the confusion matrix, the most confident mistakes and the reliability."""

from pathlib import Path

from digits.data.datasets import DATASETS
from digits.errors import run
from digits.evaluation.predictions import read_predictions
from digits.figures.mistakes import confusion_matrix_figure, mistakes_gallery
from digits.figures.reliability import reliability_diagram
from digits.figures.style import write_figure
from digits.figures.training import COLUMNS, training_curves
from digits.files import read_arrays, read_table
from digits.params import Params


def main() -> None:
    params = Params()
    classes = DATASETS[params.choice("dataset", "dataset", list(DATASETS))].classes
    bins = params.integer("evaluate.calibration_bins", minimum=1, maximum=1000)
    history = read_table(Path("data/history.csv"), COLUMNS)
    test = read_arrays(Path("data/prepared/test.npz"), ("images", "labels"))
    said = read_predictions(Path("data/predictions.csv"), test["labels"], len(classes))

    figures = {
        "training": training_curves(history),
        "confusion": confusion_matrix_figure(said.actual, said.predicted, classes),
        "mistakes": mistakes_gallery(test["images"], said.actual, said.predicted, said.confidence, classes),
        "reliability": reliability_diagram(
            said.confidence, said.uncalibrated, said.actual == said.predicted, bins
        ),
    }
    for name, figure in figures.items():
        path = Path(f"reports/{name}.png")
        write_figure(path, figure)
        print(f"wrote {path.as_posix()}")


if __name__ == "__main__":
    run(main)
