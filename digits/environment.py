"""The installed versions of the libraries that compute, against the locked ones in environment.yaml.

The module uses nothing but Python's own library, so that it can also say that the others are missing.
"""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LOCKED = Path("environment.yaml")


def locked_versions(path: Path = LOCKED) -> dict[str, str]:
    """Read a file of lines `name: version`; a line that begins with # is a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    versions = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        if colon and not line.startswith("#"):
            versions[name] = value.strip('"')
        elif line and not line.startswith("#"):
            sys.exit(f"{path}: {line!r} is not of the form name: version")
    return versions


def differences(locked: dict[str, str]) -> list[str]:
    """Say of each library that is not installed as locked what is installed and what the lock says."""
    return [
        f"{name} {found} is installed, the lock says {wanted}"
        for name, wanted in locked.items()
        if (found := installed(name)) != wanted
    ]


def installed(name: str) -> str:
    """Give the installed version of the library `name`, or `(none)`."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "(none)"


def check() -> None:
    """Name the libraries that are not the locked ones; stop where one is missing altogether."""
    if not LOCKED.exists():
        sys.exit(f"{LOCKED}: no such file; stages run in the root folder of the repository")
    found = differences(locked_versions())
    for line in found:
        print(line, file=sys.stderr)
    if any("(none)" in line for line in found):
        sys.exit(
            f"this Python ({sys.executable}) lacks what the pipeline needs: run `make`, or activate .venv"
        )
