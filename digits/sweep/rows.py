"""The rows of a sweep in data/sweeps/NAME.jsonl: one for each run, appended as it ends."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from digits.errors import DigitsError
from digits.sweep.grid import key_of, value_of

FOLDER = Path("data/sweeps")
NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Row:
    """What came of a run.

    Attributes:
        id: of the run: the same overrides of the same inputs have the same one.
        overrides: as `dvc exp run -S` takes them.
        inputs: a hash of the pipeline's code, commands and numbers before the overrides.
        commit: that was run; with uncommitted changes, their own commit, which no branch has.
        dirty: whether there were uncommitted changes.
        check: whether the run was made a second time, to compare its outputs.
        error: what the failed stage said, or None.
        metrics: the numbers of the pipeline's metrics files by name; nested names are joined by dots.
        outputs: the hash of each output by its path.
        seconds: from the clone to the last output.
        machine: the name of the machine.
        cpu: the name of its processor.
    """

    id: str
    overrides: tuple[str, ...]
    inputs: str
    commit: str
    dirty: bool
    check: bool
    error: str | None
    metrics: dict[str, float]
    outputs: dict[str, str]
    seconds: float
    machine: str
    cpu: str

    @property
    def group(self) -> tuple[str, ...]:
        """The overrides beside those of seeds."""
        return tuple(sorted(text for text in self.overrides if not is_seed(text)))

    @property
    def seeds(self) -> tuple[str, ...]:
        """The overrides of seeds."""
        return tuple(sorted(text for text in self.overrides if is_seed(text)))


def is_seed(override: str) -> bool:
    """Return whether an override is that of a seed: of the key `seed` of any section."""
    return key_of(override).rpartition(":")[2].rpartition(".")[2] == "seed"


def natural(overrides: tuple[str, ...]) -> list[Any]:
    """Return what sorts overrides by their keys, and numbers by their size."""
    parts: list[Any] = []
    for text in overrides:
        try:
            parts.append((key_of(text), 0, float(value_of(text)), ""))
        except ValueError:
            parts.append((key_of(text), 1, 0.0, value_of(text)))
    return parts


def rows_path(root: Path, name: str) -> Path:
    """Return the file of the sweep called `name`.

    Raises:
        DigitsError: it is no name for a file.
    """
    if not NAMES.fullmatch(name):
        raise DigitsError(f"{name!r} is no name for a sweep; allowed are letters, digits and . _ -")
    return root / FOLDER / f"{name}.jsonl"


def read_rows(path: Path) -> list[Row]:
    """Read the rows; a last line without an end was being written when its process was killed, and is none.

    Raises:
        DigitsError: the file is missing or damaged.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        raise DigitsError(f"{path}: no such file") from None
    names = {field.name for field in fields(Row)}
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            if values.keys() != names:
                raise ValueError(f"expected the keys {', '.join(sorted(names))}")
            rows.append(Row(**values | {"overrides": tuple(values["overrides"])}))
        except (ValueError, AttributeError, TypeError) as error:
            raise DigitsError(f"{path}: line {number} is no row of a sweep ({error})") from error
    return rows


class RowFile:
    """The file of rows, which one process at a time may append to."""

    def __init__(self, path: Path) -> None:
        """Read or make the file, and cut off a line that a killed process left unfinished."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self.path, self.rows = path, read_rows(path)
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)

    def append(self, row: Row) -> None:
        """Write a row, and return when it is on the disk."""
        line = json.dumps(asdict(row), sort_keys=True, allow_nan=False)
        with self.path.open("ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.rows.append(row)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock `path`, which ends with this process however it ends.

    Raises:
        DigitsError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            name = path.parent.name
            raise DigitsError(
                f"the sweep {name} is running in another process; wait, or give a --name"
            ) from error
        yield
