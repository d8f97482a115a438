"""What Git knows about a checkout: its commit, its changed files, and a clone of it."""

import os
import subprocess
from pathlib import Path

from digits.errors import DigitsError


def environment() -> dict[str, str]:
    """Return the environment without the variables that tie Git and DVC to a repository, as in a hook."""
    ties = ("GIT_", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ties) or name.startswith("GIT_CONFIG")
    }


def _git(folder: Path, *arguments: str) -> str:
    """Run Git in `folder` and return its output.

    Raises:
        DigitsError: Git fails; the text is its own message.
    """
    try:
        result = subprocess.run(
            # Without optional locks, `git status` does not rewrite the index. No hook of the user may run.
            ["git", "--no-optional-locks", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=folder,
            env=environment(),
            capture_output=True,
            check=True,
        )
    except FileNotFoundError:
        raise DigitsError("git: not found") from None
    except subprocess.CalledProcessError as error:
        raise DigitsError(f"git: {' '.join(os.fsdecode(error.stderr).split())}") from error
    return os.fsdecode(result.stdout)


def commit(root: Path) -> str:
    """Return the full hash of the commit that is checked out.

    Raises:
        DigitsError: this is no Git repository, or has no commit.
    """
    return _git(root, "rev-parse", "--verify", "HEAD^{commit}").strip()


def uncommitted(root: Path) -> dict[str, str]:
    """Return the files under `root` that differ from the commit, and how: changed, deleted or untracked."""
    states = {}
    prefix = _git(root, "rev-parse", "--show-prefix").strip("\n")
    for line in _git(
        root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", "."
    ).split("\0"):
        state, path = line[:2], line[3:].removeprefix(prefix)
        if line:
            states[path] = "untracked" if state == "??" else "deleted" if "D" in state else "changed"
    return states


def changed_since(root: Path, file: str, folder: str) -> dict[str, str]:
    """Return the files in `folder` that differ from the commit that last changed `file`.

    Args:
        root: the folder from which all paths start.
        file: a path. Where it has uncommitted changes, no commit is comparable and the result is empty.
        folder: a path.

    Returns:
        How each file differs: added, changed or missing.
    """
    last = _git(root, "log", "-1", "--format=%H", "--", file).strip()
    if not last or _git(root, "status", "--porcelain", "--", file):
        return {}
    diff = _git(root, "diff", "--name-status", "--no-renames", "--relative", "-z", last, "--", folder)
    fields = diff.split("\0")
    states = {"A": "added", "D": "missing"}
    files = {
        path: states.get(state, "changed") for state, path in zip(fields[::2], fields[1::2], strict=False)
    }
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", folder)
    return files | {path: "added" for path in untracked.split("\0") if path}


def clone(root: Path, name: str, folder: Path) -> Path:
    """Clone the repository around `root` into `folder` at the commit `name`, sharing no files.

    Returns:
        The folder of the clone that corresponds to `root`.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel").strip("\n"))
    _git(root, "clone", "--quiet", "--no-hardlinks", "--no-checkout", "--template=", str(top), str(folder))
    _git(folder, "checkout", "--quiet", "--detach", name)
    return folder / root.relative_to(top)
