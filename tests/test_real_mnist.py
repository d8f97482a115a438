"""The real MNIST through the whole pipeline by the recipe `fast`, and once more to the same bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline import REPOSITORY
from tools.screenshot import ARGUMENTS, STROKES, draw, find_chromium, running_app, verdict

pytestmark = [pytest.mark.slow, pytest.mark.network]


def run(folder: Path, *command: str) -> int:
    """Run a command of the environment and let it speak, for it takes minutes."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, check=False).returncode


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone what is committed, choose the recipe `fast`, run the pipeline and commit its lock."""
    folder = tmp_path_factory.mktemp("clone")
    params = folder / "params.yaml"
    commit = ("git", "-c", "user.name=A User", "-c", "user.email=user@example.invalid", "commit", "--quiet")
    assert 0 == run(folder, "git", "clone", "--quiet", str(REPOSITORY), ".")
    text = params.read_text(encoding="utf-8")
    # A quarter of the pictures is enough to find and judge the ink of what is asked here.
    changes = (
        ("\nrecipe: article\n", "\nrecipe: fast\n"),
        ("\n  pictures: 6000 ", "\n  pictures: 1500 "),
        ("\n  pictures: 2000 ", "\n  pictures: 500 "),
    )
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    params.write_text(text, encoding="utf-8")
    assert 0 == run(folder, "dvc", "repro")
    assert 0 == run(folder, *commit, "--all", "--message", "Train by the recipe fast")
    return folder


def test_fast_gets_99_in_100_test_images_right(trained: Path) -> None:
    accuracy = json.loads((trained / "reports/metrics.json").read_text(encoding="utf-8"))["accuracy"]

    assert accuracy >= 0.99


def test_the_photograph_of_the_readme_is_read_as_the_readme_says(trained: Path) -> None:
    command = [sys.executable, "-m", "digits", "predict", "docs/photograph.jpg"]
    output = subprocess.run(command, cwd=trained, capture_output=True, text=True, check=True).stdout
    readme = (trained / "README.md").read_text(encoding="utf-8")
    shown = readme.split("```\nfile ")[1].split("```")[0].splitlines()[1].split()

    assert shown[:2] == output.splitlines()[1].split()[:2]


@pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")
def test_digits_drawn_in_the_page_are_read_as_what_they_are(trained: Path) -> None:
    from playwright.sync_api import sync_playwright

    read = {}
    with running_app(trained) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(address)
        for digit, stroke in STROKES.items():
            draw(page, stroke)
            verdict(page)
            read[digit] = page.inner_text("#sign").rstrip("?")
            page.click("#clear")
        browser.close()

    assert {digit: str(digit) for digit in STROKES} == read


def test_everything_made_again_from_nothing_is_identical(trained: Path) -> None:
    assert 0 == run(trained, "digits", "verify", "--rerun")
