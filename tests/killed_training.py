"""Run the stage `train` in the current folder and kill it, as `kill -9` would, at a chosen moment.

Usage: python killed_training.py batch NUMBER         at the end of that batch, counted from the start
       python killed_training.py during FILE NUMBER   with half of FILE written, for that time
       python killed_training.py after FILE NUMBER    once FILE is in its place, for that time
"""

import os
import runpy
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_batch(number: int) -> None:
    from digits.backend import runtime
    from digits.training import train as training

    # Python sees each batch end only where TensorFlow takes one step at a time.
    training.MOST_STEPS_PER_EXECUTION = 1
    start = runtime.start

    def start_and_arm(settings: runtime.RuntimeParams) -> None:
        start(settings)
        from digits.training.checkpoints import Journal

        batches = iter(range(1, number + 1))
        Journal.on_train_batch_end = lambda *_, **__: die() if next(batches) == number else None

    runtime.start = start_and_arm


def die_at_file(moment: str, name: str, number: int) -> None:
    from digits import files

    whole_file = files.whole_file
    times = {name: 0}

    @contextmanager
    def deadly_whole_file(path: Path) -> Iterator[Path]:
        if path.name in times:
            times[path.name] += 1
        now = times.get(path.name) == number
        with whole_file(path) as partial:
            yield partial
            if now and moment == "during":
                os.truncate(partial, partial.stat().st_size // 2)
                die()
        if now:
            die()

    files.whole_file = deadly_whole_file


def main() -> None:
    moment, *where, number = sys.argv[1:]
    sys.path[0] = str(Path.cwd())
    sys.argv = ["stages/train.py"]
    if moment == "batch":
        die_at_batch(int(number))
    else:
        die_at_file(moment, where[0], int(number))
    runpy.run_module("stages.train", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
