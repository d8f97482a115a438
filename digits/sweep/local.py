"""The runs of a sweep as processes of this machine."""

import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path

from digits.sweep.machine import Machine, Processes, Task, machine_name
from digits.sweep.rows import Row
from digits.sweep.source import Source


class LocalEngine:
    """Runs on this machine, as many at a time as its cores allow."""

    def __init__(self, source: Source, folder: Path) -> None:
        """Take `folder`, of which no other process may make use, for clones."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        repo = source.pipeline.repo
        cache = Path(repo.cache.legacy.path)
        self.machine = Machine(
            machine_name(),
            folder,
            source.root,
            source.subfolder,
            cache,
            dvc_settings(source),
            tuple(source.raw.values()),
        )
        self.slots = max(1, cores() // source.threads)

    def run(self, tasks: Iterable[Task]) -> Iterator[Row]:
        """Make the runs and yield their rows as they end; closing the generator ends those under way."""
        processes, queue = Processes(), iter(tasks)
        with ThreadPoolExecutor(self.slots) as pool:
            running: set[Future[Row]] = set()
            try:
                while True:
                    more = islice(queue, self.slots - len(running))
                    running |= {pool.submit(self.machine.make, task, processes) for task in more}
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            finally:
                processes.stop()

    def close(self) -> None:
        """Remove the clones, and what is known of shared stages."""
        shutil.rmtree(self.machine.folder, ignore_errors=True)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def dvc_settings(source: Source) -> dict[str, dict[str, str]]:
    """Return the settings that a clone needs: the user's own, and remotes by their full paths."""
    config = source.pipeline.repo.config
    settings: dict[str, dict[str, str]] = {}
    for name, remote in config.get("remote", {}).items():
        settings[f"'remote \"{name}\"'"] = {key: str(value) for key, value in remote.items()}
    if default := config.get("core", {}).get("remote"):
        settings["core"] = {"remote": str(default)}
    if kinds := config.get("cache", {}).get("type"):
        settings["cache"] = {"type": ",".join(kinds)}
    return settings
