"""Printed characters in the form of MNIST's images: light on dark, in a frame of 20 by 20, centred by mass.

The fonts are those that come with matplotlib, the same on every machine.
"""

import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import ImageFont
    from PIL.Image import Image

FONTS = (
    "DejaVuSans",
    "DejaVuSans-BoldOblique",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSerif",
    "DejaVuSerif-BoldItalic",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "cmr10",
    "cmss10",
    "cmtt10",
)
# The other letters look like a digit in some font or handwriting: B D G I O Q S Z b g i l o q s z.
LETTERS = "ACEFHJKLMNPRTUVWXYacdefhjkmnprtuvwxy"

# MNIST scales a digit into 20 of 28 pixels.
FRAME = 20 / 28
# A character is drawn larger by this factor, then scaled down.
ENLARGED = 3
LARGEST_ANGLE = 15


def draw_characters(
    random: np.random.Generator, count: int, size: tuple[int, int], characters: str
) -> np.ndarray:
    """Draw random `characters` in random fonts, stroke widths and angles.

    Returns:
        Float32 images (count, height, width, 1) in [0, 1].
    """
    images = np.zeros((count, *size, 1), np.float32)
    for image in images:
        character = characters[random.integers(len(characters))]
        font = _font(str(_folder() / f"{FONTS[random.integers(len(FONTS))]}.ttf"), ENLARGED * min(size))
        angle = int(random.integers(-LARGEST_ANGLE, LARGEST_ANGLE + 1))
        image[..., 0] = framed(_drawn(character, font, int(random.integers(0, ENLARGED + 1)), angle), size)
    return images


def character_image(character: str, font: Path, size: tuple[int, int]) -> np.ndarray:
    """Draw one upright `character` in the font of a file: float32 (height, width) in [0, 1]."""
    return framed(_drawn(character, _font(str(font), ENLARGED * min(size)), 0, 0), size)


@cache
def _folder() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts/ttf"


@cache
def _font(path: str, points: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont

    # The basic layout needs no library that a machine may lack.
    return ImageFont.truetype(path, points, layout_engine=ImageFont.Layout.BASIC)


def _drawn(character: str, font: "ImageFont.FreeTypeFont", strength: int, angle: int) -> "Image":
    from PIL import Image, ImageDraw

    side = round(3 * font.size)
    picture = Image.new("L", (side, side))
    place = (side / 2, side / 2)
    ImageDraw.Draw(picture).text(place, character, 255, font, anchor="mm", stroke_width=strength)
    return picture.rotate(angle, Image.Resampling.BILINEAR)


def framed(picture: "Image", size: tuple[int, int]) -> np.ndarray:
    """Crop a light-on-dark picture to its ink, scale it into the frame, and centre it by mass."""
    from PIL import Image

    box = picture.getbbox()
    canvas = np.zeros(size, np.float32)
    if box is None:
        return canvas
    ink = picture.crop(box)
    scale = FRAME * min(size) / max(ink.size)
    width, height = (max(1, round(length * scale)) for length in ink.size)
    pixels = np.asarray(ink.resize((width, height), Image.Resampling.BOX), np.int64)
    rows, columns = np.indices(pixels.shape)
    mass = int(pixels.sum()) or 1
    corner = []
    for length, extent, where in zip(size, pixels.shape, (rows, columns), strict=True):
        centre = int((where * pixels).sum()) / mass
        corner.append(min(max(math.floor(length / 2 - centre), 0), length - extent))
    top, left = corner
    canvas[top : top + height, left : left + width] = pixels.astype(np.float32) / 255
    return canvas
