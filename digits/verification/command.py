"""`digits verify`: whether dvc.lock matches this checkout, and whether its outputs can be reproduced."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from digits.errors import DigitsError

SUMMARY = "check that dvc.lock matches this checkout, and with --rerun that its outputs can be reproduced"
DESCRIPTION = """\
Check that dvc.lock matches this checkout: that the command, params, code and inputs of every stage are those
in the lock, and that the outputs which are here are the locked ones. It runs no stage and needs no data.
It works in any DVC repository, with the stages and the params that it has.

With --rerun, run the whole pipeline again in a temporary clone of the commit, without any cache, and compare
each output with the committed lock. The checkout, its cache and its lock are not changed.
"""
EPILOG = """\
an output of the rerun is
  identical    the same bytes
  equivalent   other bytes, and the accuracy in the metrics differs by no more than another seed's would:
               three standard deviations of the recipe's seeds in docs/seeds.json, or where it has none,
               three binomial standard errors
  different    all else: the accuracy differs by more, or there is none to judge by

exit status
  0    the lock is current and the outputs here are the locked ones; with --rerun: all are identical
  1    the check failed to run
  2    wrong arguments
  3    with --rerun: some outputs are equivalent, none is different
  4    an output is different; without --rerun: an output that is here is not the locked one
  5    the lock is stale; with --rerun: nothing was run
  130  interrupted

examples
  digits verify                 the whole lock
  digits verify train           the stage train and those it depends on
  digits verify --rerun         the whole pipeline again: takes as long as `dvc repro`
  digits verify --cache         whether a stage gave two results for the same inputs, in any DVC repository
  digits verify --json | jq .   for programs
"""
STATUSES = {"current": 0, "identical": 0, "equivalent": 3, "different": 4, "stale": 5}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `digits verify`, and the function that runs it."""
    parser.add_argument(
        "stage", nargs="?", metavar="STAGE", help="check only this stage and those it depends on"
    )
    parser.add_argument("--rerun", action="store_true", help="run the stages again and compare the outputs")
    parser.add_argument(
        "--cache", action="store_true", help="search the run cache for stages with two results"
    )
    parser.add_argument("--json", action="store_true", help="print JSON with sorted keys instead of a table")
    parser.set_defaults(run=verify)


def verify(arguments: argparse.Namespace) -> int:
    """Check, print the result, and return the exit status."""
    from digits.verification import git
    from digits.verification.pipeline import find_root

    root = find_root(Path.cwd())
    check_lock_of_dvc(root)
    if arguments.cache:
        return _search_cache(root, arguments.json)
    commit, uncommitted = git.commit(root), git.uncommitted(root)
    check = _rerun if arguments.rerun else _compare_lock
    result, named = check(root, arguments.stage, commit, uncommitted)
    result["commit"] = commit
    result["exit_status"] = STATUSES[result["verdict"]]
    result["uncommitted"] = [
        {"path": path, "state": state, "named_by_a_stage": path in named}
        for path, state in uncommitted.items()
    ]
    print(json.dumps(result, indent=2, sort_keys=True, default=str) if arguments.json else table(result))
    return STATUSES[result["verdict"]]


def _search_cache(root: Path, as_json: bool) -> int:
    from digits.verification.runcache import find_contradictions

    count, contradictions = find_contradictions(root)
    status = STATUSES["different" if contradictions else "identical"]
    result = {
        "runs": count,
        "contradictions": [asdict(contradiction) for contradiction in contradictions],
        "exit_status": status,
    }
    lines = [
        *map(str, contradictions),
        f"run cache: {count} runs, {len(contradictions)} with several results",
    ]
    print(json.dumps(result, indent=2, sort_keys=True) if as_json else "\n".join(lines))
    return status


def check_lock_of_dvc(root: Path) -> None:
    """Check that DVC's list of running commands can be read: an interrupted DVC may leave it empty.

    Raises:
        DigitsError: it is empty; the text has the remedy.
    """
    path = root / ".dvc/tmp/rwlock"
    if path.is_file() and not path.read_bytes().strip():
        raise DigitsError(
            f"{path.relative_to(root)}: empty, since DVC was interrupted while it wrote it; "
            "every DVC command will fail until it is deleted: rm .dvc/tmp/rwlock"
        )


