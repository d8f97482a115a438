"""Pictures of printed digits, in the font that comes with matplotlib."""

from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

FONT = Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf")


def drawn(text: str, size: int, ink: int = 0, paper: int = 255) -> Image.Image:
    """Draw `text` with a font size of `size` pixels and a margin of half as much, in mode L."""
    font = ImageFont.truetype(str(FONT), size)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    image = Image.new("L", (right - left + size, bottom - top + size), paper)
    ImageDraw.Draw(image).text((size // 2 - left, size // 2 - top), text, fill=ink, font=font)
    return image
