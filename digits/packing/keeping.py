"""The place of a packed dataset in the repository, and DVC, which keeps it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from digits.data.datasets import Dataset
from digits.errors import DigitsError
from digits.packing.reading import Form
from digits.packing.storing import packed_images


def check_place(name: str) -> None:
    """Check that this is the folder of a pipeline, and that YAML and DVC take `name` for a text.

    Raises:
        DigitsError: it is not, or they do not.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or not isinstance(yaml.safe_load(name), str):
        raise DigitsError(
            f"{name!r} cannot be the name of a dataset; allowed: letters, digits, - and _, a letter first"
        )
    for file in ("dvc.yaml", "params.yaml"):
        if not Path(file).is_file():
            raise DigitsError(f"{file}: no such file; this command runs in the folder of the pipeline")


def packed_before(path: Path, before: Dataset | None, form: Form) -> dict[bytes, str] | None:
    """Return the class of each image in `path`, by the image's SHA-256, if it has the same form as now."""
    if before is None or not path.exists():
        return None
    if any(getattr(before, key) != value for key, value in form._asdict().items()):
        return None
    try:
        return packed_images(path, before)
    except DigitsError:
        return None  # a damaged file is replaced, and cannot be compared


def add_to_dvc(path: Path) -> None:
    """Give `path` to DVC, which writes `path`.dvc and puts `path` into .gitignore.

    Raises:
        DigitsError: DVC is not installed, or refuses.
    """
    command = [sys.executable, "-P", "-m", "dvc", "add", str(path)]
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if finished.returncode:
        said = [line for line in finished.stderr.splitlines() if line.startswith("ERROR: ")]
        reason = said[0].removeprefix("ERROR: ")[:300] if said else f"status {finished.returncode}"
        raise DigitsError(f"{path} is packed, but DVC does not have it ({reason}); to add it: dvc add {path}")
