"""Artificial images that are of none of the classes, which the detector learns to refuse.

Each kind is a function of a random generator, images of the classes, and their labels.
It returns as many float32 images (N, H, W, C) in [0, 1] as it is given.
"""

from collections.abc import Callable, Iterator

import numpy as np

from digits.calibration.characters import LETTERS, draw_characters
from digits.data.datasets import Dataset

Kind = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]


def make_nondigits(
    images: np.ndarray, labels: np.ndarray, kinds: dict[str, Kind], seed: int
) -> Iterator[np.ndarray]:
    """Make as many images of no class as there are `images`, in equal shares of all `kinds`.

    Args:
        images: float32 (N, H, W, C) in [0, 1], which some kinds are made from.
        labels: integers (N,).
        kinds: what `kinds_for` returned.
        seed: equal seeds, kinds and images give equal images.

    Yields:
        The images of each kind, float32 (n, H, W, C) in [0, 1], in parts as `np.array_split` makes them.
    """
    parts = np.array_split(np.arange(len(images)), len(kinds))
    for number, (kind, part) in enumerate(zip(kinds.values(), parts, strict=True)):
        random = np.random.Generator(np.random.PCG64([seed, number]))
        yield kind(random, images[part], labels[part])


def kinds_for(dataset: Dataset) -> dict[str, Kind]:
    """Return the kinds of images that are of none of the dataset's classes, by name.

    Where the classes are characters, light on dark, these are strokes, shapes, and printed letters, but none
    that is a class itself. Images of anything else may show shapes, letters, or halves that are exchanged,
    and still be of a class: what is refused then is noise, and what is made from images of several classes.
    """
    if not dataset.characters or dataset.ground == "any":
        return KINDS_OF_ANYTHING | ({"inverted": inverted} if dataset.ground == "dark" else {})
    own = "".join(dataset.classes).lower()
    letters = "".join(letter for letter in LETTERS if letter.lower() not in own)
    if letters == LETTERS:
        return KINDS
    kinds = {name: kind for name, kind in KINDS.items() if "letters" not in name}
    return kinds | ({"letters": printed(letters)} if letters else {})


