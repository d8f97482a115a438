"""Reading a picture, whatever it is stored as, as the luminance that an eye sees."""

from __future__ import annotations

import io
import math
import stat
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from digits.errors import DigitsError
from digits.pictures import limits
from digits.pictures.luminance import Luminance, check_size, of_array, of_image, shrinking

LARGEST_FILE = 64 * 2**20
"""Bytes of an encoded picture; a 64-megapixel photograph takes about half of them."""

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")
"""What Pillow may try: formats of pictures. Others, such as EPS, start programs or hold documents."""

MOST_SCANS = 100
"""Scans of a JPEG; progressive ones have about ten, and each costs as much time as a whole picture."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture is turned upright, by the value of EXIF's Orientation."""

_quiet = threading.Lock()


def read_picture(source: str | Path | bytes | Image.Image | np.ndarray, name: str = "picture") -> Luminance:
    """Read a picture as what an eye sees of it: a file, its bytes, a Pillow image or an array.

    A file or its bytes are decoded in another process, within the limits of `digits.pictures.limits`.
    `name` is what messages call bytes or an image.

    Of an animation the first frame is read.
    A picture of more than `digits.pictures.luminance.WORKING_PIXELS` is made smaller by a whole factor,
    which the result remembers as `shrunk`.
    An array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), and bool, integer or float:
    0 to 1, 0 to 255 or 0 to 65535, told apart by its largest value.

    Returns:
        Float32 (H, W) in [0, 1], upright; what is transparent is shown on white,
        or on black where all that is visible is light.

    Raises:
        DigitsError: the file cannot be read, is no picture, or is beyond a limit; the array is none of these.
    """
    if isinstance(source, np.ndarray):
        return of_array(source, "array")
    if isinstance(source, Image.Image):
        return _decoded(source, name)
    if isinstance(source, bytes):
        return _opened(source, name)
    if isinstance(source, str | Path):
        name = printable(str(source))
        return _opened(_content(source, name), name)
    kind = type(source).__name__
    raise DigitsError(
        f"a picture is a path, bytes, a Pillow image or an array of one picture, not of type {kind}"
    )


def printable(name: str) -> str:
    """Write what would break the line of a message as an escape."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def _content(source: str | Path, name: str) -> bytes:
    """Read a file that is regular and not too large."""
    try:
        path = Path(source)
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DigitsError(f"{name}: a folder, expected a picture")
        if not stat.S_ISREG(status.st_mode):
            raise DigitsError(f"{name}: not a regular file")
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise DigitsError(f"{name}: {error.strerror or error}") from error
    except ValueError as error:
        raise DigitsError(f"{name!r}: no name of a file ({error})") from error


def _opened(content: bytes, name: str) -> Luminance:
    """Open an encoded picture; its size is checked before it is decoded."""
    if not content:
        raise DigitsError(f"{name}: empty, expected a picture")
    if len(content) > LARGEST_FILE:
        raise DigitsError(f"{name}: larger than {LARGEST_FILE // 2**20} MiB, the most that is read")
    if limits.elsewhere():
        decoded: Luminance = limits.decode(content, name)
        return decoded
    _check_scans(content, name)
    try:
        # Pillow warns of much that is no concern of the user's, and of large pictures, refused below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise DigitsError(f"{name}: more pixels than are read ({_reason(error)})") from error
    except MemoryError as error:
        raise DigitsError(f"{name}: {limits.TOO_MUCH_MEMORY}") from error
    except Exception as error:
        # Pillow's parsers raise whatever they stumble over: SyntaxError, struct.error, KeyError, …
        known = ", ".join(FORMATS)
        raise DigitsError(f"{name}: no picture that can be read; allowed: {known}") from error
    with image:
        return _decoded(image, name)


def _check_scans(content: bytes, name: str) -> None:
    scans = content.count(b"\xff\xda") if content.startswith(b"\xff\xd8") else 0
    if scans > MOST_SCANS:
        raise DigitsError(f"{name}: a JPEG of {scans} scans; at most {MOST_SCANS} are read")


def _decoded(image: Image.Image, name: str) -> Luminance:
    """Decode an opened image: no larger than needed, upright."""
    check_size(image.width, image.height, name)
    factor = shrinking(image.width, image.height)
    width = image.width
    try:
        orientation = _orientation(image)
        if image.format in ("JPEG", "MPO") and factor > 1:
            image.draft(None, (image.width // factor, image.height // factor))
        drafted = round(width / image.width)
        seen = of_image(image, math.ceil(factor / drafted), name)
    except DigitsError:
        raise
    except MemoryError as error:
        raise DigitsError(f"{name}: {limits.TOO_MUCH_MEMORY}") from error
    except Exception as error:
        raise DigitsError(f"{name}: damaged, or of a kind that cannot be read ({_reason(error)})") from error
    turned = _turned(seen, TURNS[orientation]) if orientation in TURNS else seen
    return Luminance.of(turned, seen.shrunk * drafted)


def _orientation(image: Image.Image) -> Any:
    """Look up how the camera was held; where that cannot be read, it was held upright."""
    try:
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return None


def _turned(seen: np.ndarray, turn: Image.Transpose) -> np.ndarray:
    """Turn an array as Pillow turns an image."""
    return np.array(Image.fromarray(np.asarray(seen)).transpose(turn))


def _reason(error: Exception) -> str:
    """Give the first line of what Pillow said, or the name of what it raised."""
    return (str(error).splitlines() or [type(error).__name__])[0]
