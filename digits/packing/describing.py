"""The text of datasets/NAME.yaml for a folder that was packed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import yaml

from digits.packing.pack import Packed

LINE = 106

TEMPLATE = """\
# Written by `digits dataset`, which keeps what is changed here but for sizes, classes and checksums.
origin: {origin}
licence: {licence}

# Of each image, in pixels; channels are 1 (grey) or 3 (red, green, blue).
height: {height}
width: {width}
channels: {channels}

# The name of each label, label 0 first.
classes: {classes}
# Whether the classes are characters that can be printed.
characters: {characters}
# Whether a mirrored image is still of its class.
mirrored: {mirrored}

# Number of images in each part.
train: {train}
test: {test}
# Which training images validate: `last`, or `stratified`, the same share of each class, chosen by content.
validation: {validation}
# What a test accuracy must be above in a good model; at first what the most frequent answer would get.
accuracy_above: {accuracy_above}

# How a picture is brought into the form of the images: `fit` (scaled to fit, and padded) or `crop` (scaled to
# cover, and cropped).
framing: {framing}
# What stands behind the things shown: `dark` (the images are light on dark ground, so that a picture whose
# border is lighter than its middle is inverted) or `any`.
ground: {ground}

# SHA-256 of each raw array's bytes in C order.
sha256:
  x_train: {x_train}
  y_train: {y_train}
  x_test: {x_test}
  y_test: {y_test}

# The packed file is DVC's. test_share is what of the pictures tests, by their content, or 0 where the folder
# has train/ and test/.
sources:
- {{kind: packed, name: packed, test_share: {test_share}}}
"""


def describe(settings: dict[str, Any], packed: Packed, classes: list[str]) -> str:
    """Return the description of what was packed.

    Args:
        settings: the keys that are the user's: origin, licence, height, width, channels, characters,
            mirrored, validation, framing, ground, test_share, and accuracy_above, which may be None.
        packed: the raw arrays.
        classes: the name of each label.
    """
    values = settings | {part: len(labels) for part, labels in packed.labels.items()} | {"classes": classes}
    if values["accuracy_above"] is None:
        share = float(np.bincount(packed.labels["test"]).max()) / len(packed.labels["test"])
        values["accuracy_above"] = math.floor(share * 1000) / 1000
    return TEMPLATE.format(**{key: _yaml(value) for key, value in values.items()}, **packed.sha256)


def _yaml(value: object) -> str:
    """Return a value as YAML has it behind a key."""
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=LINE)
    return text.removesuffix("...\n").rstrip()