def _compare_lock(
    root: Path, stage: str | None, _: str, uncommitted: Iterable[str]
) -> tuple[dict[str, Any], set[str]]:
    from digits.verification.lock import examine
    from digits.verification.pipeline import read_pipeline, readable

    with readable(root):
        pipeline = read_pipeline(root, stage)
        states = examine(pipeline)
    verdict = "current"
    if any(output.state == "altered" for state in states for output in state.outputs):
        verdict = "different"
    if not all(state.current for state in states):
        verdict = "stale"
    return {"stages": [state.as_json() for state in states], "verdict": verdict}, pipeline.named(uncommitted)


def _rerun(
    root: Path, stage: str | None, commit: str, uncommitted: Iterable[str]
) -> tuple[dict[str, Any], set[str]]:
    from digits.verification.rerun import rerun

    print(f"digits: running commit {commit:.7} again in a temporary clone", file=sys.stderr, flush=True)
    result = rerun(root, commit, stage, uncommitted)
    verdicts = [comparison.verdict for *_, comparison in result.comparisons]
    verdict = max(verdicts, key=lambda verdict: STATUSES[verdict], default="identical")
    if not all(state.current for state in result.states):
        verdict = "stale"
    return {
        "stages": [state.as_json() for state in result.states],
        "rerun": [
            {"stage": name, "path": path, **asdict(comparison)}
            for name, path, comparison in result.comparisons
        ],
        "metrics": [asdict(metric) for metric in result.metrics],
        "verdict": verdict,
    }, result.named


def table(result: dict[str, Any]) -> str:
    """Return the result as lines for people, with the facts of the JSON."""
    lines = _aligned([(stage["name"], line) for stage in result["stages"] for line in _stage_lines(stage)])
    if outputs := result.get("rerun"):
        lines = _aligned([(output["stage"], output["path"], _verdict(output)) for output in outputs])
    if metrics := result.get("metrics"):
        lines += ["", *_aligned([(metric["file"], metric["name"], _values(metric)) for metric in metrics])]
    lines += _uncommitted_lines(result["uncommitted"], "rerun" in result)
    return "\n".join([*lines, _summary(result)])


def _verdict(output: dict[str, Any]) -> str:
    return f"{output['verdict']}: {output['reason']}" if output["reason"] else str(output["verdict"])


def _values(metric: dict[str, Any]) -> str:
    values = f"{metric['locked']} → {metric['rerun']}"
    if metric["allowed"] is None:
        return values
    return f"{values} (may differ by {metric['allowed']:.2g}: {metric['allowed_from']})"


def _stage_lines(stage: dict[str, Any]) -> list[str]:
    lines = [change["text"] for change in stage["changes"]]
    if not lines:
        stale = stage["stale_before"]
        but = f", but {' and '.join(stale)} before it {'are' if stale[1:] else 'is'} not" if stale else ""
        lines = [f"current{but}"]
    states = Counter(output["state"] for output in stage["outputs"])
    counts = {"as locked": states["locked"], "not here": states["not here"]}
    shown = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    lines[-1] += f" (outputs: {shown})" if shown else ""
    altered = [output["path"] for output in stage["outputs"] if output["state"] == "altered"]
    return lines + [f"{path}: not the locked bytes" for path in altered]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows in columns, with an empty first cell where it would repeat the one above."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    lines, above = [], ""
    for first, *others in rows:
        cells = ["" if first == above else first, *others]
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
        lines.append("  ".join([*padded, cells[-1]]))
        above = first
    return lines


def _uncommitted_lines(files: list[dict[str, Any]], rerun: bool) -> list[str]:
    named = [f"{file['path']} ({file['state']})" for file in files if file["named_by_a_stage"]]
    part = "left out of the rerun" if rerun else "part of this check"
    lines = ["", f"uncommitted, and {part}: {', '.join(named)}"] if named else []
    if others := len(files) - len(named):
        lines += [] if lines else [""]
        lines += [f"uncommitted, but named by no stage: {others} (git status lists them)"]
    return lines


def _summary(result: dict[str, Any]) -> str:
    stale = ", ".join(stage["name"] for stage in result["stages"] if stage["changes"])
    commit = f"commit {result['commit']:.7}"
    if "rerun" not in result:
        texts = {
            "current": "dvc.lock matches this checkout",
            "different": "dvc.lock matches this checkout, but outputs here are not the locked ones",
            "stale": f"dvc.lock is stale: {stale}",
        }
        return "\n" + texts[result["verdict"]]
    if result["verdict"] == "stale":
        return f"\ndvc.lock of {commit} is stale, and so nothing was run: {stale}"
    counts = Counter(output["verdict"] for output in result["rerun"])
    shown = ", ".join(f"{counts[verdict]} {verdict}" for verdict in STATUSES if counts[verdict])
    return f"\n{commit}, run again: {shown}"