def blank(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return images of one brightness, and gradients from one brightness to another."""
    count, height, width, channels = images.shape
    low, high = random.random((2, count, 1, 1, channels), np.float32)
    high = np.where(random.random((count, 1, 1, 1)) < 0.3, low, high)
    low[: count // 10] = high[: count // 10] = 0
    along = np.where(
        random.random((count, 1, 1, 1)) < 0.5,
        np.linspace(0, 1, height, dtype=np.float32)[None, :, None, None],
        np.linspace(0, 1, width, dtype=np.float32)[None, None, :, None],
    ).astype(np.float32)
    return np.asarray(low + (high - low) * along)


def uniform_noise(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return uniform noise from black to a random brightness."""
    return np.asarray(random.random(images.shape, np.float32) * _per_image(random, images, 0.1, 1))


def gaussian_noise(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return normally distributed noise around a grey, clipped at black and white."""
    noise = random.standard_normal(images.shape, np.float32) * _per_image(random, images, 0.05, 0.5)
    return np.asarray(np.clip(noise + _per_image(random, images, 0, 0.6), 0, 1))


def salt(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return black images with white pixels, few or many."""
    share = _per_image(random, images, 0.005, 0.5)
    return np.asarray((random.random(images.shape, np.float32) < share).astype(np.float32))


def clouds(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return coarse noise, smoothly enlarged and clipped: blots and shadows."""
    from PIL import Image

    height, width = images.shape[1:3]
    clouds = np.empty(images.shape, np.float32)
    for cloud in clouds:
        for channel in range(images.shape[-1]):
            coarse = random.integers(0, 256, (random.integers(2, 10), random.integers(2, 10)), np.uint8)
            picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)
            cloud[..., channel] = np.asarray(picture, np.float32) / 255
    cut = _per_image(random, images, 0, 0.7)
    return np.asarray(np.clip((clouds - cut) / (1 - cut) * _per_image(random, images, 1, 3), 0, 1))


def scribbles(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return pen strokes that cross themselves, in the frame of a character."""
    return _drawn(random, images, corners=(5, 13), filled=False)


def shapes(random: np.random.Generator, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return filled polygons, every other one with a texture, like clothes and tools."""
    drawn = _drawn(random, images, corners=(3, 9), filled=True)
    drawn[::2] *= clouds(random, drawn[::2], labels)
    return np.asarray(drawn * _per_image(random, images, 0.3, 1))


def stripes(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return stripes and checks of any width."""
    count, height, width, _channels = images.shape
    rows, columns = np.indices((height, width))
    periods = random.integers(2, 9, (2, count, 1, 1))
    horizontal, vertical = (rows % periods[0] < periods[0] / 2), (columns % periods[1] < periods[1] / 2)
    choice = random.integers(0, 3, (count, 1, 1))
    pattern = np.where(choice == 0, horizontal, np.where(choice == 1, vertical, horizontal ^ vertical))
    return np.asarray(pattern[..., None].astype(np.float32) * _per_image(random, images, 0.3, 1))


def printed(characters: str) -> Kind:
    """Return the kind of printed `characters`."""

    def letters(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
        drawn = draw_characters(random, len(images), images.shape[1:3], characters)
        return np.broadcast_to(drawn, images.shape).copy()

    return letters


def inverted(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return images dark on light, as when paper is mistaken for ink."""
    return np.asarray(np.float32(1) - images * _per_image(random, images, 0.4, 1))


def pieces(random: np.random.Generator, images: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return characters whose halves are exchanged: left and right, top and bottom, or both."""
    count, height, width, _channels = images.shape
    down, across = (random.integers(0, 2, count) * (length // 2) for length in (height, width))
    across = np.where((down == 0) & (across == 0), width // 2, across)
    rows = (np.arange(height) + down[:, None]) % height
    columns = (np.arange(width) + across[:, None]) % width
    return np.asarray(images[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]])


def mixtures(random: np.random.Generator, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return two characters of different classes: on top of each other, side by side, one above the other.

    They are a third each. Where they do not lie on top of each other, which often looks like one of the two,
    each is moved by a seventh of the image's side.
    """
    others = images[_of_another_class(random, labels)]
    top, beside, above = np.array_split(np.arange(len(images)), 3)
    parts = [np.maximum(images[top], others[top])]
    for part, axis in ((beside, 2), (above, 1)):
        by = images.shape[axis] // 7
        parts.append(np.maximum(_moved(images[part], -by, axis), _moved(others[part], by, axis)))
    return np.concatenate(parts)


def _moved(images: np.ndarray, by: int, axis: int) -> np.ndarray:
    """Move images by so many pixels along an axis; what moves in is black."""
    length = images.shape[axis]
    kept = np.take(images, range(max(0, -by), length - max(0, by)), axis)
    margins = [(0, 0)] * images.ndim
    margins[axis] = (max(0, by), max(0, -by))
    return np.pad(kept, margins)


def double_exposures(random: np.random.Generator, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean of two images of different classes."""
    return np.asarray((images + images[_of_another_class(random, labels)]) / np.float32(2))


def mosaics(random: np.random.Generator, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return half of an image beside half of one of another class, then all quarters exchanged crosswise."""
    _, height, width, _channels = images.shape
    joined = images.copy()
    joined[:, :, width // 2 :] = images[_of_another_class(random, labels), :, width // 2 :]
    return np.roll(joined, (height // 2, width // 2), axis=(1, 2))


def _of_another_class(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Draw for each of `labels` (N,) the place of one that differs, if there is any."""
    other = random.permutation(len(labels))
    for step in range(1, len(labels)):
        same = labels == labels[other]
        if not same.any():
            break
        other[same] = (other[same] + step) % len(labels)
    return np.asarray(other)


KINDS: dict[str, Kind] = {
    "blank": blank,
    "uniform noise": uniform_noise,
    "gaussian noise": gaussian_noise,
    "salt": salt,
    "clouds": clouds,
    "scribbles": scribbles,
    "shapes": shapes,
    "stripes": stripes,
    "letters": printed(LETTERS),
    "more letters": printed(LETTERS),
    "inverted": inverted,
    "pieces": pieces,
    "mixtures": mixtures,
}
"""What is no digit. The order and the number of these give each its random numbers."""

KINDS_OF_ANYTHING: dict[str, Kind] = {
    "blank": blank,
    "uniform noise": uniform_noise,
    "gaussian noise": gaussian_noise,
    "salt": salt,
    "clouds": clouds,
    "stripes": stripes,
    "double exposures": double_exposures,
    "mosaics": mosaics,
}
"""What is no image of whatever the classes are."""


def _per_image(random: np.random.Generator, images: np.ndarray, low: float, high: float) -> np.ndarray:
    """Draw a random number from `low` to `high` for each channel of each image, float32 (N, 1, 1, C)."""
    drawn = random.random((len(images), 1, 1, images.shape[-1]), np.float32)
    return np.asarray(np.float32(low) + drawn * np.float32(high - low))


def _drawn(
    random: np.random.Generator, images: np.ndarray, corners: tuple[int, int], filled: bool
) -> np.ndarray:
    """Draw lines or polygons through random corners, enlarged, and scale them down."""
    from PIL import Image, ImageDraw

    drawn = np.empty(images.shape, np.float32)
    height, width = images.shape[1:3]
    enlarged = 4
    for image in drawn:
        picture = Image.new("L", (enlarged * width, enlarged * height))
        count = int(random.integers(*corners))
        margin = enlarged * width // 7
        points = [
            (int(across), int(down))
            for across, down in zip(
                random.integers(margin, enlarged * width - margin, count),
                random.integers(margin, enlarged * height - margin, count),
                strict=True,
            )
        ]
        draw = ImageDraw.Draw(picture)
        if filled:
            draw.polygon(points, 255)
        else:
            draw.line(points, 255, int(random.integers(enlarged, 4 * enlarged)), "curve")
        smaller = picture.resize((width, height), Image.Resampling.BOX)
        image[:] = np.asarray(smaller, np.float32)[..., np.newaxis] / 255
    return drawn
