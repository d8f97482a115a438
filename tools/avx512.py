"""Train three steps of each recipe with AVX-512, and compare the weights with what other CPUs gave.

Usage: python -m tools.avx512 [--write]

`runtime.instructions: AVX512` promises the same bits among CPUs that have it. The hashes that are known, and
the CPUs that gave them, are in docs/avx512.json; `--write` adds this CPU. The exit status is 1 where a hash
is another one: a CPU that contradicts the promise, or a recipe or a network that has changed since.
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from digits.backend import runtime
from digits.errors import run
from digits.files import write_text
from digits.params import Params
from digits.sweep.machine import cpu_name
from digits.training.recipes import Recipe
from tools.probe import digest, short_run, weights_of

KNOWN = Path("docs/avx512.json")

# By the recipe: the hash of the weights, and the CPUs that gave it.
Hashes = dict[str, dict[str, list[str]]]


def hashes_here() -> dict[str, str]:
    """Return the hash of each recipe's weights after three steps on this CPU."""
    params = Params()
    settings = runtime.read_runtime(params).model_copy(update={"instructions": "AVX512"})
    runtime.check_cpu(settings, params.path)
    runtime.start(settings)
    hashes = {}
    with TemporaryDirectory() as folder:
        for name in params.names("recipes"):
            recipe = params.section(f"recipes.{name}", Recipe).model_copy(
                update={"epochs": 1, "least_steps": 0}
            )
            hashes[name] = digest(weights_of(short_run(recipe, Path(folder))[0]))
    return hashes


def read_known() -> Hashes:
    """Return what docs/avx512.json says."""
    known: Hashes = json.loads(KNOWN.read_text(encoding="utf-8")) if KNOWN.exists() else {}
    return known


def main() -> None:
    """Print a line for each recipe, and write what this CPU adds."""
    parser = argparse.ArgumentParser(prog="python -m tools.avx512")
    parser.add_argument("--write", action="store_true", help="add this CPU to docs/avx512.json")
    write = parser.parse_args().write
    known, cpu, differs = read_known(), cpu_name(), False
    result: Hashes = {}
    for recipe, found in hashes_here().items():
        cpus = known.get(recipe, {}).get(found, [])
        differs |= bool(known.get(recipe)) and not cpus
        print(f"{recipe}: {found}, " + (f"as {', '.join(cpus)} gave" if cpus else "which no CPU gave before"))
        result[recipe] = {found: sorted({*cpus, cpu})}
    if differs:
        sys.exit(f"another hash than in {KNOWN}; if a recipe or a network has changed, remove the file")
    if write:
        write_text(KNOWN, json.dumps(result, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    run(main)
