"""Train by the recipes of params.yaml, a plain Keras script, PyTorch and JAX side by side on this machine.

Usage: python -m benchmarks.recipes [CONTESTANT ...] [options]

It needs `data/arrays/mnist.npz` and `data/prepared` (`dvc repro prepare`), and an hour; `--quick` takes
a few minutes. `--write` puts table, picture and raw values into docs/, and a short table into the README.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.children import run_child
from benchmarks.contestants import WIDER, Contestant, Epoch, Result, contestants
from benchmarks.race import NAMES, race_picture
from benchmarks.report import write_between
from digits.errors import DigitsError, run, unknown_name
from digits.figures.style import write_figure
from digits.files import write_json
from digits.params import Params

RAW, PAGE, README = Path("data/arrays/mnist.npz"), Path("docs/benchmarks.md"), Path("README.md")
VALUES, PICTURE = Path("docs/benchmarks.json"), Path("docs/recipes.png")
ACCURACIES = (0.98, 0.99, 0.994)
QUICK_EPOCHS = 3
# The images of an epoch: those of MNIST that train.
IMAGES = 48_000


def measure(able: dict[str, Contestant], runs: int, epochs: dict[str, int | None]) -> dict[str, list[Result]]:
    """Let each contestant run once, then each a second time, and so on: a noisy hour hits all alike."""
    results: dict[str, list[Result]] = {name: [] for name in able}
    for _ in range(runs):
        for name, contestant in able.items():
            result = contestant(epochs[name])
            results[name].append(result)
            print(f"{name}: {result.seconds:.1f} s, {result.test_accuracy:.4f}", file=sys.stderr, flush=True)
    return results


def images_per_second(epochs: list[Epoch]) -> float:
    """Return the rate of the median epoch, its validation counted; the first one also compiles."""
    return IMAGES / median([epoch.seconds for epoch in epochs[1:] or epochs])


def seconds_to(accuracy: float, epochs: list[Epoch]) -> float | None:
    """Return the seconds from the start of the process to the first epoch with that validation accuracy."""
    return next((epoch.moment for epoch in epochs if epoch.val_accuracy >= accuracy), None)


def table(results: dict[str, list[Result]], limit: dict[str, Any]) -> str:
    """Return a table in Markdown: the medians of each contestant's runs."""
    lines = [
        "| | whole process | ratio | images/s | of the limit | to 98% | to 99% | to 99.4% | epochs "
        "| test accuracy | memory |",
        "|---|" + "---:|" * 10,
    ]
    plain = median([run.seconds for run in results["keras"]]) if "keras" in results else None
    for name, runs in results.items():
        seconds = median([run.seconds for run in runs])
        rate = median([images_per_second(run.epochs) for run in runs])
        operations = limit["operations"].get(name.removesuffix(WIDER), limit["operations"]["article"])
        reached = [[seconds_to(accuracy, run.epochs) for run in runs] for accuracy in ACCURACIES]
        cells = [
            f"{seconds:.1f} s",
            f"1/{plain / seconds:.1f}" if plain else "",
            f"{rate:,.0f}",
            f"{rate * operations / limit['gflops'] / 1e9:.0%}",
            *(f"{median(moments):.0f} s" if None not in moments else "-" for moments in reached),
            f"{median([len(run.epochs) for run in runs]):.0f}",
            f"{median([run.test_accuracy for run in runs]):.2%}",
            f"{median([run.peak_memory for run in runs]) / 1e9:.2f} GB",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(results: dict[str, list[Result]]) -> str:
    """Return the columns that the README shows, of those who trained to their end."""
    lines = ["| | trained and saved after | test accuracy of this run | memory |", "|---|" + "---:|" * 3]
    for name, runs in results.items():
        accuracy = median([run.test_accuracy for run in runs])
        memory = median([run.peak_memory for run in runs]) / 1e9
        seconds = median([run.seconds for run in runs])
        lines.append(f"| {NAMES.get(name, name)} | {seconds:.1f} s | {accuracy:.2%} | {memory:.2f} GB |")
    return "\n".join(lines)


def circumstances(runs: int, limit: dict[str, Any]) -> str:
    """Say in a line where and when the measuring was done."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return (
        f"{cpu}, {os.cpu_count()} cores, {date.today()}, commit {commit}; "
        f"{'one run' if runs == 1 else f'medians of {runs} runs'} each, interleaved; "
        f"the machine multiplies matrices at {limit['gflops']:.0f} GFLOP/s."
    )


def write_pages(
    results: dict[str, list[Result]], limit: dict[str, Any], runs: int, ended: dict[str, int]
) -> None:
    """Write the tables, the raw values and the picture; `ended` are the epochs of those that were stopped."""
    line = circumstances(runs, limit)
    page = line
    if ended:
        page += (
            f"\nEnded after so many epochs: {', '.join(f'{name} {most}' for name, most in ended.items())}."
        )
    write_between(PAGE, "recipes", f"{page}\n\n{table(results, limit)}")
    whole = {name: runs for name, runs in results.items() if name not in ended}
    write_between(README, "recipes", f"{line}\n\n{summary(whole)}")
    raw = {name: [asdict(run) for run in runs] for name, runs in results.items()}
    write_json(VALUES, {"circumstances": page, "limit": limit, "results": raw})
    write_figure(PICTURE, race_picture(results))


def main() -> None:
    """Measure, print the table, and write it where that is wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipes", description=__doc__)
    parser.add_argument("contestants", nargs="*", metavar="CONTESTANT")
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK_EPOCHS} epochs each")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="of each contestant")
    parser.add_argument("--peers", metavar="PYTHON", help="a Python that has PyTorch and JAX")
    parser.add_argument("--peer-epochs", type=int, metavar="N", help="end the peers after N epochs")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/benchmarks.*, docs/recipes.png and the README's table",
    )
    arguments = parser.parse_args()
    if arguments.runs < 1:
        raise DigitsError(f"--runs: {arguments.runs} is not allowed; expected 1 or more")
    able, unable = contestants(Params().values, RAW, arguments.peers)
    for name in arguments.contestants:
        if name not in able | unable:
            raise DigitsError(unknown_name("contestant", name, [*able, *unable]))
        if name in unable:
            raise DigitsError(f"{name}: {unable[name]}")
    chosen = {name: able[name] for name in able if name in (arguments.contestants or able)}
    if not arguments.contestants:
        for name, reason in unable.items():
            print(f"{name} is left out: {reason}", file=sys.stderr)
    epochs = {
        name: QUICK_EPOCHS
        if arguments.quick
        else arguments.peer_epochs
        if name in ("pytorch", "keras-jax")
        else None
        for name in chosen
    }
    limit = json.loads(run_child([sys.executable, "-m", "benchmarks.limit"], Path()).lines[-1][1])
    results = measure(chosen, arguments.runs, epochs)
    print(table(results, limit))
    if arguments.write:
        ended = {name: most for name, most in epochs.items() if most}
        write_pages(results, limit, arguments.runs, ended)


if __name__ == "__main__":
    run(main)
