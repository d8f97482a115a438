"""Processes that are timed from the outside: what they say and when, and what they hold in memory."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from digits.errors import DigitsError

# Where a process tells the end of the work that counts; otherwise its own end is.
END = "saved"


@dataclass(frozen=True)
class Child:
    """What a process did.

    Attributes:
        lines: what it printed, each line with the seconds since the start.
        seconds: from its start to the line `saved`, or to its end.
        cpu_seconds: of all cores, until its end.
        peak_memory: the most that it held, in bytes.
    """

    lines: list[tuple[float, str]]
    seconds: float
    cpu_seconds: float
    peak_memory: int


def run_child(command: list[str], folder: Path, variables: dict[str, str] | None = None) -> Child:
    """Run `command` in `folder` to its end.

    Raises:
        DigitsError: it fails.
    """
    started = time.monotonic()
    with (
        TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | (variables or {}),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout
        lines = [(time.monotonic() - started, line.rstrip("\n")) for line in process.stdout]
        # Not `wait`, which does not tell of the memory.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        # TensorFlow and JAX write much that nobody asked for, which only a failure makes worth reading.
        errors.seek(0)
        reason = errors.read().strip().rpartition("\n")[2]
    ended = time.monotonic() - started
    if process.returncode:
        raise DigitsError(f"{' '.join(command)}: ended with status {process.returncode}: {reason}")
    seconds = next((moment for moment, line in lines if line == END), ended)
    return Child(lines, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
