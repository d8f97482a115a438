"""One run on one machine: `dvc repro` in a clean clone, with the cache that the machine's runs share."""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from digits.errors import DigitsError
from digits.sweep import guard
from digits.sweep.cache import copy_objects
from digits.sweep.grid import Point, write_params
from digits.sweep.results import last_words, locked_outputs, read_metrics
from digits.sweep.rows import Row
from digits.verification import git

# What engines and shells set for libraries that compute; no hash may depend on it.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# Hydra and OmegaConf, which write the overrides into the params files, are not made for threads.
_writing = threading.Lock()


@dataclass(frozen=True)
class Task:
    """A run to make.

    Attributes:
        id: of its row.
        overrides: of its params.
        commit: to clone.
        base: the commit that `dvc exp` shows the run under.
        inputs: as in its row.
        metrics: the metrics files.
        levels: stages that runs share, each with a name for what they are in this run.
        check: make it without the results of earlier runs.
        push: send its outputs to the remote.
        avoid: the machine to make it on another one than.
        keep: the name of the DVC experiment to save it as.
    """

    id: str
    overrides: Point
    commit: str
    base: str
    inputs: str
    metrics: tuple[str, ...]
    levels: tuple[tuple[tuple[str, ...], str], ...] = ()
    check: bool = False
    push: bool = False
    avoid: str | None = None
    keep: str | None = None


class StoppedError(Exception):
    """The runs were told to stop."""


