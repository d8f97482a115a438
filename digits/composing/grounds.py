"""Grounds to write on: each maker returns a float32 texture (SIDE, SIDE), about -0.5 to 0.5.

Pictures for learning, choosing and reporting share no maker. All values come of integers, and of sums and
products of single numbers, which every CPU rounds in the same way.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 112
"""Pixels of a composed picture's side, and of what the network looks at."""

DOWN, ACROSS = np.indices((SIDE, SIDE), np.float32) + np.float32(0.5)
"""The place of each pixel's centre."""

Maker = Callable[[np.random.Generator], np.ndarray]


def enlarged(coarse: np.ndarray, resampling: Image.Resampling = Image.Resampling.BICUBIC) -> np.ndarray:
    """Enlarge uint8 (h, w) to a texture."""
    picture = Image.fromarray(coarse).resize((SIDE, SIDE), resampling)
    return np.asarray(picture).astype(np.float32) / np.float32(255) - np.float32(0.5)


def noise(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return smooth noise of so many rows and columns of random levels."""
    return enlarged(random.integers(0, 256, (max(1, rows), max(1, columns)), np.uint8))


def drawing(random: np.random.Generator) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an even picture of a random grey, and what draws on it."""
    picture = Image.new("L", (SIDE, SIDE), int(random.integers(90, 166)))
    return picture, ImageDraw.Draw(picture)


def texture(picture: Image.Image) -> np.ndarray:
    """Return a drawn picture as a texture."""
    return np.asarray(picture).astype(np.float32) / np.float32(255) - np.float32(0.5)


def even(random: np.random.Generator) -> np.ndarray:
    """Return no texture at all."""
    return np.zeros((SIDE, SIDE), np.float32)


def clouds(random: np.random.Generator) -> np.ndarray:
    """Return smooth noise of two sizes."""
    size = int(random.integers(2, 8))
    return noise(random, size, size) + np.float32(0.5) * noise(random, 3 * size, 3 * size)


def grain(random: np.random.Generator) -> np.ndarray:
    """Return noise of single pixels, or of a few."""
    size = SIDE // int(random.integers(1, 5))
    return noise(random, size, size)


def fibres(random: np.random.Generator) -> np.ndarray:
    """Return short threads."""
    picture, draw = drawing(random)
    for x, y, right, down, level in random.integers(
        (0, 0, -12, -12, 40), (SIDE, SIDE, 13, 13, 216), (90, 5)
    ).tolist():
        draw.line((x, y, x + right, y + down), level)
    return texture(picture.filter(ImageFilter.BoxBlur(0.5)))


def wood(random: np.random.Generator) -> np.ndarray:
    """Return noise that is drawn out in one direction."""
    fine, long = int(random.integers(12, 57)), int(random.integers(1, 4))
    grained = noise(random, fine, long) + np.float32(0.5) * noise(random, SIDE, 2 * long)
    return grained if random.random() < 0.5 else grained.T


def weave(random: np.random.Generator) -> np.ndarray:
    """Return threads that cross, as in cloth."""
    period = random.uniform(2, 8)
    wave = np.abs((DOWN[:, 0] / np.float32(period)) % np.float32(1) - np.float32(0.5)) * np.float32(2)
    return np.asarray(wave[:, np.newaxis] * wave - np.float32(0.3) + np.float32(0.3) * grain(random))


def scenery(random: np.random.Generator) -> np.ndarray:
    """Return large shapes of different greys, as things on a table look."""
    picture, draw = drawing(random)
    for _ in range(int(random.integers(2, 9))):
        points = random.integers(-30, SIDE + 30, (int(random.integers(3, 6)), 2))
        draw.polygon([tuple(point) for point in points.tolist()], int(random.integers(0, 256)))
    blurred = picture.filter(ImageFilter.BoxBlur(random.uniform(0, 3)))
    return texture(blurred) + np.float32(0.2) * clouds(random)


def dots(random: np.random.Generator) -> np.ndarray:
    """Return specks and spots of different sizes."""
    picture, draw = drawing(random)
    for x, y, radius, level in random.integers(
        (0, 0, 0, 30), (SIDE, SIDE, 4, 226), (int(random.integers(5, 80)), 4)
    ).tolist():
        draw.ellipse((x, y, x + radius, y + radius), level)
    return texture(picture.filter(ImageFilter.BoxBlur(0.5)))


def crumpled(random: np.random.Generator) -> np.ndarray:
    """Return faces of paper that was crumpled, each with its own slope of light."""
    values = np.full((SIDE, SIDE), np.float32(-1))
    for across, down, start in random.uniform(-1, 1, (int(random.integers(3, 9)), 3)):
        plane = (ACROSS - 56) * np.float32(across / 60) + (DOWN - 56) * np.float32(down / 60)
        values = np.maximum(values, plane + np.float32(0.3 * start))
    return np.clip(values, -0.5, 0.5)


def joints(random: np.random.Generator) -> np.ndarray:
    """Return a surface with straight joints at uneven distances, and some unevenness."""
    picture, draw = drawing(random)
    slope, level = int(random.integers(-12, 13)), int(random.integers(0, 256))
    for left in random.integers(-10, SIDE + 10, int(random.integers(3, 14))).tolist():
        draw.line((left, 0, left + slope, SIDE), level, int(random.integers(1, 3)))
    lines = texture(picture)
    return np.asarray((lines if random.random() < 0.5 else lines.T) + np.float32(0.4) * clouds(random))


def marble(random: np.random.Generator) -> np.ndarray:
    """Return veins: where smooth noise is near its middle."""
    return np.asarray(np.minimum(np.abs(clouds(random)) * np.float32(4), 1) - np.float32(0.7))


def felt(random: np.random.Generator) -> np.ndarray:
    """Return noise of two directions."""
    return np.asarray(noise(random, SIDE, 30) + noise(random, 30, SIDE))


def planks(random: np.random.Generator) -> np.ndarray:
    """Return boards side by side with joints between them."""
    picture, draw = drawing(random)
    width = int(random.integers(14, 50))
    for left in range(-int(random.integers(width)), SIDE, width):
        draw.rectangle((left, 0, left + width, SIDE), int(random.integers(70, 186)), 40)
    return texture(picture) + np.float32(0.3) * noise(random, 4, 50)


def bricks(random: np.random.Generator) -> np.ndarray:
    """Return tiles with joints, their rows shifted."""
    picture, draw = drawing(random)
    width, height = (int(length) for length in random.integers((16, 10), (60, 40)))
    for row, top in enumerate(range(0, SIDE, height)):
        for left in range(-(row % 2) * width // 2, SIDE, width):
            draw.rectangle((left, top, left + width, top + height), int(random.integers(90, 166)), 190)
    return texture(picture) + np.float32(0.2) * grain(random)


def halftone(random: np.random.Generator) -> np.ndarray:
    """Return a screen of dots, as in print."""
    period = np.float32(random.uniform(3, 7))
    down, across = (values % period / period - np.float32(0.5) for values in (DOWN + ACROSS, DOWN - ACROSS))
    return np.asarray(np.clip(np.float32(0.7) - 4 * (down * down + across * across), -0.5, 0.5))


def foliage(random: np.random.Generator) -> np.ndarray:
    """Return many leaves on top of each other."""
    picture, draw = drawing(random)
    for x, y, width, height, level in random.integers(
        (-9, -9, 3, 3, 20), (SIDE, SIDE, 26, 26, 236), (70, 5)
    ).tolist():
        draw.ellipse((x, y, x + width, y + height), level)
    return texture(picture.filter(ImageFilter.BoxBlur(1)))


MAKERS: dict[str, tuple[Maker, ...]] = {
    "learn": (even, clouds, grain, fibres, wood, weave, scenery, dots, crumpled, joints),
    "choose": (marble, felt, planks),
    "report": (bricks, halftone, foliage),
}
"""The makers of each part. `even` is learned from only, though every part has grounds of one colour."""
