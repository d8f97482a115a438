"""What pictures are composed of: the shapes of digits, letters and marks, of which parts share none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from digits.composing.grounds import MAKERS
from digits.composing.shapes import Shapes, character_shapes, digit_shapes, written_shapes
from digits.files import Arrays
from digits.params import Section

Part = Literal["learn", "choose", "report"]


FONTS: dict[Part, tuple[str, ...]] = {
    "learn": (
        "DejaVuSans",
        "DejaVuSans-Bold",
        "DejaVuSans-Oblique",
        "DejaVuSansMono",
        "DejaVuSerif",
        "DejaVuSerif-Italic",
        "STIXGeneral",
        "cmr10",
        "cmss10",
    ),
    "choose": ("DejaVuSansMono-Bold", "STIXGeneralBol"),
    "report": ("DejaVuSerif-Bold", "STIXGeneralItalic", "cmtt10"),
}


LETTERS = "ACEFHJKLMNPRTUVWXYacdefhjkmnprtuvwxy"


MARKS = ",,,..;:///---+=()*%#'!?<>"


@dataclass(frozen=True)
class Stock:
    """What the pictures of one part are composed of; no part shares a digit, a font or a ground."""

    part: Part
    handwritten: Shapes
    written: Shapes
    printed: Shapes
    letters: Shapes
    marks: Shapes

    @classmethod
    def of(cls, part: Part, images: np.ndarray, labels: np.ndarray, seed: int) -> Stock:
        """Measure the shapes of digits, float32 (N, H, W, 1) in [0, 1], and of the part's fonts."""
        fonts = FONTS[part]
        random = np.random.Generator(np.random.PCG64([seed, sorted(MAKERS).index(part)]))
        return cls(
            part,
            digit_shapes(images, labels),
            written_shapes(random, 30),
            character_shapes("0123456789", fonts),
            character_shapes(LETTERS, fonts),
            character_shapes(MARKS, fonts),
        )

    def marks_of(self, characters: str) -> list[int]:
        """Return which of the marks are one of some characters."""
        return [
            number for number, label in enumerate(self.marks.labels.tolist()) if MARKS[label] in characters
        ]


class ComposeParams(Section):
    """The section `compose` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    digits: int = Field(ge=1, le=1_000_000)


def stock_of(part: Part, training: Arrays, validation: Arrays, params: ComposeParams) -> Stock:
    """Return what pictures for learning, for choosing or for reporting are composed of.

    Args:
        part: which of them.
        training: `images` float32 (N, H, W, 1) in [0, 1] and `labels`, for learning.
        validation: the same, every other for choosing, and the rest for reporting.
        params: how many digits the part may have, and the seed.
    """
    arrays, first, step = {
        "learn": (training, 0, 1),
        "choose": (validation, 0, 2),
        "report": (validation, 1, 2),
    }[part]
    images, labels = (arrays[name][first::step][: params.digits] for name in ("images", "labels"))
    return Stock.of(part, images, labels, params.seed)