@dataclass
class Processes:
    """The processes of the runs that are under way, which can be ended from another thread."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    stopped: bool = False

    def stop(self) -> None:
        """End them all, and let no other start."""
        self.stopped = True
        for process in list(self.running):
            if process.stdin:
                process.stdin.close()

    def run(self, command: list[str], folder: Path, variables: dict[str, str], log: Path) -> int:
        """Run `command` in `folder`, let it write to `log`, and return its status."""
        guarded = [sys.executable, "-I", "-S", str(guard.__file__), *command]
        with (
            log.open("ab") as file,
            subprocess.Popen(
                guarded, cwd=folder, env=variables, stdin=subprocess.PIPE, stdout=file, stderr=file
            ) as process,
        ):
            self.running.add(process)
            try:
                if self.stopped:
                    raise StoppedError
                status = process.wait()
            finally:
                self.running.discard(process)
                with suppress(OSError):
                    if process.stdin:
                        process.stdin.close()
        if self.stopped:
            raise StoppedError
        return status


@dataclass(frozen=True)
class Machine:
    """Where a machine's runs are made.

    Attributes:
        name: of the machine.
        folder: for clones, for as long as a run takes, and for what is known of shared stages.
        repository: the Git repository to clone.
        subfolder: the place of dvc.yaml in it.
        cache: DVC's cache, which the runs share.
        settings: of DVC, beside those in the repository: sections of names and values.
        raw: the hashes of the files that stages begin with, as far as they are in the cache.
    """

    name: str
    folder: Path
    repository: Path
    subfolder: str
    cache: Path
    settings: dict[str, dict[str, str]]
    raw: tuple[str, ...]

    def make(self, task: Task, processes: Processes) -> Row:
        """Make the run, and return its row; the error of a stage stands in the row.

        Raises:
            DigitsError: the run could not be started, or its outputs not be read or sent.
            StoppedError: the runs were told to stop.
        """
        (self.folder / "runs").mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{task.id}-", dir=self.folder / "runs"))
        started = time.monotonic()
        try:
            root = self._prepare(task, folder)
            status = self._run_stages(task, root, processes)
            error = last_words(folder / "log") if status else None
            seconds = time.monotonic() - started
            row = Row(
                id=task.id,
                overrides=task.overrides,
                inputs=task.inputs,
                commit=task.commit,
                dirty=task.commit != task.base,
                check=task.check,
                error=error,
                metrics={} if error else read_metrics(root, task.metrics),
                outputs={} if error else locked_outputs((root / "dvc.lock").read_text(encoding="utf-8")),
                seconds=round(seconds, 1),
                machine=self.name,
                cpu=cpu_name(),
            )
            if not error:
                self._send(task, root, processes)
            return row
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def fetch(self, commit: str, targets: tuple[str, ...]) -> None:
        """Get outputs of the commit from the remote into the cache; what it lacks, the stages make again."""
        (self.folder / "runs").mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=self.folder / "runs"))
        root = self._prepare(Task("", (), commit, commit, "", ()), folder)
        self._dvc(["fetch", *targets], root, Processes())
        shutil.rmtree(folder, ignore_errors=True)

    def _prepare(self, task: Task, folder: Path) -> Path:
        """Clone the commit into `folder`, write the overrides, and return the folder of dvc.yaml."""
        git.shared_clone(self.repository, task.commit, folder / "clone")
        if task.keep:
            git.copy_identity(self.repository, folder / "clone")
            if task.commit != task.base:
                git.move_head(folder / "clone", task.base)
        root = folder / "clone" / self.subfolder
        cache = folder / "cache" if task.check else self.cache
        if task.check:
            copy_objects(self.cache, cache, self.raw)
        sections = self.settings | {"cache": self.settings.get("cache", {}) | {"dir": str(cache)}}
        lines = []
        for name, values in (sections | {"core": {"analytics": "false", "check_update": "false"}}).items():
            lines += [f"[{name}]", *(f"    {key} = {value}" for key, value in values.items())]
        (root / ".dvc/config.local").write_text("\n".join(lines) + "\n", encoding="utf-8")
        with _writing:
            write_params(root, task.overrides)
        return root

    def _run_stages(self, task: Task, root: Path, processes: Processes) -> int:
        """Run the stages, the shared ones only where no run of this machine has, and return DVC's status."""
        for stages, signature in () if task.check else task.levels:
            with self._shared(signature) as done:
                if not done.exists():
                    if status := self._dvc(["repro", *stages], root, processes):
                        return status
                    done.touch()
        return self._dvc(["repro"], root, processes)

    @contextmanager
    def _shared(self, signature: str) -> Iterator[Path]:
        folder = self.folder / "shared"
        folder.mkdir(exist_ok=True)
        with (folder / f"{signature}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield folder / f"{signature}.done"

    def _send(self, task: Task, root: Path, processes: Processes) -> None:
        """Send the outputs to the remote, and save the run as an experiment, as far as that is wanted."""
        log = root / ".dvc/tmp/sweep.log"
        log.parent.mkdir(exist_ok=True)
        commands = [["push", "--run-cache"]] if task.push else []
        commands += [["exp", "save", "--force", "--name", task.keep]] if task.keep else []
        for command in commands:
            if self._dvc(command, root, processes, log):
                raise DigitsError(f"`dvc {' '.join(command)}` failed: {last_words(log)}")
        if task.keep:
            git.take_experiment(self.repository, root, task.base, task.keep)

    def _dvc(self, arguments: list[str], root: Path, processes: Processes, log: Path | None = None) -> int:
        folder = next(parent for parent in root.parents if parent.parent == self.folder / "runs")
        for name in ("tmp", "site"):
            (folder / name).mkdir(exist_ok=True)
        command = [sys.executable, "-P", "-m", "dvc", *arguments]
        return processes.run(command, root, environment(folder), log or folder / "log")


def environment(folder: Path) -> dict[str, str]:
    """Return the variables for a run, without those of the engine that started it."""
    left_out = ("RAY_", "PYTHONSAFEPATH", "PYTHONPATH", *THREADS)
    inherited = {name: value for name, value in git.environment().items() if not name.startswith(left_out)}
    return inherited | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "TMPDIR": str(folder / "tmp"),
    }


def machine_name() -> str:
    """Return the name of this machine."""
    return platform.node() or "localhost"


def cpu_name() -> str:
    """Return the name of this machine's processor."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
