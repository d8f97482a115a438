"""The text of a report."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from digits.comparison.command import markdown as comparison
from digits.report.changes import Changes
from digits.report.results import Results
from digits.verification.lock import StageState, plain

# A list that is longer is folded.
MOST_SHOWN = 12
# By this line a workflow finds the comment that it wrote before.
MARK = "<!-- digits report -->"


def markdown(
    before: Results,
    after: Results,
    states: Sequence[StageState],
    changes: Changes,
    pictures: Mapping[str, str],
) -> str:
    """Return the report.

    Args:
        before: the earlier result.
        after: that of the checkout.
        states: how the checkout compares with its lock.
        changes: what differs between the two.
        pictures: the addresses of the pictures, by what they show.
    """
    parts = [
        f"{MARK}\n## What this change did",
        f"Against {before.name} ({before.commit:.7}). {_verdict(states)}",
        _judgement(changes),
        _changed(changes),
        _metrics(before, changes.metrics),
        _results(pictures),
        _mistakes(before, after, changes, pictures),
        *([_list([f"Left out: {line}" for line in before.missing + after.missing])]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(states: Sequence[StageState]) -> str:
    stale = [f"{state.name}: {change}" for state in states for change in state.changes]
    if stale:
        return f"**`digits verify`: dvc.lock is stale**\n\n{_list(stale)}"
    altered = [output.path for state in states for output in state.outputs if output.state == "altered"]
    if altered:
        return f"**`digits verify`: not the locked bytes:** {_code(altered)}"
    return "`digits verify`: dvc.lock matches this checkout."


def _judgement(changes: Changes) -> str:
    if changes.comparison is None:
        return f"**Not compared:** {changes.not_compared}"
    return comparison(changes.comparison)


def _changed(changes: Changes) -> str:
    if not (changes.values or changes.code or changes.outputs):
        return "### Changed\n\nNothing that a stage reads or writes."
    rows = [(f"`{key}` ({file})", _cell(old), _cell(new)) for file, key, old, new in changes.values]
    parts = [
        "### Changed",
        _folded("Params and versions", _table(("param or version", "before", "after"), rows), len(rows)),
        _folded("Code", _code(changes.code), len(changes.code)),
        _folded("Outputs with other bytes", _code(changes.outputs), len(changes.outputs)),
    ]
    return "\n\n".join(part for part in parts if part)


def _metrics(before: Results, metrics: Sequence[tuple[str, Any, Any]]) -> str:
    if not metrics:
        return "### Metrics\n\nNone moved."
    rows = [(f"`{name}`", _cell(old), _cell(new), _difference(old, new)) for name, old, new in metrics]
    return "### Metrics\n\n" + _table(("metric", before.name, "this checkout", "difference"), rows)


def _difference(old: Any, new: Any) -> str:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (old, new))
    return f"{new - old:+.6g}" if numbers else ""


def _results(pictures: Mapping[str, str]) -> str:
    if "results" not in pictures:
        return ""
    return f"### Curves and confusion\n\n![Curves and confusion matrices of both]({pictures['results']})"


def _mistakes(before: Results, after: Results, changes: Changes, pictures: Mapping[str, str]) -> str:
    if not before.predictions or not after.predictions:
        return ""
    line = f"{len(changes.new_mistakes)} new, {len(changes.mended_mistakes)} mended."
    picture = f"\n\n![New and mended mistakes]({pictures['mistakes']})" if "mistakes" in pictures else ""
    return f"### Mistakes\n\n{line}{picture}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    return plain(value).replace("|", "\\|").replace("\n", " ")


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _folded(title: str, text: str, number: int) -> str:
    """Return a text about so many things, folded where they are many and left out where there are none."""
    if number > MOST_SHOWN:
        return f"<details><summary>{title}: {number}</summary>\n\n{text}\n\n</details>"
    return f"{title}:\n\n{text}" if number else ""


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
