"""The text of the model card, in the form that Hugging Face's hub reads.

Every number comes from a file: a test changes one and sees the card change.
Source: https://huggingface.co/docs/hub/model-cards
"""

import csv
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from digits.data.datasets import Dataset
from digits.errors import DigitsError
from digits.model_card.network import layers, parameters

# What an application takes.
MODELS = (Path("data/model.tflite"), Path("data/calibrated.keras"))
KERAS = Path("data/calibrated.keras")
CONFIDENCE = Path("docs/confidence.md")
# The sections of docs/confidence.md that say how a model of MNIST's digits fails.
FAILURES = ("What is taken for a digit and is none", "What it does not do")
# Classes that are named one by one.
MOST_NAMED = 20
FRAMINGS = {
    "mnist": "finds the ink in a picture and brings it into that form first",
    "fit": "scales a picture to fit into that size, and pads it, first",
    "crop": "scales a picture to cover that size, and crops it, first",
}


@dataclass(frozen=True)
class Measurements:
    """What was measured.

    Attributes:
        metrics: the content of reports/metrics.json.
        details: that of reports/details.json.
        classes: the rows of reports/classes.csv, the header first.
        summary: the content of data/prepared/summary.json.
        seeds: the dataset's and the recipe's rows in docs/seeds.json, one for each seed, or none.
    """

    metrics: dict[str, Any]
    details: dict[str, Any]
    classes: list[list[str]]
    summary: dict[str, Any]
    seeds: list[dict[str, Any]]


