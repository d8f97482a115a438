"""How a scene is lit, and what a camera, a scanner or a small screen makes of it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from digits.composing.grounds import ACROSS, DOWN, SIDE, clouds
from digits.composing.scene import WHITE, Scene

LEAST_DIFFERENCE = 6
"""Levels of 255 in some colour between ink and what is around it, below which nobody sees it."""


def light(scene: Scene) -> None:
    """Let light fall unevenly: a slope, soft or sharp shadows, glare, darker corners."""
    random = scene.random
    if scene.chance(0.3):
        across, down = ((values - 56) / np.float32(112) for values in (ACROSS, DOWN))
        slope = np.float32(scene.between(-0.6, 0.6)) * across + np.float32(scene.between(-0.6, 0.6)) * down
        scene.colours *= np.clip(1 + slope, 0.2, 1.6)[..., np.newaxis]
    if scene.chance(0.22):
        edge = (
            clouds(random)
            if scene.chance(0.4)
            else sum(
                np.float32(part) * (values - np.float32(scene.between(10, 102))) / np.float32(112)
                for part, values in zip(random.uniform(-1, 1, 2), (ACROSS, DOWN), strict=True)
            )
        )
        shadow = np.clip(edge * np.float32(scene.skewed(1.2, 40)) + np.float32(0.5), 0, 1)
        depth = scene.between(0.15, 0.75)
        scene.colours *= (1 - np.float32(depth) * shadow)[..., np.newaxis]
    if scene.chance(0.1):
        across, down = (values - np.float32(scene.between(0, SIDE)) for values in (ACROSS, DOWN))
        spot = 1 - (across * across + down * down) / np.float32(scene.between(10, 60) ** 2)
        scene.paint(np.clip(spot, 0, 1) * np.float32(scene.between(0.3, 0.9)), WHITE)
    if scene.chance(0.15):
        across, down = ((values - 56) / np.float32(56) for values in (ACROSS, DOWN))
        corners = np.float32(scene.between(0.1, 0.45)) * (across * across + down * down)
        scene.colours *= np.clip(1 - corners, 0.1, 1)[..., np.newaxis]


def photographed(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Take the picture: blurred, small, noisy, compressed, cut, turned, grey or negative."""
    random = scene.random
    if scene.chance(0.06):
        scene.colours = 1 - scene.colours
    if scene.chance(0.12):
        low, high = scene.between(0, 0.4), scene.between(0.6, 1)
        scene.colours = np.float32(low) + np.float32(high - low) * np.clip(scene.colours, 0, 1)
    if scene.chance(0.3):
        scene.colours = np.repeat(
            scene.colours[..., :1] * np.float32(0.3)
            + scene.colours[..., 1:2] * np.float32(0.6)
            + scene.colours[..., 2:] * np.float32(0.1),
            3,
            axis=2,
        )
    picture = Image.fromarray(_bytes(scene.colours))
    if scene.chance(0.45):
        picture = picture.filter(ImageFilter.BoxBlur(scene.skewed(0.2, 2.2)))
    if scene.chance(0.3):
        picture = _small(scene, picture)
    if scene.chance(0.4):
        amplitude = scene.skewed(2, 36)
        drawn = random.integers(-128, 128, (2, SIDE, SIDE, 1 if scene.chance(0.5) else 3), np.int16)
        noisy = np.asarray(picture).astype(np.float32) + (drawn[0] + drawn[1]).astype(
            np.float32
        ) * np.float32(amplitude / 128)
        picture = Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    if scene.chance(0.25):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(random.integers(5, 90)))
        picture = Image.open(file)
    colours = np.asarray(picture.convert("RGB"))
    shares = _shares(scene)
    if scene.chance(0.15):
        colours, shares = _cut(scene, colours, shares)
    if difference(colours, shares[..., 0] > 127)[0] < LEAST_DIFFERENCE:
        # What nobody sees, nobody is to find.
        shares[..., (0, 2)] = 0
    return np.ascontiguousarray(colours), np.ascontiguousarray(shares)


def as_it_is(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Take the picture without a camera, as a paint program does."""
    return _bytes(scene.colours), _shares(scene)


def in_few_pixels(scene: Scene, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Take the picture in so few pixels that a digit of a size has 7 to 14 of them."""
    side = round(scene.between(7, 14) * SIDE / size)
    return np.asarray(_enlarged_from(scene, Image.fromarray(_bytes(scene.colours)), side)), _shares(scene)


def difference(colours: np.ndarray, ink: np.ndarray) -> tuple[float, float]:
    """Return by how many levels of a colour ink differs from what is around it, and the deviation of that.

    `colours` are uint8 (SIDE, SIDE, 3), and `ink` is bool (SIDE, SIDE).
    """
    around = ndimage.binary_dilation(ink, iterations=6) & ~ndimage.binary_dilation(ink, iterations=1)
    if not ink.any() or not around.any():
        return 255.0, 0.0
    values = [colours[part].astype(np.int64) for part in (ink, around)]
    means = [value.sum(axis=0) / len(value) for value in values]
    apart = np.abs(means[0] - means[1])
    colour = int(apart.argmax())
    square = int((values[1][:, colour] ** 2).sum()) / len(values[1]) - float(means[1][colour] ** 2)
    return float(apart[colour]), float(np.sqrt(max(0.0, square)))


def _shares(scene: Scene) -> np.ndarray:
    others = np.where(scene.digits > 0.3, 0, scene.others)
    return _bytes(np.stack([scene.digits, others, scene.cores], axis=-1))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 1) * np.float32(255)), np.uint8)


def _small(scene: Scene, picture: Image.Image) -> Image.Image:
    """Make a picture small and large again, as one of few pixels looks when it is enlarged."""
    side = int(scene.random.integers(20, 64)) if scene.chance(0.9) else int(scene.random.integers(10, 20))
    return _enlarged_from(scene, picture, side)


def _enlarged_from(scene: Scene, picture: Image.Image, side: int) -> Image.Image:
    """Enlarge a picture of so many pixels a side."""
    scene.pixels = side / SIDE
    ways = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.NEAREST)
    small = picture.resize((side, side), ways[int(scene.random.integers(3))])
    return small.resize(
        (SIDE, SIDE),
        ways[1 + int(scene.random.integers(2))] if scene.chance(0.3) else Image.Resampling.BICUBIC,
    )


def _cut(scene: Scene, colours: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blank the sides, as the look at a picture that is not square does: with the colour in its middle."""
    first = int(scene.skewed(1, 40))
    last = SIDE - first - int(scene.random.integers(2))
    scene.seen = (first, 0, last, SIDE) if scene.chance(0.5) else (0, first, SIDE, last)
    left, top, right, bottom = scene.seen
    seen = np.zeros((SIDE, SIDE, 1), bool)
    seen[top:bottom, left:right] = True
    middle = np.median(colours[top:bottom, left:right].reshape(-1, 3), axis=0).astype(np.uint8)
    return np.where(seen, colours, middle), np.where(seen, shares, 0)
