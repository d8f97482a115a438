"""Stages that gave two results for the same inputs, as DVC's run cache remembers them.

The run cache holds a folder for each command with its inputs, and in it a file for each different result.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from digits.verification.pipeline import cache_folder


@dataclass(frozen=True)
class Contradiction:
    """A stage that is not reproducible.

    Attributes:
        command: of the stage.
        key: DVC's name for the command and its inputs: the folder of their results.
        outputs: the outputs that differ, each with its hashes.
    """

    command: str
    key: str
    outputs: dict[str, list[str]]

    def __str__(self) -> str:
        parts = [
            f"{path} is {' and '.join(f'{value:.8}' for value in values)}"
            for path, values in self.outputs.items()
        ]
        return f"{self.command}: the same inputs gave several results: {'; '.join(parts)}"


def find_contradictions(root: Path) -> tuple[int, list[Contradiction]]:
    """Search the run cache of the repository at `root`.

    Returns:
        How many commands with their inputs it knows, and those that have several results.
    """
    folders = sorted(path for path in (cache_folder(root) / "runs").glob("*/*") if path.is_dir())
    return len(folders), [found for folder in folders for found in _contradiction(folder)]


def _contradiction(folder: Path) -> Iterator[Contradiction]:
    files = sorted(path for path in folder.iterdir() if len(path.name) == 64)
    if len(files) < 2:
        return
    results = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    outputs: dict[str, dict[str, None]] = {}
    for result in results:
        for out in result["outs"]:
            value = next((str(out[name]) for name in ("md5", "etag", "checksum") if name in out), "?")
            outputs.setdefault(out["path"], {})[value] = None
    differing = {path: list(values) for path, values in sorted(outputs.items()) if len(values) > 1}
    if differing:
        yield Contradiction(_in_one_line(results[0]["cmd"]), folder.name, differing)


def _in_one_line(command: str | list[str]) -> str:
    return command if isinstance(command, str) else " && ".join(command)
