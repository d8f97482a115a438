"""Measure the trained model on the test images."""

from pathlib import Path

from digits import runtime
from digits.arrays import read_arrays
from digits.errors import run
from digits.evaluation import EvaluateParams, evaluate
from digits.files import write_json
from digits.models import load_model, probabilities
from digits.params import Params
from digits.tables import read_table, write_table


def main() -> None:
    params = Params()
    evaluate_params = params.section("evaluate", EvaluateParams)
    threads = params.section("runtime", runtime.RuntimeParams).threads

    test = read_arrays(Path("data/prepared/test.npz"), ("images", "labels"))
    history = read_table(Path("data/history.csv"), ("loss", "accuracy", "val_loss", "val_accuracy"))
    runtime.start(threads)
    answers = probabilities(load_model(Path("data/model.keras")), test["images"])
    metrics = evaluate(answers, test["labels"], history, evaluate_params)

    predicted, confidence = answers.argmax(axis=1), answers.max(axis=1)
    columns = {
        "index": range(len(predicted)),
        "actual": test["labels"],
        "predicted": predicted,
        "confidence": confidence,
    }
    write_table(Path("data/predictions.csv"), columns)
    write_json(Path("reports/metrics.json"), metrics)
    print(f"test accuracy: {metrics['accuracy']:.4f}")
    print(f"first test image: {predicted[0]} (confidence {confidence[0]:.4f})")


if __name__ == "__main__":
    run(main)
