"""Measure how fast `digits dataset` packs pictures, as a ratio to Pillow alone, and its peak memory.

Usage: python -m benchmarks.packing [--quick]

Pillow alone is one process for each core that opens, converts and resizes the same files and keeps nothing.
Both read from the page cache, in turns. Work is the time of all cores, which other programs on the machine
disturb less than they disturb the clock. The memory is that of all of the command's processes, summed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 64
CLASSES = 4
REPOSITORY = Path(__file__).parent.parent

# Width and height of the pictures, how many of them, and their ending.
WHOLE = [("small", (64, 64), 100_000, "jpg"), ("photographs", (1600, 1200), 600, "jpg")]
QUICK = [("small", (64, 64), 2_000, "jpg"), ("photographs", (1600, 1200), 24, "jpg")]


def draw(folder: Path, size: tuple[int, int], count: int, ending: str) -> None:
    """Draw pictures of some classes: coloured noise, soft as photographs are."""
    random = np.random.Generator(np.random.PCG64(0))
    for label in range(CLASSES):
        (folder / f"class {label}").mkdir(parents=True)
    for number in range(count):
        coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
        image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        image.save(folder / f"class {number % CLASSES}" / f"{number}.{ending}", quality=85)


def resize_alone(paths: list[Path]) -> None:
    """Do with Pillow what must be done with each picture."""
    for path in paths:
        with Image.open(path) as image:
            np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def work() -> float:
    """Return the seconds of a core that the processes took that this one started, and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pillow_seconds(folder: Path) -> tuple[float, float]:
    """Return the time that Pillow alone takes on all cores, and its work."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    cores, before = len(os.sched_getaffinity(0)), work()
    with ProcessPoolExecutor(cores) as processes:
        [*processes.map(resize_alone, [paths[:1]] * cores)]
        start = time.perf_counter()
        [*processes.map(resize_alone, [paths[core::cores] for core in range(cores)])]
        seconds = time.perf_counter() - start
    return seconds, work() - before


def packing_seconds(folder: Path, pipeline: Path) -> tuple[float, float, float]:
    """Return the time that packing takes, its work, and the largest memory in MiB."""
    code = "from digits.packing import keeping; keeping.add_to_dvc = lambda path: None; "
    code += "from digits.cli import main; main()"
    arguments = ["dataset", "measured", str(folder), f"--height={SIDE}", f"--width={SIDE}", "--color"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    start, before = time.perf_counter(), work()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=pipeline, env=environment, stdout=subprocess.DEVNULL
    )
    largest = [0.0]

    def watch() -> None:
        while process.poll() is None:
            largest[0] = max(largest[0], sum(memory_of(process.pid)))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    seconds = time.perf_counter() - start
    watcher.join()
    if status:
        sys.exit(f"packing ended with status {status}")
    return seconds, work() - before, largest[0]


def memory_of(pid: int) -> Iterator[float]:
    """Yield the resident MiB of a process and of each of its children."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                yield int(line.split()[1]) / 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                yield from memory_of(int(child))
    except OSError:
        return  # it ended meanwhile


def main() -> None:
    """Print a table in Markdown with a row for each kind of pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few pictures: does it run at all?")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    arguments = parser.parse_args()
    rows = []
    for name, size, count, ending in QUICK if arguments.quick else WHOLE:
        with tempfile.TemporaryDirectory() as temporary:
            folder, pipeline = Path(temporary) / "pictures", Path(temporary) / "pipeline"
            pipeline.mkdir()
            for file in ("dvc.yaml", "params.yaml"):
                (pipeline / file).touch()
            draw(folder, size, count, ending)
            first = pillow_seconds(folder)
            packing, worked, memory = packing_seconds(folder, pipeline)
            second = pillow_seconds(folder)
            alone, worked_alone = min(first[0], second[0]), min(first[1], second[1])
        rows.append(
            {
                "pictures": f"{count:,} {name} of {size[0]}x{size[1]}",
                "Pillow alone (pictures/s)": round(count / alone),
                "packing (pictures/s)": round(count / packing),
                "time, as a multiple": round(packing / alone, 2),
                "work, as a multiple": round(worked / worked_alone, 2),
                "memory (MiB)": round(memory),
            }
        )
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}")
    for row in rows:
        cells = (f"{value:,}" if isinstance(value, int) else str(value) for value in row.values())
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
