"""Run tools/probe.py on this CPU, on one core of it, and on emulated CPUs, and compare the hashes.

Usage: python -m tools.compare_cpus [CPU ...]   (names that `qemu-x86_64 -cpu help` lists)

It needs qemu-user and some minutes per emulated CPU. Each part of the probe is a process of its own: where
one ends with a failure, a dash stands for its results. The exit status is 1 then, and where a result differs
that does not stand in parentheses: those are known to differ, and no stage uses them.
"""

import json
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from itertools import chain

from tools.probe import PARTS

MISSING = "-"
EMULATED = ["Haswell", "EPYC-Rome"]
PROBE = [sys.executable, "-m", "tools.probe"]


def commands(cpus: list[str]) -> dict[str, list[str]]:
    """Return the command that runs the probe on each CPU, by the CPU's name."""
    emulator = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
    if emulator is None:
        sys.exit("qemu-x86_64 was not found; install qemu-user")
    return {
        "native": PROBE,
        "one core": ["taskset", "--cpu-list", "0", *PROBE],
        **{cpu: [emulator, "-cpu", cpu, *PROBE] for cpu in cpus},
    }


def hashes_on(cpu: str, command: list[str]) -> dict[str, str]:
    """Run the probe and give the hash of each result, by name; of a part that fails there is none."""
    hashes: dict[str, str] = {}
    for part in PARTS:
        print(f"{cpu}: {part} ...", file=sys.stderr, flush=True)
        finished = subprocess.run([*command, part], capture_output=True, text=True)
        if finished.returncode:
            reason = finished.stderr.strip().rpartition("\n")[2][:200]
            print(f"{cpu}: {part} failed ({finished.returncode}): {reason}", file=sys.stderr, flush=True)
            continue
        hashes |= json.loads(finished.stdout[finished.stdout.index("{") :])
    return hashes


def rows(hashes: list[dict[str, str]]) -> dict[str, list[str]]:
    """Return the hashes of each result that any CPU gave, a dash for a CPU that did not."""
    names = dict.fromkeys(chain.from_iterable(hashes))
    return {name: [results.get(name, MISSING) for results in hashes] for name in names}


def differing(table: dict[str, list[str]]) -> list[str]:
    """Return the results that some CPU did not give, or gave otherwise and is not known to."""
    return [
        name
        for name, row in table.items()
        if MISSING in row or (len({*row}) > 1 and not name.startswith("("))
    ]


def main() -> None:
    """Print a table in Markdown with a row per result and a column per CPU."""
    hashes = {cpu: hashes_on(cpu, command) for cpu, command in commands(sys.argv[1:] or EMULATED).items()}
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("tensorflow", "keras", "numpy", "matplotlib")
    )
    print(f"Python {platform.python_version()}, {libraries}\n")
    print(f"| result | {' | '.join(hashes)} |\n|---|{'---|' * len(hashes)}")
    table = rows(list(hashes.values()))
    for result, row in table.items():
        print(f"| {result} | {' | '.join(row)} |")
    different = differing(table)
    print(
        f"\n{len(different)} results differ or are missing: {', '.join(different)}"
        if different
        else "\nOne hash for all CPUs."
    )
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
