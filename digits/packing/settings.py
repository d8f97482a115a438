"""What the user says of a dataset: by options, or the last time, or not at all."""

from __future__ import annotations

import argparse
from typing import Any

from digits.data.datasets import DATASETS, Dataset, PackedFile, read_dataset
from digits.data.forms import LARGEST_SIDE
from digits.errors import DigitsError
from digits.packing.reading import Form

TEST_SHARE = 0.2


def chosen_settings(arguments: argparse.Namespace) -> tuple[dict[str, Any], Dataset | None]:
    """Return the settings that the options give, and the dataset that was packed under this name before.

    Raises:
        DigitsError: the name is that of a dataset from elsewhere, or an option is missing or out of range.
    """
    before = None
    if (DATASETS / f"{arguments.name}.yaml").exists():
        before = read_dataset(arguments.name, DATASETS)
        if not isinstance(before.sources[0], PackedFile):
            raise DigitsError(
                f"{DATASETS}/{arguments.name}.yaml is there, of another source; choose another name"
            )
    settings = _first_settings(arguments) if before is None else _last_settings(before)
    color = None if arguments.color is None else 3 if arguments.color else 1
    given = {key: getattr(arguments, key) for key in settings if key in arguments} | {"channels": color}
    settings |= {key: value for key, value in given.items() if value is not None}
    for side in ("height", "width"):
        if settings[side] is None:
            raise DigitsError(f"--{side} is missing: the images of a dataset have one size")
        if not 1 <= settings[side] <= LARGEST_SIDE:
            raise DigitsError(f"--{side} {settings[side]}: expected 1 to {LARGEST_SIDE}")
    if not 0 < settings["test_share"] < 1:
        raise DigitsError(f"--test-share {settings['test_share']:g}: expected more than 0 and less than 1")
    return settings, before


def form_of(settings: dict[str, Any]) -> Form:
    """Return the form of the images that the settings ask for."""
    return Form(**{key: settings[key] for key in Form._fields})


def _first_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "origin": f"the folder {arguments.folder.resolve().name}, given by its user",
        "licence": "not stated",
        "height": None,
        "width": None,
        "channels": 1,
        "characters": False,
        "mirrored": False,
        "validation": "stratified",
        "accuracy_above": None,
        "framing": "fit",
        "ground": "any",
        "test_share": TEST_SHARE,
    }


def _last_settings(before: Dataset) -> dict[str, Any]:
    """Return what datasets/NAME.yaml says, which people may have changed."""
    source = before.sources[0]
    share = source.test_share if isinstance(source, PackedFile) else 0
    kept = before.model_dump(
        include={"origin", "licence", "height", "width", "channels", "characters", "mirrored", "validation"}
        | {"accuracy_above", "framing", "ground"}
    )
    return kept | {"test_share": share or TEST_SHARE}
