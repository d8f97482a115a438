"""What the pipeline costs beyond the training's own time: each stage, and a `dvc repro` with nothing to do.

Usage: python -m benchmarks.pipeline [--recipe NAME] [--runs N] [--write]

It needs `data/arrays/mnist.npz` (`dvc repro fetch`). Each run is a clone of the commit with an empty `data/`
but for the raw file.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import yaml

from benchmarks.borrowed import with_recipe
from benchmarks.children import Child, run_child
from benchmarks.contestants import epochs_of
from benchmarks.report import write_between
from digits.errors import run
from digits.params import Params

PAGE = Path("docs/benchmarks.md")
DVC = [sys.executable, "-P", "-m", "dvc"]
START = """\
from digits.backend import runtime
from digits.params import Params
runtime.start(runtime.read_runtime(Params()))
"""
TENSORFLOW = [sys.executable, "-c", START]


def clone(folder: Path, recipe: str) -> None:
    """Clone this commit with the raw arrays, and choose the recipe for one epoch."""
    subprocess.run(["git", "clone", "--quiet", ".", str(folder)], check=True)
    (folder / "data/arrays").mkdir(parents=True, exist_ok=True)
    shutil.copy("data/arrays/mnist.npz", folder / "data/arrays")
    values = with_recipe(Params().values, recipe, {"epochs": 1})
    (folder / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def stages_of(folder: Path) -> list[str]:
    """Return the stages of dvc.yaml in their order."""
    return [*yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]]


def fitting(child: Child) -> float:
    """Return the seconds of the epochs that a process tells of."""
    return sum(epoch.seconds for epoch in epochs_of(child))


def empty_pipeline(folder: Path, count: int) -> None:
    """Make a pipeline of `count` stages in a row, each of which copies a line."""
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    run_child([*DVC, "init", "--quiet"], folder)
    # The settings of this pipeline: without them DVC would also look for updates and send statistics.
    shutil.copy(".dvc/config", folder / ".dvc")
    (folder / "file0").write_text("a line\n", encoding="utf-8")
    stages = {
        f"stage{number}": {
            "cmd": f"cp file{number} file{number + 1}",
            "deps": [f"file{number}"],
            "outs": [f"file{number + 1}"],
        }
        for number in range(count)
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    run_child([*DVC, "repro"], folder)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--recipe", default="article", choices=Params().names("recipes"), metavar="NAME")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="of what does nothing")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE}")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="digits-benchmark-") as name:
        folder, empty = Path(name) / "clone", Path(name) / "empty"
        clone(folder, arguments.recipe)
        lines = ["| stage | seconds | of which fitting | memory |", "|---|---:|---:|---:|"]
        total = fitted = 0.0
        stages = stages_of(folder)
        for stage in stages:
            if stage == "fetch":  # which waits for a network
                continue
            child = run_child([sys.executable, "-m", f"stages.{stage}"], folder)
            total, fitted = total + child.seconds, fitted + fitting(child)
            own = f"{fitting(child):.1f}" if stage == "train" else ""
            lines.append(f"| {stage} | {child.seconds:.1f} | {own} | {child.peak_memory / 1e9:.2f} GB |")
        lines.append(f"| all | {total:.1f} | {fitted:.1f} | |")
        started = median(run_child(TENSORFLOW, folder).seconds for _ in range(arguments.runs))
        empty_pipeline(empty, len(stages))
        nothing: dict[str, list[float]] = {"this": [], "empty": []}
        # What the stages left is what the lock is to say, so that nothing is left to do.
        run_child([*DVC, "commit", "--force", "--quiet"], folder)
        for _ in range(arguments.runs):
            nothing["this"].append(run_child([*DVC, "repro"], folder).seconds)
            nothing["empty"].append(run_child([*DVC, "repro"], empty).seconds)
    ours, theirs = median(nothing["this"]), median(nothing["empty"])
    summary = (
        "\n".join(lines)
        + f"\n\nThe stages cost {total - fitted:.1f} s beside the fitting; "
        + f"a process that starts TensorFlow and does nothing takes {started:.1f} s.\n"
        + f"A `dvc repro` with nothing to do takes {ours:.2f} s, "
        + f"{ours / theirs:.2f} times as long as in an empty one of {len(stages)} stages ({theirs:.2f} s)."
    )
    print(summary)
    if arguments.write:
        write_between(PAGE, "pipeline", summary)


if __name__ == "__main__":
    run(main)
