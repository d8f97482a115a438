"""What Git says of a checkout."""

import os
import subprocess
from pathlib import Path

from digits.errors import DigitsError


def environment() -> dict[str, str]:
    """Give this process's environment without what ties Git and DVC to a repository, as in a hook."""
    ties = ("GIT_", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ties) or name.startswith("GIT_CONFIG")
    }


def _git(folder: Path, *arguments: str) -> str:
    """Run Git in `folder` and give what it prints.

    Raises:
        DigitsError: Git refuses, in its own words.
    """
    try:
        result = subprocess.run(
            # Without optional locks, `git status` leaves the index as it is; no hook of the user's is to run.
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
    """Give the full name of the commit that is checked out.

    Raises:
        DigitsError: this is no Git repository, or has no commit.
    """
    return _git(root, "rev-parse", "--verify", "HEAD^{commit}").strip()


def uncommitted(root: Path) -> dict[str, str]:
    """Give the files under `root` that are not as in the commit, and how: changed, deleted or untracked."""
    states = {}
    prefix = _git(root, "rev-parse", "--show-prefix").strip("\n")
    for line in _git(
        root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", "."
    ).split("\0"):
        state, path = line[:2], line[3:].removeprefix(prefix)
        if line:
            states[path] = "untracked" if state == "??" else "deleted" if "D" in state else "changed"
    return states


def clone(root: Path, name: str, folder: Path) -> Path:
    """Clone the repository around `root` into `folder` at the commit `name`, with no file shared.

    Returns:
        The place of `root` in the clone.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel").strip("\n"))
    _git(root, "clone", "--quiet", "--no-hardlinks", "--no-checkout", "--template=", str(top), str(folder))
    _git(folder, "checkout", "--quiet", "--detach", name)
    return folder / root.relative_to(top)
