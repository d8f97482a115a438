"""Pictures of digits that MNIST has not: photographs of paper, printed fonts, and other people's writing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

# Fonts without digits of their own, or with signs in their place.
NO_DIGITS = ("LastResort", "cmex", "cmsy", "cmmi", "Display", "SizO", "SizT", "SizF", "NonUni", "odicon")

FONT_SIZES = (12, 16, 24, 40, 80, 160, 400)
"""Pixels of the height of a font's line."""


def photograph(image: np.ndarray, random: np.random.Generator) -> Image.Image:
    """Draw a digit, uint8 (28, 28), as a photograph of it on paper would show it.

    Paper with texture, often ruled lines, ink of some darkness, a rotation of at most 15 degrees,
    perspective, a shadow with a soft edge, a vignette, blur, noise and JPEG.
    """
    height, width = random.integers(140, 480), random.integers(140, 640)
    side = int(min(height, width) * random.uniform(0.5, 0.95))
    digit = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    canvas = Image.new("L", (int(width), int(height)))
    canvas.paste(digit, (int((width - side) * random.random()), int((height - side) * random.random())))
    tilt = float(random.uniform(-15, 15))
    middle = (width / 2, height / 2)
    canvas = canvas.rotate(tilt, Image.Resampling.BICUBIC, center=middle)
    perspective = (1, 0, 0, 0, 1, 0, *(random.uniform(-0.12, 0.12, 2) / (width, height)))
    canvas = canvas.transform(canvas.size, Image.Transform.PERSPECTIVE, perspective, Image.Resampling.BICUBIC)
    ink = np.asarray(canvas, np.float32) / 255
    darkness = random.uniform(0.45, 0.9)
    scene = _paper(int(height), int(width), random) * (1 - darkness * ink)
    scene = scene * _light(int(height), int(width), random)
    scene = ndimage.gaussian_filter(scene, random.uniform(0.3, 1.8))
    scene += random.normal(0, random.uniform(0.003, 0.02), scene.shape)
    tint = np.array([1, random.uniform(0.93, 1), random.uniform(0.8, 1)])
    colours = np.clip(scene[..., np.newaxis] * tint * 255, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "JPEG", quality=int(random.integers(40, 95)))
    return Image.open(file)


def _paper(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Return the brightness (H, W) of paper: fibres, and ruled lines on four sheets of ten."""
    fibres = ndimage.gaussian_filter(random.normal(0, 1, (height, width)), 1.5)
    paper = random.uniform(0.75, 0.97) + random.uniform(0.005, 0.02) * fibres / fibres.std()
    if random.random() < 0.4:
        distance, slope = random.uniform(0.18, 0.4) * height, random.uniform(-0.05, 0.05)
        down = np.arange(height)[:, np.newaxis] + slope * np.arange(width) + random.uniform(0, distance)
        paper = paper - random.uniform(0.05, 0.25) * (down % distance < max(1.0, height / 150))
    return paper


def _light(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Return the light (H, W): a slope, a vignette, and a shadow on half of all pictures."""
    down, across = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    slope = random.uniform(-0.15, 0.15, 2)
    light = 0.85 + slope[0] * down + slope[1] * across
    light *= 1 - random.uniform(0, 0.3) * (down**2 + across**2) / 2
    if random.random() < 0.5:
        direction = random.uniform(0, 2 * np.pi)
        edge = np.cos(direction) * across + np.sin(direction) * down - random.uniform(-0.6, 0.6)
        light *= 1 - random.uniform(0.15, 0.45) / (1 + np.exp(-edge / random.uniform(0.05, 0.3)))
    return light


def fonts() -> list[Path]:
    """Find matplotlib's fonts and the system's that have digits, one of each file name."""
    from matplotlib import font_manager

    paths = {Path(entry.fname).name: Path(entry.fname) for entry in font_manager.fontManager.ttflist}
    return [paths[name] for name in sorted(paths) if not any(part in name for part in NO_DIGITS)]


def printed(paths: list[Path], random: np.random.Generator) -> Iterator[tuple[Image.Image, int, bool]]:
    """Render each digit in each font at each size, dark on light and light on dark.

    Yields:
        A picture, its digit, and whether its ink is dark.
    """
    for path in paths:
        for size in FONT_SIZES:
            font = ImageFont.truetype(str(path), size)
            for digit in range(10):
                for dark in (True, False):
                    paper, ink = (random.integers(200, 256), random.integers(0, 60))
                    ground, pen = (paper, ink) if dark else (ink, paper)
                    image = Image.new("L", (round(1.4 * size), round(1.4 * size)), int(ground))
                    middle = (0.7 * size, 0.7 * size)
                    ImageDraw.Draw(image).text(middle, str(digit), int(pen), font, anchor="mm")
                    yield image, digit, dark


def other_writers() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's 1,797 digits (8 by 8), upscaled to uint8 (N, 64, 64), and their labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = np.rint(digits.images * 255 / 16).astype(np.uint8)
    images = [Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC) for image in small]
    return np.stack([np.asarray(image) for image in images]), digits.target
