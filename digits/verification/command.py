"""`digits verify`: whether dvc.lock is true of this checkout, and whether its outputs can be had again."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

SUMMARY = "check that dvc.lock is true of this checkout, and with --rerun that its outputs can be had again"
DESCRIPTION = """\
Check that dvc.lock is true of this checkout: that every stage's command, params, code and inputs are those
that the lock names, and that the outputs which are here are the locked ones. No stage is run, no data needed.

With --rerun, make everything again from nothing, in a temporary clone of the commit, without any cache,
and compare each output with the committed lock. The checkout, its cache and its lock stay as they are.
"""
EPILOG = """\
an output made again is
  identical    same bytes
  equivalent   other bytes that mean the same, within the tolerances of params.yaml (section verify)
  different    more than that, or nothing to compare with

exit status
  0    the lock is current and the outputs here are the locked ones; with --rerun: all identical
  1    could not be checked
  2    wrong arguments
  3    some outputs made again are equivalent only, none is different
  4    an output is different, or one that is here is not the locked one
  5    the lock is stale; with --rerun: nothing was run
  130  interrupted

examples
  digits verify                 the whole lock
  digits verify train           the stage train and those it needs
  digits verify --rerun         fetch, prepare, train, evaluate and plot again: as long as `dvc repro` takes
  digits verify --cache         whether a stage gave two results for the same inputs, in any DVC repository
  digits verify --json | jq .   for machines
"""
STATUSES = {"current": 0, "identical": 0, "equivalent": 3, "different": 4, "stale": 5}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `verify`."""
    parser = commands.add_parser(
        "verify",
        help=SUMMARY,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", nargs="?", metavar="STAGE", help="check only this stage and those it needs")
    parser.add_argument("--rerun", action="store_true", help="make the outputs again and compare them")
    parser.add_argument(
        "--cache", action="store_true", help="search the run cache for stages with two results"
    )
    parser.add_argument("--json", action="store_true", help="print JSON with sorted keys instead of a table")
    parser.set_defaults(run=verify)


def verify(arguments: argparse.Namespace) -> int:
    """Check, print what was found, and give the exit status."""
    from digits.verification import git
    from digits.verification.pipeline import find_root

    root = find_root(Path.cwd())
    if arguments.cache:
        return _search_cache(root, arguments.json)
    commit, uncommitted = git.commit(root), git.uncommitted(root)
    check = _rerun if arguments.rerun else _compare_lock
    result, names = check(root, arguments.stage, commit)
    result["commit"] = commit
    result["exit_status"] = STATUSES[result["verdict"]]
    result["uncommitted"] = [
        {"path": path, "state": state, "named_by_a_stage": path in names}
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
        "contradictions": [asdict(each) for each in contradictions],
        "exit_status": status,
    }
    lines = [
        *map(str, contradictions),
        f"run cache: {count} runs, {len(contradictions)} with several results",
    ]
    print(json.dumps(result, indent=2, sort_keys=True) if as_json else "\n".join(lines))
    return status


def _compare_lock(root: Path, stage: str | None, _: str) -> tuple[dict[str, Any], set[str]]:
    from digits.verification.lock import examine
    from digits.verification.pipeline import read_pipeline

    pipeline = read_pipeline(root, stage)
    states = examine(pipeline)
    verdict = "current"
    if any(output.state == "altered" for state in states for output in state.outputs):
        verdict = "different"
    if not all(state.current for state in states):
        verdict = "stale"
    return {"stages": [state.as_json() for state in states], "verdict": verdict}, pipeline.names()


def _rerun(root: Path, stage: str | None, commit: str) -> tuple[dict[str, Any], set[str]]:
    from digits.verification.rerun import rerun

    print(f"digits: making commit {commit:.7} again in a temporary clone", file=sys.stderr, flush=True)
    made = rerun(root, commit, stage)
    verdicts = [comparison.verdict for *_, comparison in made.comparisons]
    verdict = max(verdicts, key=lambda each: STATUSES[each], default="identical")
    if not all(state.current for state in made.states):
        verdict = "stale"
    outputs = [{"stage": name, "path": path, **asdict(found)} for name, path, found in made.comparisons]
    stages = [state.as_json() for state in made.states]
    return {"stages": stages, "made_again": outputs, "verdict": verdict}, made.names


def table(result: dict[str, Any]) -> str:
    """Say in lines for people what the JSON says."""
    lock_rows: list[tuple[str, ...]] = [
        (stage["name"], line) for stage in result["stages"] for line in _stage_lines(stage)
    ]
    made_rows: list[tuple[str, ...]] = [
        (each["stage"], each["path"], each["verdict"] + (f": {each['reason']}" if each["reason"] else ""))
        for each in result.get("made_again", [])
    ]
    lines = _aligned(made_rows if made_rows else lock_rows)
    lines += _uncommitted_lines(result["uncommitted"], "made_again" in result)
    return "\n".join([*lines, _summary(result)])


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


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Lay rows out in columns, and leave the first cell empty where it repeats the one above."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    lines, above = [], ""
    for first, *others in rows:
        cells = ["" if first == above else first, *others]
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
        lines.append("  ".join([*padded, cells[-1]]))
        above = first
    return lines


def _uncommitted_lines(files: list[dict[str, Any]], rerun: bool) -> list[str]:
    named = [f"{each['path']} ({each['state']})" for each in files if each["named_by_a_stage"]]
    part = "left out of the rerun" if rerun else "part of this check"
    lines = ["", f"uncommitted, and {part}: {', '.join(named)}"] if named else []
    if others := len(files) - len(named):
        lines += [] if lines else [""]
        lines += [f"uncommitted, but named by no stage: {others} (git status lists them)"]
    return lines


def _summary(result: dict[str, Any]) -> str:
    stale = " and ".join(stage["name"] for stage in result["stages"] if stage["changes"])
    commit = f"commit {result['commit']:.7}"
    if "made_again" not in result:
        texts = {
            "current": "dvc.lock is true of this checkout",
            "different": "dvc.lock is true of this checkout, but outputs here are not the locked ones",
            "stale": f"dvc.lock is stale: {stale}",
        }
        return "\n" + texts[result["verdict"]]
    if result["verdict"] == "stale":
        return f"\ndvc.lock of {commit} is stale, and so nothing was run: {stale}"
    counts = Counter(each["verdict"] for each in result["made_again"])
    shown = ", ".join(f"{counts[each]} {each}" for each in STATUSES if counts[each])
    return f"\n{commit}, made again: {shown}"
