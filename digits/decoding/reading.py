"""Reading a picture, whatever it is stored as, in colour, upright, and at a size to work with."""

from __future__ import annotations

import io
import math
import stat
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from digits.decoding import limits
from digits.decoding.colours import check_size, of_array, of_image, shrinking
from digits.errors import DigitsError
from digits.pictures.look import Picture

LARGEST_FILE = 64 * 2**20
"""Bytes of an encoded picture; a 64-megapixel photograph takes about half of them."""

FORMATS = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF"]
"""What Pillow may try: formats of pictures. Others, such as EPS, start programs or hold documents."""

MOST_SCANS = 100
"""Scans of a JPEG; progressive ones have about ten, and each costs as much time as a whole picture."""

HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
"""What stands behind `ftyp` in the header of a HEIC file."""

MOST_FRAMES = 50
"""Frames of an animation, or pages, that are searched for one that is not blank."""

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


def read_picture(source: str | Path | bytes | Image.Image | np.ndarray, name: str = "picture") -> Picture:
    """Read a picture: a file, its bytes, a Pillow image or an array.

    A file or its bytes are decoded in another process, within the limits of `digits.decoding.limits`.
    `name` is what messages call bytes or an image.

    Of an animation, or of several pages, the first is read that is not blank; `note` says which.
    A picture of more than `digits.decoding.colours.WORKING_PIXELS` is made smaller by a whole factor,
    which the result remembers as `shrunk`.
    An array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), and bool, integer or float:
    0 to 1, 0 to 255 or, for integers, 0 to 65535, told apart by its largest value.

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
        return _opened(read_content(source, name), name)
    kind = type(source).__name__
    raise DigitsError(
        f"a picture is a path, bytes, a Pillow image or an array of one picture, not of type {kind}"
    )


def printable(name: str) -> str:
    """Write what would break the line of a message as an escape."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def read_content(source: str | Path, name: str) -> bytes:
    """Read a file that is regular, up to one byte more than a picture may have.

    Raises:
        DigitsError: it cannot be read.
    """
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


def _opened(content: bytes, name: str) -> Picture:
    """Open an encoded picture; its size is checked before it is decoded."""
    if not content:
        raise DigitsError(f"{name}: empty, expected a picture")
    if len(content) > LARGEST_FILE:
        raise DigitsError(f"{name}: larger than {LARGEST_FILE // 2**20} MiB, the most that is read")
    if limits.elsewhere():
        decoded: Picture = limits.decode(content, name)
        return decoded
    _check_scans(content, name)
    is_heic = content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS
    if is_heic:
        _register_heic(name)
    try:
        # Pillow warns of much that is no concern of the user's, and of large pictures, refused below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=["HEIF"] if is_heic else FORMATS)
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


def _register_heic(name: str) -> None:
    """Let Pillow read HEIC, if the library for it is installed."""
    try:
        import pillow_heif
    except ImportError:
        way = "install pillow-heif, or convert it: `heif-convert IN.heic OUT.jpg`, or export it as JPEG"
        raise DigitsError(f"{name}: a HEIC picture; to read it, {way}") from None
    pillow_heif.register_heif_opener()


def _decoded(image: Image.Image, name: str) -> Picture:
    """Decode an opened image: no larger than needed, upright, its first frame that shows anything."""
    check_size(image.width, image.height, name)
    try:
        # A JPEG of several pictures (MPO) has the same picture again.
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        if frames == 1:
            return _frame(image, name)
        for number in range(min(frames, MOST_FRAMES)):
            image.seek(number)
            picture = _frame(image, name)
            if not _is_blank(picture) or number == frames - 1:
                break
        kind = "page" if image.format == "TIFF" else "frame"
        return replace(picture, note=f"{kind} {number + 1} of {frames}")
    except DigitsError:
        raise
    except MemoryError as error:
        raise DigitsError(f"{name}: {limits.TOO_MUCH_MEMORY}") from error
    except Exception as error:
        raise DigitsError(f"{name}: damaged, or of a kind that cannot be read ({_reason(error)})") from error


def _frame(image: Image.Image, name: str) -> Picture:
    """Decode the current frame of an image."""
    check_size(image.width, image.height, name)
    factor = shrinking(image.width, image.height)
    width, size = image.width, image.size
    if image.format in ("JPEG", "MPO") and factor > 1:
        image.draft(None, (image.width // factor, image.height // factor))
    drafted = round(width / image.width)
    image.load()
    # After loading: Pillow turns a TIFF itself while it loads it.
    orientation = _orientation(image)
    picture = of_image(image, math.ceil(factor / drafted), name)
    if orientation in TURNS:
        picture = _turned(picture, TURNS[orientation])
    return replace(picture, shrunk=picture.shrunk * drafted, size=size, mode=image.mode)


def _is_blank(picture: Picture) -> bool:
    """Tell whether a picture has one colour only."""
    return bool((picture.pixels == picture.pixels[0, 0]).all())


def _orientation(image: Image.Image) -> Any:
    """Look up how the camera was held; where that cannot be read, it was held upright."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return None


def _turned(picture: Picture, turn: Image.Transpose) -> Picture:
    """Turn a picture as Pillow turns an image."""
    pixels = np.array(Image.fromarray(picture.pixels).transpose(turn))
    grey = picture.grey
    return replace(
        picture, pixels=pixels, grey=grey if grey is None else np.array(Image.fromarray(grey).transpose(turn))
    )


def _reason(error: Exception) -> str:
    """Return the first line of what Pillow said, or the name of what it raised."""
    return (str(error).splitlines() or [type(error).__name__])[0]
