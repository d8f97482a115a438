"""A quick pipeline whose results depend on a seed and on a recipe, for tests of sweeps and comparisons.

Each stage adds a line to the file that RUNS names, so that tests see which ones ran, and how often.
"""

import sys
from pathlib import Path

from tests.toy_pipeline import Toy

SCRIPT = """\
import os, random

def note(name):
    if "RUNS" in os.environ:
        with open(os.environ["RUNS"], "a") as file:
            file.write(name + "\\n")
"""
FILES = {
    "dvc.yaml": """\
stages:
  make:
    cmd: python make.py
    deps: [make.py, note.py]
    outs: [data/labels.txt]
  fit:
    cmd: python fit.py
    params: [train, recipe, "recipes.${recipe}"]
    deps: [fit.py, note.py, data/labels.txt]
    outs: [data/model.txt]
  measure:
    cmd: python measure.py
    deps: [measure.py, note.py, data/labels.txt, data/model.txt]
    outs: [data/predictions.csv]
    metrics:
      - reports/metrics.json: {cache: false, persist: true}
""",
    "params.yaml": """\
runtime: {threads: 1}
recipe: good
recipes:
  good: {rate: 0.05, seconds: 0}
  poor: {rate: 0.15, seconds: 0}
train: {seed: 0}
gate: {worse_at_most: 0.01}
""",
    "environment.yaml": 'pyyaml: "6"\n',
    "note.py": SCRIPT,
    "make.py": """\
import note

note.note("make")
open("data/labels.txt", "w").write("\\n".join(str(number % 10) for number in range(1000)))
""",
    "fit.py": """\
import os, random, sys, time, yaml
import note

params = yaml.safe_load(open("params.yaml"))
recipe, seed = params["recipes"][params["recipe"]], params["train"]["seed"]
note.note(f"fit {params['recipe']} {seed}")
time.sleep(recipe["seconds"])
if seed < 0:
    sys.exit(f"fit: the seed {seed} is below 0")
threads = os.environ.get("OMP_NUM_THREADS", "none")
open("data/model.txt", "w").write(f"{recipe['rate']} {seed} {threads} {os.environ.get('FLIP', '')}")
""",
    "measure.py": """\
import json, random
import note

note.note("measure")
rate, seed, *_ = open("data/model.txt").read().split()
labels = [int(line) for line in open("data/labels.txt")]
chance = random.Random(f"{rate} {seed}")
answers = [(label + 1) % 10 if chance.random() < float(rate) else label for label in labels]
rows = [
    f"{place},{label},{answer},{0.0 if label == answer else 2.0}"
    for place, (label, answer) in enumerate(zip(labels, answers))
]
open("data/predictions.csv", "w").write("\\n".join(["index,actual,predicted,loss", *rows, ""]))
errors = sum(label != answer for label, answer in zip(labels, answers))
metrics = {"accuracy": 1 - errors / 1000, "errors": errors, "loss": errors / 500}
json.dump(metrics, open("reports/metrics.json", "w"))
""",
    ".gitignore": "__pycache__/\n",
    ".dvcignore": "__pycache__/\n",
    "data/.gitkeep": "",
    "reports/.gitkeep": "",
}


class SeededToy(Toy):
    """The pipeline in `folder`; `runs` is the file that its stages write to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.runs = folder / "runs.txt"

    def create(self) -> None:
        """Write the files, run the pipeline, and commit."""
        for folder in (self.folder, self.home, self.temporary):
            folder.mkdir()
        for name, text in FILES.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            self.write(name, text)
        self.run("git", "init", "--quiet", "--initial-branch=main")
        self.run("git", "config", "user.name", "A User")
        self.run("git", "config", "user.email", "user@example.invalid")
        self.run(sys.executable, "-m", "dvc", "init", "--quiet")
        self.repro()
        self.commit("Run the pipeline")

    def environment(self) -> dict[str, str]:
        return super().environment() | {"RUNS": str(self.runs), "PYTHONDONTWRITEBYTECODE": "1"}

    def stages_run(self) -> list[str]:
        """Return what the stages noted, in order, and forget it."""
        lines = self.runs.read_text(encoding="utf-8").split("\n")[:-1] if self.runs.exists() else []
        self.runs.unlink(missing_ok=True)
        return lines


def digits_command(*arguments: str) -> list[str]:
    """Return the command line of `digits` with these arguments."""
    return [sys.executable, "-P", "-m", "digits", *arguments]
