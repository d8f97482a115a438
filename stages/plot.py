"""Draw the training curves, the confusion matrix, the most confident mistakes and the reliability diagram."""

from pathlib import Path

from digits.data.datasets import chosen_dataset
from digits.data.prepared import read_prepared
from digits.errors import run
from digits.evaluation.metrics import EvaluateParams
from digits.evaluation.predictions import read_predictions
from digits.figures.confusion import confusion_matrix_figure
from digits.figures.mistakes import mistakes_gallery
from digits.figures.reliability import reliability_diagram
from digits.figures.style import write_figure
from digits.figures.training import training_curves
from digits.files import read_history
from digits.params import Params


def main() -> None:
    params = Params()
    dataset = chosen_dataset(params)
    classes, ink = tuple(dataset.classes), dataset.characters and dataset.ground == "dark"
    bins = params.section("evaluate", EvaluateParams).calibration_bins
    history = read_history(Path("data/history.csv"))
    test = read_prepared(Path("data/prepared/test.npz"), len(classes))
    predictions = read_predictions(Path("data/predictions.csv"), test["labels"], len(classes))
    actual, predicted, confidence = predictions.actual, predictions.predicted, predictions.confidence

    figures = {
        "training": training_curves(history),
        "confusion": confusion_matrix_figure(actual, predicted, classes),
        "mistakes": mistakes_gallery(test["images"], actual, predicted, confidence, classes, ink),
        "reliability": reliability_diagram(confidence, predictions.uncalibrated, actual == predicted, bins),
    }
    for name, figure in figures.items():
        path = Path(f"reports/{name}.png")
        write_figure(path, figure)
        print(f"wrote {path.as_posix()}")


if __name__ == "__main__":
    run(main)