def read_measurements(dataset: Dataset, recipe: str) -> Measurements:
    """Read the measurements of the model that the recipe called `recipe` made of `dataset`.

    Raises:
        DigitsError: a file is missing or damaged.
    """
    with Path("reports/classes.csv").open(encoding="utf-8", newline="") as file:
        classes = list(csv.reader(file))
    seeds = _read_json(Path("docs/seeds.json")).get(dataset.name, {}).get(recipe, {})
    return Measurements(
        _read_json(Path("reports/metrics.json")),
        _read_json(Path("reports/details.json")),
        classes,
        _read_json(Path("data/prepared/summary.json")),
        seeds.get("rows", []),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DigitsError(f"{path}: not JSON ({error})") from error
    return content


def model_card(dataset: Dataset, recipe: str, measured: Measurements) -> str:
    """Return the card: front matter in YAML, then Markdown.

    Args:
        dataset: which the model was trained on.
        recipe: its name in params.yaml.
        measured: the numbers.

    Raises:
        DigitsError: a model's file or docs/confidence.md is missing or damaged.
    """
    sections = {
        "Model description": _description(dataset, recipe),
        "Intended uses": _uses(dataset),
        "Training data": _data(dataset, measured),
        "Evaluation results": _results(measured),
        "Limitations": _limitations(dataset, measured),
        "Files": _files(),
        "How to verify": VERIFY,
    }
    text = "\n\n".join(f"## {title}\n\n{content}" for title, content in sections.items())
    front_matter = _front_matter(dataset, recipe, measured)
    return f"---\n{front_matter}---\n\n# digits, {recipe} on {dataset.name}\n\n{text}\n"


def _front_matter(dataset: Dataset, recipe: str, measured: Measurements) -> str:
    # Written by hand: no library's version changes its bytes.
    return f"""\
license: mit
library_name: keras
pipeline_tag: image-classification
tags: [litert, dvc, calibration]
datasets: [{dataset.name}]
metrics: [accuracy, f1]
model-index:
- name: digits-{recipe}
  results:
  - task: {{type: image-classification}}
    dataset: {{name: {dataset.name}, type: {dataset.name}, split: test}}
    metrics:
    - {{type: accuracy, value: {measured.metrics["accuracy"]}}}
    - {{type: f1, value: {measured.details["macro_f1"]}}}
"""


def _description(dataset: Dataset, recipe: str) -> str:
    rows = [[kind, settings] for kind, settings in layers(KERAS)]
    height, width, channels = dataset.image_shape
    named = ", ".join(dataset.classes[:MOST_NAMED]) + (", …" if len(dataset.classes) > MOST_NAMED else "")
    colour = " in colour" if channels > 1 else ""
    return (
        f"Names one of {len(dataset.classes)} classes ({named}) in images of "
        f"{height} by {width} pixels{colour}, with a calibrated probability and a score of how much the "
        f"image is one of them at all. Trained by the recipe `{recipe}`; {parameters(KERAS):,} parameters."
        "\n\n" + _table(["layer", "settings"], rows)
    )


def _uses(dataset: Dataset) -> str:
    return (
        f"Pictures of one of these classes, as the data below has them. `digits predict` "
        f"{FRAMINGS[dataset.framing]}.\n\n"
        "```sh\ndigits predict --model model.tflite photograph.jpg\n```"
    )


def _data(dataset: Dataset, measured: Measurements) -> str:
    images = measured.summary["images"]
    return (
        f"{dataset.origin}, licence: {dataset.licence}. "
        f"{images['train']:,} images trained the network, {images['validation']:,} chose its epoch, its "
        f"temperature and its thresholds, and {images['test']:,} measured it. Test images that are also "
        f"training images: {measured.summary['test_images_also_in_training']:,}."
    )


def _results(measured: Measurements) -> str:
    metrics, details = measured.metrics, measured.details
    accepted = metrics["accepted"]
    rows = [
        ["accuracy", f"{metrics['accuracy']:.2%}", _interval(details["accuracy_interval"])],
        ["balanced accuracy", f"{details['balanced_accuracy']:.2%}", ""],
        *(
            [["right class among the five likeliest", f"{metrics['top_5_accuracy']:.2%}", ""]]
            if "top_5_accuracy" in metrics
            else []
        ),
        ["errors", f"{metrics['errors']:,}", ""],
        ["loss", f"{metrics['loss']:.5f}", ""],
        ["calibration error", f"{metrics['calibration_error']:.2%}", ""],
        ["Brier score", f"{details['brier_score']:.5f}", ""],
        ["macro F1", f"{details['macro_f1']:.4f}", ""],
        ["share of accepted answers", f"{accepted['share']:.2%}", ""],
        [
            "accuracy of accepted answers",
            "" if accepted["accuracy"] is None else f"{accepted['accuracy']:.2%}",
            _interval(details["accepted"]["accuracy_interval"]),
        ],
    ]
    test_images = f"On the {measured.summary['images']['test']:,} test images:"
    header, *classes = measured.classes
    return "\n\n".join(
        [
            f"{test_images}\n\n{_table(['measure', 'value', '95% interval'], rows)}",
            _table(header, classes),
            _seeds(measured),
        ]
    )


def _seeds(measured: Measurements) -> str:
    images = measured.summary["images"]["test"]
    if len(measured.seeds) < 2:
        return "How far another seed's accuracy may be from this one was not measured."
    accuracies = [1 - row["test_errors"] / images for row in measured.seeds]
    return (
        f"With {len(accuracies)} seeds the same recipe had an accuracy of {mean(accuracies):.3%} on average, "
        f"with a standard deviation of {stdev(accuracies):.3%}, from {min(accuracies):.2%} to "
        f"{max(accuracies):.2%}: {', '.join(str(row['test_errors']) for row in measured.seeds)} errors."
    )


def _limitations(dataset: Dataset, measured: Measurements) -> str:
    """Return what the model was not tried on, what it accepts wrongly, and of digits how else it fails."""
    rows = [[kind, f"{share:.2%}"] for kind, share in measured.details["false_accepts"].items()]
    accepted = (
        "Made-up images that are of no class, and the share of them that is accepted, which the score is "
        "to keep low:\n\n" + _table(["images", "accepted"], rows)
    )
    if not (dataset.characters and dataset.framing == "mnist"):
        return (
            f"It was tried on images of {dataset.name}, and on what the table below names; on nothing else. "
            "A picture of another kind is refused often, not always: only made-up ones were there to learn "
            "from. Pictures made to deceive it were not tried. The temperature is one of "
            f"{dataset.name}'s validation images: where the camera or the scene is another, the network is "
            f"right less often than it says.\n\n{accepted}"
        )
    pages = re.split(r"^## ", CONFIDENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {title.strip(): body.strip() for title, _, body in (page.partition("\n") for page in pages)}
    lines = [
        f"It was tried on images of {dataset.name}, and on what the tables below name; on nothing else. "
        "Handwriting of other times, countries and pens was not tried, nor were pictures made to deceive it.",
        accepted,
    ]
    for title in FAILURES:
        if title not in found:
            raise DigitsError(f"{CONFIDENCE}: no section {title!r}, which the model card has")
        lines.append(f"### {title}\n\n{found[title]}")
    return "\n\n".join(lines)


def _files() -> str:
    rows = []
    for path in MODELS:
        content = path.read_bytes()
        rows.append([f"`{path.name}`", f"{len(content):,}", f"`{hashlib.sha256(content).hexdigest()}`"])
    return _table(["file", "bytes", "SHA-256"], rows)


VERIFY = """\
The files come from a pipeline that gives the same bytes on every x86-64 CPU with AVX2.
In a clone of its repository, at the commit that has this card:

```sh
digits verify            # the files here are the ones that the lock names
digits verify --rerun    # train again, and compare every byte
sha256sum data/model.tflite data/calibrated.keras
```"""


def _interval(interval: dict[str, float] | None) -> str:
    return f"{interval['low']:.2%} to {interval['high']:.2%}" if interval else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
