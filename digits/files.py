"""Files that are either whole or not there."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from digits.errors import DigitsError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and rename it to `path` once the block has written it.

    Whatever happens inside, `path` holds its old content or all of the new one.
    The temporary name ends like `path`, since many writers choose a format by the ending.

    Raises:
        DigitsError: the folder or the disk refuses the file.
    """
    partial = path.with_name(f".partial-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise DigitsError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with the line endings it has, whatever the platform's are."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON with sorted keys, an indent of two, and a newline at the end."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def fingerprint(paths: Iterable[Path], *values: Any) -> str:
    """Give the SHA-256 of the content of all files and of the values' JSON: equal for equal inputs only."""
    digests = {}
    for path in sorted(paths):
        with path.open("rb") as file:
            digests[path.as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(json.dumps([digests, values], sort_keys=True).encode()).hexdigest()
