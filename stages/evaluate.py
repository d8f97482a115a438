"""Measure the calibrated model on the test images."""

from pathlib import Path

from digits.backend import runtime
from digits.backend.models import load_model, probabilities
from digits.classifier.classifier import load_classifier
from digits.errors import run
from digits.evaluation.acceptance import acceptance, parity
from digits.evaluation.metrics import EvaluateParams, calibration_error, evaluate, rounded
from digits.evaluation.predictions import predictions_table
from digits.files import read_arrays, read_table, write_json, write_table
from digits.params import Params


def main() -> None:
    params = Params()
    evaluate_params = params.section("evaluate", EvaluateParams)
    threads = params.section("runtime", runtime.RuntimeParams).threads

    test = read_arrays(Path("data/prepared/test.npz"), ("images", "labels"))
    history = read_table(Path("data/history.csv"), ("loss", "accuracy", "val_loss", "val_accuracy"))
    runtime.start(threads)
    images, labels = test["images"], test["labels"]
    before = probabilities(load_model(Path("data/model.keras")), images)
    classifier = load_classifier(Path("data/calibrated.keras"), "keras")
    lite = load_classifier(Path("data/model.tflite"), "litert").classify(images)
    said = classifier.classify(images)
    answers = said.probabilities
    metrics = evaluate(answers, labels, history, evaluate_params)
    accepted = classifier.thresholds.accept(answers, said.score)
    metrics |= rounded(
        {
            "temperature": classifier.temperature,
            "uncalibrated": calibration_error(before, labels, evaluate_params.calibration_bins),
            "accepted": acceptance(accepted, answers.argmax(axis=1) == labels),
            "litert": parity(answers, lite.probabilities),
        }
    )

    table = predictions_table(labels, before, answers, said.score, accepted)
    write_table(Path("data/predictions.csv"), table)
    write_json(Path("reports/metrics.json"), metrics)
    print(f"test accuracy: {metrics['accuracy']:.4f}")
    print(f"first test image: {table['predicted'][0]:g} (confidence {table['confidence'][0]:.4f})")


if __name__ == "__main__":
    run(main)
