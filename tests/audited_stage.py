"""Run a stage in the current folder, as `python -m` does, and write down which files and params it uses.

Usage: python audited_stage.py STAGE LOG

LOG becomes JSON: the files of the folder that Python's own `open` read, those that were written and are
still there at the end, and the keys of params.yaml whose values were read.
"""

import importlib.util
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

ROOT = Path.cwd()


class Files:
    """An audit hook that follows files from opening to renaming or removal.

    `shutil` and `tempfile` clear away temporary folders by names relative to a descriptor,
    which say nothing about the current folder: removals with one, and `os.open`, are left aside.
    """

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if mode is None or isinstance(path, int):
                return
            name = self._name(path)
            if flags & (os.O_WRONLY | os.O_RDWR):
                self.written.add(name)
            elif name not in self.written:
                self.read.add(name)
        elif event == "os.rename" and (old := self._name(arguments[0])) in self.written:
            self.written.remove(old)
            self.written.add(self._name(arguments[1]))
        elif event == "os.remove" and arguments[1] < 0:
            self.written.discard(self._name(arguments[0]))

    @staticmethod
    def _name(path: str | bytes | os.PathLike[str]) -> str:
        """Return the path relative to the folder, or "" if it is outside; source stands for its bytecode."""
        text = os.path.normpath(ROOT / os.fsdecode(path))
        if "__pycache__" in text:
            text = importlib.util.source_from_cache(text)
        return Path(text).relative_to(ROOT).as_posix() if text.startswith(f"{ROOT}{os.sep}") else ""


def note_params() -> set[str]:
    """Let `Params` note each key whose value it gives; the names of recipes are listed for messages only."""
    from digits.params import Params

    keys: set[str] = set()
    value, names = Params._value, Params.names
    listing = []

    def noting_value(self: Params, key: str) -> Any:
        if not listing:
            keys.add(key)
        return value(self, key)

    def quiet_names(self: Params, key: str) -> list[str]:
        listing.append(key)
        try:
            return names(self, key)
        finally:
            listing.pop()

    Params._value, Params.names = noting_value, quiet_names  # type: ignore[method-assign]
    return keys


def main() -> None:
    stage, log = sys.argv[1:]
    files = Files()
    sys.path[0] = str(ROOT)
    sys.argv = [f"stages/{stage}.py"]
    sys.addaudithook(files)
    keys = note_params()
    runpy.run_module(f"stages.{stage}", run_name="__main__", alter_sys=True)
    used = {"read": files.read - {""}, "written": files.written - {""}, "params": keys}
    Path(log).write_text(json.dumps({kind: sorted(names) for kind, names in used.items()}), encoding="utf-8")


if __name__ == "__main__":
    main()
