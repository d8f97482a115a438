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


def _git(folder: Path, *arguments: str, variables: dict[str, str] | None = None) -> str:
    """Run Git in `folder` and return its output.

    Raises:
        DigitsError: Git fails; the text is its own message.
    """
    try:
        result = subprocess.run(
            # Without optional locks, `git status` does not rewrite the index. No hook of the user may run.
            ["git", "--no-optional-locks", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=folder,
            env=environment() | (variables or {}),
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


def shared_clone(repository: Path, name: str, folder: Path) -> None:
    """Clone `repository`, whose objects stay where they are, into `folder` at the commit `name`."""
    _git(
        folder.parent,
        "clone",
        "--quiet",
        "--shared",
        "--no-checkout",
        "--template=",
        str(repository),
        str(folder),
    )
    _git(folder, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", name)


def top(root: Path) -> Path:
    """Return the folder of the checkout that `root` lies in."""
    return Path(_git(root, "rev-parse", "--show-toplevel").strip("\n"))


def move_head(folder: Path, name: str) -> None:
    """Let the commit `name` be the one that is checked out, and leave the files as they are."""
    _git(folder, "reset", "--quiet", "--soft", name)


def copy_identity(root: Path, clone: Path) -> None:
    """Let commits in `clone` have the author that those in `root` have."""
    for name in ("user.name", "user.email"):
        if value := _git(root, "config", "--default", "", "--get", name).strip("\n"):
            _git(clone, "config", name, value)


def resolve(root: Path, name: str) -> str:
    """Return the full name of the commit that `name` stands for.

    Raises:
        DigitsError: it stands for none.
    """
    try:
        return _git(
            root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        ).strip()
    except DigitsError:
        raise DigitsError(f"{name}: no such commit, branch or tag") from None


def content(root: Path, name: str, path: str) -> str | None:
    """Return the text of the file `path`, relative to `root`, in the commit `name`, or None."""
    prefix = _git(root, "rev-parse", "--show-prefix").strip("\n")
    if not _git(root, "ls-tree", "--full-tree", name, f"{prefix}{path}"):
        return None
    return _git(root, "cat-file", "blob", f"{name}:{prefix}{path}")


def blobs(root: Path, name: str, paths: list[str]) -> str:
    """Return a line for each file of the commit `name` at or below `paths`, with the hash of its content."""
    return _git(root, "ls-tree", "-r", name, "--", *paths) if paths else ""


def snapshot(root: Path, without: list[str], index: Path) -> str:
    """Record the files as they are in a commit that no branch has, and return its name.

    The same files give the same commit. The checkout and its index stay as they are.

    Args:
        root: a folder of the checkout.
        without: paths relative to `root` that stay as they are in the last commit.
        index: a temporary file.
    """
    nobody = {
        f"GIT_{role}_{part}": "digits" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
    }
    dates = {f"GIT_{role}_DATE": "2000-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")}
    variables = {"GIT_INDEX_FILE": str(index), **nobody, **dates}
    index.unlink(missing_ok=True)
    _git(root, "read-tree", "HEAD", variables=variables)
    left_out = [f":(exclude){path}" for path in without]
    _git(root, "add", "--all", "--", ".", *left_out, variables=variables)
    tree = _git(root, "write-tree", variables=variables).strip()
    message = "Uncommitted changes"
    return _git(root, "commit-tree", tree, "-p", "HEAD", "-m", message, variables=variables).strip()


def bundle(root: Path, name: str, folder: Path) -> bytes:
    """Return the history of the commit `name` as a bundle with the branch `sweep`, made in `folder`."""
    bare, file = folder / "bare", folder / "bundle"
    _git(root, "clone", "--quiet", "--bare", "--shared", "--template=", str(top(root)), str(bare))
    _git(bare, "update-ref", "refs/heads/sweep", name)
    _git(bare, "bundle", "create", "--quiet", str(file), "refs/heads/sweep")
    return file.read_bytes()


def unbundle(file: Path, folder: Path) -> None:
    """Make `folder` a bare repository with the history that a bundle holds."""
    _git(
        file.parent, "clone", "--quiet", "--bare", "--branch", "sweep", "--template=", str(file), str(folder)
    )


def take_experiment(root: Path, clone: Path, base: str, name: str) -> None:
    """Copy DVC's experiment `name` of the commit `base` out of `clone`."""
    reference = f"refs/exps/{base[:2]}/{base[2:]}/{name}"
    _git(
        root,
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        str(clone),
        f"+{reference}:{reference}",
    )


def changed_in(root: Path, commit: str, folder: str) -> list[str]:
    """Return the files in `folder` that differ from `commit`, relative to `root`; new ones must be added."""
    return _git(root, "diff", "--name-only", "--relative", "-z", commit, "--", folder).split("\0")[:-1]
