"""A folder in which the stages run as they are, on this checkout's code and data but with other params."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

BORROWED = ("datasets", "digits", "stages", "environment.yaml", "data/prepared")


@contextmanager
def borrowed_folder(values: dict[str, Any]) -> Iterator[Path]:
    """Yield a temporary folder with links to code and prepared data, and `values` as params.yaml."""
    with TemporaryDirectory(prefix="digits-benchmark-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        for part in BORROWED:
            (folder / part).symlink_to(Path(part).resolve())
        (folder / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
        yield folder


def with_recipe(values: dict[str, Any], name: str, changes: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    """Return the params `values` with recipe `name` chosen and changed, and a seed."""
    recipes = values["recipes"] | {name: values["recipes"][name] | changes}
    return values | {"recipe": name, "recipes": recipes, "train": values["train"] | {"seed": seed}}
