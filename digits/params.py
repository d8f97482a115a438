"""Read params.yaml: each stage reads the sections that it declares, checked against their schema.

A schema is a `Section`, in the module that uses its numbers.
No field has a default: each number stands once, in params.yaml.
"""

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from digits.errors import DigitsError, short, unknown_name

SECTIONS = [
    "calibrate",
    "compose",
    "dataset",
    "evaluate",
    "fetch",
    "gate",
    "ink",
    "prepare",
    "read",
    "recipe",
    "recipes",
    "runtime",
    "train",
]

# Characters of an error about the file: a name or a list in it may be of any length.
LONGEST_LINE = 500


class Section(BaseModel):
    """A section of params.yaml: every key is known, present, and of its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


SectionType = TypeVar("SectionType", bound=Section)


class Params:
    """The content of a params file; each method checks what it returns.

    Raises:
        DigitsError: the file is missing, is no YAML mapping, or has a section beside the `sections`.
    """

    def __init__(self, path: Path = Path("params.yaml"), sections: Iterable[str] = SECTIONS) -> None:
        self.path = path
        if path.exists() and not path.is_file():
            raise self._error("not a regular file")
        try:
            self.values = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise self._error("no such file") from None
        except OSError:
            raise
        except Exception as error:  # PyYAML passes on what dates, numbers, code points and recursion raise
            raise self._error(f"not valid YAML ({error})") from error
        if not isinstance(self.values, dict):
            raise self._error(f"expected sections with keys, found {type(self.values).__name__}")
        for name in self.values:
            if name not in sections:
                kind = "section" if sections is SECTIONS else "key"
                raise self._error(unknown_name(kind, name, list(sections)))

    def choice(self, key: str, kind: str, allowed: list[str]) -> str:
        """Return the name at the top-level `key`, which must be one of the `allowed` ones."""
        name = self._value(key)
        if name not in allowed:
            raise self._error(f"{key}: {unknown_name(kind, name, allowed)}")
        return str(name)

    def names(self, key: str) -> list[str]:
        """Return the names of the sections under `key`."""
        value = self._value(key)
        if not isinstance(value, dict):
            raise self._error(f"{key}: expected named sections, found {short(value)}")
        return [str(name) for name in value]

    def section(self, key: str, schema: type[SectionType]) -> SectionType:
        """Return the section at `key`, a path with dots, as a `schema`."""
        return self._checked(key, self._value(key), schema)

    def whole(self, schema: type[SectionType]) -> SectionType:
        """Return all sections as a `schema`."""
        return self._checked("", self.values, schema)

    def _checked(self, key: str, value: object, schema: type[SectionType]) -> SectionType:
        try:
            return schema.model_validate(value)
        except ValidationError as error:
            raise self._error(_first_problem(key, schema, error)) from error

    def _value(self, key: str) -> Any:
        value = self.values
        path: list[str] = []
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                raise self._error(f"{'.'.join([*path, part])}: missing")
            value = value[part]
            path.append(part)
        return value

    def _error(self, text: str) -> DigitsError:
        line = " ".join(text.split())
        return DigitsError(f"{self.path}: {line if len(line) <= LONGEST_LINE else f'{line[:LONGEST_LINE]}…'}")


def _first_problem(key: str, schema: type[Section], error: ValidationError) -> str:
    # A misspelt key is reported as unknown and as missing; the first explains the second.
    problem = min(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
    names, section = _located(schema, problem["loc"])
    above = (key,) if key else ()
    where = ".".join((*above, *names))
    if problem["type"] in ("missing", "union_tag_not_found"):
        return f"{where}{'.kind' if problem['type'] == 'union_tag_not_found' else ''}: missing"
    if problem["type"] == "union_tag_invalid":
        allowed = [kind.strip("'") for kind in problem["ctx"]["expected_tags"].split(", ")]
        return f"{where}.kind: {unknown_name('kind', problem['ctx']['tag'], allowed)}"
    if problem["type"] == "extra_forbidden":
        allowed = sorted(section.model_fields)
        return f"{'.'.join((*above, *names[:-1]))}: {unknown_name('key', names[-1], allowed)}"
    if problem["type"] == "literal_error":
        # Texts stand in quotes, which a number has not: 'fit', 'crop' or 1 or 3.
        allowed = re.findall(r"[^',\s]+", problem["ctx"]["expected"].replace(" or ", " "))
        return f"{where}: {unknown_name(names[-1], problem['input'], allowed)}"
    expected = re.sub("^(Input should be|List should have|Value error,) ", "", problem["msg"])
    value = problem["input"]
    return f"{where}: {short(value)} is not allowed; expected {expected}{_yaml_hint(value)}"


def _located(schema: type[Section], location: tuple[int | str, ...]) -> tuple[list[str], type[Section]]:
    """Return the names of the keys that lead to a problem, and the section of the last one.

    For a discriminated union, pydantic's `location` also holds the discriminator's value, which is skipped.
    """
    names: list[str] = []
    places = iter(location)
    for place in places:
        names.append(str(place))
        field = schema.model_fields.get(str(place))
        if field is None:
            continue
        kinds, discriminator = get_args(field.annotation), field.discriminator
        if get_origin(field.annotation) is list:
            names.extend(str(number) for number in islice(places, 1))
            # A list of one of several sections is a list of Annotated[…, Field(discriminator=…)].
            union, *notes = get_args(kinds[0]) or (None,)
            kinds, discriminator = get_args(union), notes[0].discriminator if notes else None
        if isinstance(discriminator, str):
            tag = next(places, None)
            for kind in kinds:
                if tag in get_args(kind.model_fields[discriminator].annotation):
                    schema = kind
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            schema = field.annotation
    return names, schema


def _yaml_hint(value: object) -> str:
    try:
        if not isinstance(value, str):
            return ""
        number = float(value)
        return f" (YAML reads {value} as text; write {int(number) if value.isdigit() else number})"
    except ValueError:
        return ""
