"""Measure the calibrated model on the test images."""

import json
from pathlib import Path

from digits.backend import runtime
from digits.backend.models import load_model, probabilities
from digits.calibration.nondigits import kinds_for, make_nondigits
from digits.classifier.classifier import load_classifier, parity
from digits.data.datasets import chosen_dataset
from digits.data.prepared import read_prepared
from digits.errors import run
from digits.evaluation.metrics import EvaluateParams, class_scores, details, evaluate
from digits.evaluation.predictions import predictions_table
from digits.files import read_history, write_json, write_table, write_text
from digits.params import Params


def main() -> None:
    params = Params()
    evaluate_params = params.section("evaluate", EvaluateParams)
    dataset = chosen_dataset(params)
    settings = runtime.read_runtime(params)

    test = read_prepared(Path("data/prepared/test.npz"), len(dataset.classes))
    history = read_history(Path("data/history.csv"))
    runtime.start(settings)
    images, labels = test["images"], test["labels"]
    before = probabilities(load_model(Path("data/model.keras"), images.shape[1:]), images)
    classifier = load_classifier(Path("data/calibrated.keras"), "keras")
    answers = classifier.classify(images)
    lite, int8 = (
        load_classifier(Path(f"data/{name}.tflite"), "litert").classify(images)
        for name in ("model", "network-int8")
    )
    after, score = answers.probabilities, answers.score
    accepted = classifier.thresholds.accept(after, score)

    kinds = kinds_for(dataset)
    false_accepts = {}
    nondigits = make_nondigits(images, labels, kinds, evaluate_params.seed)
    for kind, made in zip(kinds, nondigits, strict=True):
        # Of fewer test images than kinds, some kinds have none.
        if len(made):
            others = classifier.classify(made)
            accepts = classifier.thresholds.accept(others.probabilities, others.score)
            false_accepts[kind] = float(accepts.mean())

    metrics = evaluate(after, labels, accepted, history, dataset.accuracy_above, evaluate_params)
    further = details(after, before, labels, accepted, false_accepts, evaluate_params)
    further |= {"temperature": classifier.temperature, "litert": parity(after, lite.probabilities)}
    further |= {"int8": parity(after, int8.probabilities)}
    table = predictions_table(labels, before, after, score, accepted)
    # Not sorted: in a narrow window `dvc exp show` leaves out the last ones.
    write_text(Path("reports/metrics.json"), json.dumps(metrics, indent=2) + "\n")
    write_json(Path("reports/details.json"), further)
    write_table(Path("reports/classes.csv"), {"class": classifier.classes, **class_scores(after, labels)})
    write_table(Path("data/predictions.csv"), table)
    print(f"test accuracy: {metrics['accuracy']:.4f}")
    print(f"first test image: {table['predicted'][0]:g} (confidence {table['confidence'][0]:.4f})")


if __name__ == "__main__":
    run(main)
