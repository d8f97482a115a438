"""`digits report`: what a change did, as Markdown for a pull request."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from digits.errors import DigitsError

SUMMARY = "write what this checkout changed against another commit, as Markdown for a pull request"
DESCRIPTION = """\
Compare the results of this checkout with those of the commit BASE, and write Markdown: whether dvc.lock is
current, whether the accuracy is better or worse beyond noise as `digits compare` judges it, what changed in
params, code and versions, which metrics moved, the training curves and confusion matrices of both side by
side, and the mistakes that are new and mended.
"""
EPILOG = """\
The history and the predictions of both come from DVC's cache, or from its remote. What cannot be had is left
out, and the report says so.

exit status
  0    the report was written, and the accuracy is not worse
  1    the report could not be written, or the two could not be compared
  2    wrong arguments
  3    the accuracy is worse beyond noise, and by more than gate.worse_at_most of params.yaml
  5    the lock is stale; what the report says of it may be too

examples
  digits report                            against main: report/report.md and its pictures
  digits report HEAD~1 --folder /tmp/it    against the last commit
  digits report origin/main --images https://host/pictures/12    where the pictures will be found
"""
STALE = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `digits report`, and the function that runs it."""
    parser.add_argument(
        "base",
        nargs="?",
        default="main",
        metavar="BASE",
        help="a commit, branch or tag (default: %(default)s)",
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("report"), help="where to write (default: %(default)s)"
    )
    parser.add_argument(
        "--images",
        metavar="URL",
        default="",
        help="what stands before the pictures' names (default: nothing)",
    )
    parser.set_defaults(run=report)


def report(arguments: argparse.Namespace) -> int:
    """Write the report, name its file, and return the exit status."""
    from digits.files import write_text
    from digits.report.changes import changes_between
    from digits.report.markdown import markdown
    from digits.report.pictures import draw
    from digits.report.results import results_at, results_here
    from digits.verification.lock import examine
    from digits.verification.pipeline import find_root, read_pipeline

    root = find_root(Path.cwd())
    states = examine(read_pipeline(root))
    with TemporaryDirectory(prefix="digits-report-") as folder:
        before = results_at(root, arguments.base, Path(folder) / "before")
        after = results_here(root, Path(folder) / "after")
        changes = changes_between(root, before, after)
    pictures = draw(before, after, changes, arguments.folder)
    prefix = f"{arguments.images.rstrip('/')}/" if arguments.images else ""
    addresses = {what: prefix + name for what, name in pictures.items()}
    path = arguments.folder / "report.md"
    write_text(path, markdown(before, after, states, changes, addresses))
    print(path)
    if not all(state.current for state in states):
        return STALE
    if changes.comparison is None:
        raise DigitsError(changes.not_compared)
    return int(changes.comparison["exit_status"])
