"""The points of a sweep: every combination of the values that the overrides name, in Hydra's syntax."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from digits.errors import DigitsError
from digits.verification.pipeline import one_line

PARAMS_FILE = "params.yaml"

# A run's overrides, each as `dvc exp run -S` takes it: KEY=VALUE or FILE:KEY=VALUE.
Point = tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """The product of lists of overrides.

    Attributes:
        choices: for each overridden key, the overrides to choose from.
    """

    choices: tuple[tuple[str, ...], ...]

    @property
    def size(self) -> int:
        """The number of points."""
        return math.prod(map(len, self.choices))

    def point(self, number: int) -> Point:
        """Return the point with this number; the last key changes fastest."""
        chosen = []
        for choice in reversed(self.choices):
            number, place = divmod(number, len(choice))
            chosen.append(choice[place])
        return tuple(reversed(chosen))

    def points(self, drawn: int | None = None) -> Iterator[Point]:
        """Yield all points, or `drawn` of them at random: always the same ones, in the grid's order."""
        numbers: Sequence[int] = range(self.size)
        if drawn is not None and drawn < self.size:
            numbers = sorted(random.Random(0).sample(numbers, drawn))
        return map(self.point, numbers)

    def __str__(self) -> str:
        return (
            " times ".join(f"{len(choice)} of {key_of(choice[0])}" for choice in self.choices)
            or "no override"
        )


def key_of(override: str) -> str:
    """Return the key that an override is about, with its file unless that is params.yaml."""
    return override.partition("=")[0].lstrip("+~")


def value_of(override: str) -> str:
    """Return the value that an override gives to its key, as text."""
    return override.partition("=")[2]


def read_grid(root: Path, overrides: Sequence[str]) -> Grid:
    """Read overrides as `dvc exp run -S` does; a glob chooses among the names in the section KEYs.

    Raises:
        DigitsError: DVC or Hydra refuses an override, in their words.
    """
    from dvc.exceptions import DvcException
    from dvc.utils.cli_parse import to_path_overrides
    from dvc.utils.hydra import to_hydra_overrides
    from hydra.errors import HydraException

    choices: dict[str, tuple[str, ...]] = {}
    try:
        for file, texts in to_path_overrides(overrides).items():
            prefix = "" if file == PARAMS_FILE else f"{file}:"
            for override in to_hydra_overrides(texts):
                values = dict.fromkeys(_values(override, root / file))
                key = prefix + str(override.get_key_element())
                choices[key] = tuple(f"{key}={value}" for value in values)
    except (DvcException, HydraException) as error:
        raise DigitsError(one_line(error)) from error
    return Grid(tuple(choices.values()))


def _values(override: Any, params: Path) -> list[str]:
    """Return the values of one override as texts."""
    from hydra.core.override_parser.types import Glob, ValueType

    if not override.is_sweep_override():
        return [str(override.get_value_element_as_str())]
    if override.value_type == ValueType.GLOB_CHOICE_SWEEP:
        section = f"{override.key_or_group}s"
        named = yaml.safe_load(params.read_text(encoding="utf-8")).get(section) if params.exists() else None
        glob = override.value()
        assert isinstance(glob, Glob)
        names = glob.filter(list(map(str, named))) if isinstance(named, dict) else []
        if not names:
            raise DigitsError(f"{override.input_line}: no name in the section {section} of {params.name}")
        return names
    if not override.is_discrete_sweep():
        kind = override.value_type.name
        raise DigitsError(f"{override.input_line}: BasicSweeper does not support sweep type : {kind}")
    return [str(value) for value in override.sweep_string_iterator()]


def write_params(root: Path, point: Point) -> None:
    """Change the params files below `root` as the overrides of `point` say.

    Raises:
        DigitsError: DVC refuses an override, in its words.
    """
    from dvc.exceptions import DvcException
    from dvc.utils.cli_parse import to_path_overrides
    from dvc.utils.hydra import apply_overrides
    from hydra.errors import HydraException

    try:
        for file, texts in to_path_overrides(point).items():
            apply_overrides(str(root / file), texts)
    except (DvcException, HydraException) as error:
        raise DigitsError(one_line(error)) from error
    except OSError as error:
        raise DigitsError(f"{error.filename}: {error.strerror}") from error
