"""In what a stage's entry in dvc.lock and the checkout differ."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TEXTS = {
    "stage added": "not in dvc.lock",
    "command changed": "command {locked} → {found}",
    "param changed": "{subject} {locked} → {found}",
    "param added": "{subject} is a new param",
    "param removed": "{subject} is no param any more",
    "dependency changed": "{subject} changed",
    "dependency missing": "{subject} is missing",
    "dependency added": "{subject} is a new dependency",
    "dependency removed": "{subject} is no dependency any more",
    "input replaced": "the lock contradicts itself: {subject} was read as {locked:.8}, made as {found:.8}",
    "output added": "{subject} is a new output",
    "output removed": "{subject} is no output any more",
}
NOTHING = "(none)"


@dataclass(frozen=True)
class Change:
    """One way in which the lock is not true of a stage.

    Attributes:
        kind: a key of `TEXTS`.
        subject: the file, or the file and the key in it.
        locked: what the lock says.
        found: what the checkout says, or what the lock says elsewhere.
    """

    kind: str
    subject: str
    locked: Any = NOTHING
    found: Any = NOTHING

    def __str__(self) -> str:
        locked, found = plain(self.locked), plain(self.found)
        if locked == found:
            locked, found = repr(self.locked), repr(self.found)
        return TEXTS[self.kind].format(subject=self.subject, locked=locked, found=found)


def param_changes(
    file: str, locked: dict[str, Any], found: dict[str, Any], declared: list[str]
) -> Iterator[Change]:
    """Name each value of a params file that differs, down to the innermost keys.

    Args:
        file: the params file.
        locked: the values that the lock holds, by declared key.
        found: the values in the file, by declared key.
        declared: the keys that the stage names; none stand for the whole file.
    """
    for key in declared or dict.fromkeys([*locked, *found]):
        if key not in locked:
            yield Change("param added", f"{file}: {key}", found=found.get(key, NOTHING))
            continue
        old, new = leaves(key, locked[key]), leaves(key, found[key]) if key in found else {}
        for leaf in dict.fromkeys([*old, *new]):
            before, after = old.get(leaf, NOTHING), new.get(leaf, NOTHING)
            if before != after:
                yield Change("param changed", f"{file}: {leaf}", before, after)
    if declared:
        yield from (Change("param removed", f"{file}: {key}") for key in locked if key not in declared)


def leaves(key: str, value: Any) -> dict[str, Any]:
    """Give the values inside nested dictionaries by their full keys: {'a': 1} under k as {'k.a': 1}."""
    if not isinstance(value, dict) or not value:
        return {key: value}
    return {
        inner: leaf for name, child in value.items() for inner, leaf in leaves(f"{key}.{name}", child).items()
    }


def plain(value: Any) -> str:
    """Give a value as a reader would write it into a params file."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
