"""The model card says what the files say, and nothing that is typed in."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipeline import Project

CARD = "reports/model_card.md"


def card_of(project: Project) -> str:
    result = project.stage("card")
    assert 0 == result.returncode, result.stderr
    return (project.folder / CARD).read_text(encoding="utf-8")


def change(project: Project, path: str, key: str, value: object) -> None:
    """Set the value at `key`, a path with dots, in a JSON file."""
    content: dict[str, Any] = json.loads((project.folder / path).read_text(encoding="utf-8"))
    *parents, last = key.split(".")
    section = content
    for parent in parents:
        section = section[parent]
    section[last] = value
    (project.folder / path).unlink()
    (project.folder / path).write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    return finished.copy(tmp_path / "project", without=[".git"])


def test_the_front_matter_is_the_one_that_hugging_face_reads(project: Project) -> None:
    _, front_matter, text = card_of(project).split("---\n", 2)
    values = yaml.safe_load(front_matter)
    (result,) = values["model-index"][0]["results"]
    metrics = json.loads((project.folder / "reports/metrics.json").read_text(encoding="utf-8"))

    assert ["synthetic"] == values["datasets"]
    assert {"type": "accuracy", "value": metrics["accuracy"]} == result["metrics"][0]
    assert text.lstrip().startswith("# digits, article on synthetic\n")


@pytest.mark.parametrize(
    ("path", "key", "value", "expected"),
    [
        ("reports/metrics.json", "accuracy", 0.87654, "| accuracy | 87.65% |"),
        ("reports/metrics.json", "accuracy", 0.87654, "value: 0.87654"),
        ("reports/metrics.json", "errors", 4321, "| errors | 4,321 |"),
        ("reports/metrics.json", "calibration_error", 0.1234, "| calibration error | 12.34% |"),
        ("reports/details.json", "accuracy_interval.low", 0.8111, "81.11% to "),
        ("reports/details.json", "balanced_accuracy", 0.54321, "| balanced accuracy | 54.32% |"),
        ("reports/details.json", "false_accepts", {"fog": 0.0246}, "| fog | 2.46% |"),
        (
            "reports/metrics.json",
            "top_5_accuracy",
            0.9753,
            "| right class among the five likeliest | 97.53% |",
        ),
        ("reports/details.json", "brier_score", 0.13579, "| Brier score | 0.13579 |"),
        ("data/prepared/summary.json", "images.train", 54321, "54,321 images trained the network"),
        (
            "docs/seeds.json",
            "synthetic",
            {"article": {"rows": [{"test_errors": errors} for errors in (3, 6, 9)]}},
            "With 3 seeds the same recipe had an accuracy of 90.000% on average, "
            "with a standard deviation of 5.000%, from 85.00% to 95.00%: 3, 6, 9 errors.",
        ),
    ],
)
def test_a_changed_measurement_changes_the_card(
    project: Project, path: str, key: str, value: object, expected: str
) -> None:
    before = (project.folder / CARD).read_text(encoding="utf-8")
    change(project, path, key, value)

    after = card_of(project)

    assert expected not in before
    assert expected in after


def test_how_the_model_fails_is_what_the_page_on_confidence_says(project: Project) -> None:
    page = project.folder / "docs/confidence.md"
    page.write_text(page.read_text(encoding="utf-8") + "- A word more.\n", encoding="utf-8")

    text = card_of(project)

    assert "### What is taken for a digit and is none" in text
    assert "- A word more." in text


def test_the_card_of_pictures_says_nothing_of_digits(project: Project) -> None:
    changes = {"characters": False, "framing": "fit", "classes": [f"a|b {number}" for number in range(10)]}
    project.write_description("synthetic", project.description() | changes)

    text = card_of(project)

    assert "`digits predict` scales a picture to fit into that size, and pads it, first." in text
    assert "It was tried on images of synthetic, and on what the table below names" in text
    assert "### What is taken for a digit and is none" not in text
    assert "MNIST" not in text


def test_a_class_with_a_stroke_in_its_name_stays_in_its_cell(project: Project) -> None:
    table = project.folder / "reports/classes.csv"
    lines = table.read_text(encoding="utf-8").replace("\n0,", "\na|b,", 1)
    table.unlink()
    table.write_text(lines, encoding="utf-8")

    assert "| a\\|b |" in card_of(project)


def test_the_files_are_named_with_their_bytes_and_hashes(project: Project) -> None:
    content = (project.folder / "data/model.tflite").read_bytes()

    text = card_of(project)

    digest = hashlib.sha256(content).hexdigest()
    assert f"| `model.tflite` | {len(content):,} | `{digest}` |" in text


def test_the_network_is_the_one_in_the_models_file(project: Project) -> None:
    text = card_of(project)

    assert "; 225,930 parameters." in text
    assert "| Conv2D | filters 64, kernel_size 3 by 3, activation relu |" in text


def test_a_page_without_the_section_stops_the_stage_with_a_line(project: Project) -> None:
    (project.folder / "docs/confidence.md").write_text("# Nothing\n", encoding="utf-8")

    result = project.stage("card")

    assert 1 == result.returncode
    assert "docs/confidence.md: no section 'What is taken for a digit and is none'" in result.stderr
