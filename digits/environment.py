"""The check of installed library versions against the locked ones in environment.yaml.

The module imports only Python's standard library, so it can also report that other libraries are missing.
"""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LOCKED = Path("environment.yaml")


def locked_versions(path: Path = LOCKED) -> dict[str, str]:
    """Read the versions from lines `name: version`; lines that begin with # are comments."""
    versions = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, colon, value = line.partition(": ")
        if colon and not line.startswith("#"):
            versions[name] = value.strip('"')
        elif line and not line.startswith("#"):
            sys.exit(f"{path}: {line!r} is not of the form name: version")
    return versions


def differences(locked: dict[str, str]) -> list[str]:
    """Return a line for each library whose installed version is not the locked one."""
    return [
        f"{name} {actual} is installed, the lock says {expected}"
        for name, expected in locked.items()
        if (actual := installed(name)) != expected
    ]


def installed(name: str) -> str:
    """Return the installed version of the library `name`, or `(none)`."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "(none)"


def check() -> None:
    """Print the libraries whose versions differ from the locked ones; exit if one is missing."""
    if not LOCKED.exists():
        sys.exit(f"{LOCKED}: no such file; stages run in the root folder of the repository")
    lines = differences(locked_versions())
    for line in lines:
        print(line, file=sys.stderr)
    if any("(none)" in line for line in lines):
        sys.exit(
            f"this Python ({sys.executable}) lacks what the pipeline needs: run `make`, or activate .venv"
        )
