"""The contact sheet: a few images of each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.files import whole_file
from digits.packing.pack import Packed
from digits.packing.storing import Store

WIDTH = 960
"""Pixels of the sheet, about."""

SIDE, GAP, LINE = 64, 4, 18
"""Pixels of a thumbnail's longer side, between two of them, and of a line of text."""

PAPER, INK = (255, 255, 255), (34, 34, 34)


def draw_sheet(store: Store, packed: Packed, classes: list[str], path: Path) -> None:
    """Write the sheet to `path`: the first training images of each class, below its name."""
    shown = 12 if len(classes) <= 20 else 6 if len(classes) <= 200 else 3
    cell_width, cell_height = shown * (SIDE + GAP) + 2 * GAP, SIDE + LINE + 3 * GAP
    columns = max(1, WIDTH // cell_width)
    rows = -(-len(classes) // columns)
    sheet = Image.new("RGB", (columns * cell_width + GAP, rows * cell_height + GAP), PAPER)
    pen, font = ImageDraw.Draw(sheet), _font()
    for label, name in enumerate(classes):
        left, top = GAP + label % columns * cell_width, GAP + label // columns * cell_height
        pen.text((left, top), _cut(name, font, cell_width - 2 * GAP), INK, font)
        places = packed.order["train"][packed.labels["train"] == label][:shown]
        for number, place in enumerate(places.tolist()):
            sheet.paste(_thumbnail(store.image(place)), (left + number * (SIDE + GAP), top + LINE))
    with whole_file(path) as partial:
        sheet.save(partial)


def _font() -> ImageFont.FreeTypeFont:
    """Return the font that comes with matplotlib, which has more alphabets than Pillow's."""
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), 13)


def _cut(name: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(name) <= width:
        return name
    while name and font.getlength(f"{name}…") > width:
        name = name[:-1]
    return f"{name}…"


def _thumbnail(image: np.ndarray) -> Image.Image:
    """Scale to the longer side: pixels of small images stay to be seen."""
    whole = Image.fromarray(image).convert("RGB")
    longer = max(whole.size)
    size = tuple(max(1, length * SIDE // longer) for length in whole.size)
    return whole.resize(
        (size[0], size[1]), Image.Resampling.NEAREST if longer <= SIDE else Image.Resampling.BOX
    )
