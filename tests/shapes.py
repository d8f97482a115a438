"""A folder of drawn colour pictures: shapes in any colour, place, size and turn, on grounds of any colour.

Usage: python -m tests.shapes FOLDER [PICTURES OF EACH CLASS]
"""

import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CORNERS = {"triangle": 3, "square": 4, "star": 10, "circle": 40}
"""Of the polygon that each class is."""


def draw_folder(folder: Path, count: int, classes: tuple[str, ...] = tuple(CORNERS), seed: int = 0) -> None:
    """Draw `count` pictures of each class into a folder for it, in several sizes and formats."""
    random = np.random.Generator(np.random.PCG64(seed))
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            ending = ("png", "jpg", "webp", "bmp")[number % 4]
            drawn(random, name).save(folder / name / f"{number}.{ending}")


def drawn(random: np.random.Generator, name: str) -> Image.Image:
    """Draw one shape on a ground of another brightness, with noise over both."""
    width, height = (int(length) for length in random.integers(70, 161, 2))
    dark, light = random.integers(0, 110, 3), random.integers(146, 256, 3)
    ground, ink = (dark, light) if random.random() < 0.5 else (light, dark)
    image = Image.new("RGB", (width, height), tuple(ground.tolist()))
    radius = float(random.uniform(0.25, 0.42)) * min(width, height)
    x, y = (float(random.uniform(radius, length - radius)) for length in (width, height))
    turn = float(random.uniform(0, 2 * math.pi))
    corners = CORNERS[name]
    points = []
    for corner in range(corners):
        away = radius * (0.42 if name == "star" and corner % 2 else 1)
        angle = turn + 2 * math.pi * corner / corners
        points.append((x + away * math.cos(angle), y + away * math.sin(angle)))
    ImageDraw.Draw(image).polygon(points, tuple(ink.tolist()))
    noise = random.normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    draw_folder(Path(sys.argv[1]), int((sys.argv[2:] or ["500"])[0]))
