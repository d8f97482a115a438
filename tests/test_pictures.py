import io
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from digits.decoding.reading import read_picture
from digits.errors import DigitsError

# Four rows of black, dark, light and white.
GREYS = np.repeat(np.array([0, 51, 204, 255], np.uint8)[:, np.newaxis], 6, axis=1)
LUMINANCE = (GREYS / 255).astype(np.float32)


def grey(source: object) -> np.ndarray:
    """Read a grey picture: float64 (H, W) from 0 to 1."""
    pixels = read_picture(source).pixels
    assert np.uint8 == pixels.dtype
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0] / 255


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(GREYS),
        Image.fromarray(GREYS).convert("P"),
        Image.fromarray(GREYS).convert("RGB"),
        Image.fromarray(GREYS).convert("RGBA"),
        Image.fromarray(GREYS).convert("LA"),
        Image.fromarray(GREYS).convert("CMYK"),
        Image.fromarray(GREYS).convert("I"),
        Image.fromarray(GREYS).convert("F"),
        Image.fromarray(GREYS.astype(np.uint16) * 257),
    ],
    ids=lambda image: image.mode,
)
def test_each_mode_of_pillow_shows_the_same_luminance(image):
    assert np.allclose(LUMINANCE, grey(image), atol=1.1 / 255)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_each_format_without_loss_shows_the_same_luminance(kind):
    options = {"lossless": True} if kind == "WEBP" else {}

    actual = grey(encoded(Image.fromarray(GREYS), kind, **options))

    assert np.allclose(LUMINANCE, actual, atol=1 / 255)


@pytest.mark.parametrize(
    "array",
    [
        GREYS,
        GREYS[..., np.newaxis],
        np.stack([GREYS] * 3, axis=-1),
        np.stack([GREYS] * 3 + [np.full_like(GREYS, 255)], axis=-1),
        GREYS.astype(np.int64),
        GREYS.astype(np.uint16) * 257,
        GREYS.astype(np.float64),
        GREYS / 255,
        (GREYS / 255).astype(np.float16),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_each_array_of_one_picture_shows_the_same_luminance(array):
    assert np.allclose(LUMINANCE, grey(array), atol=1e-3)


def test_bools_are_black_and_white():
    expected = np.repeat(np.float32([[0], [0], [1], [1]]), 6, axis=1)
    actual = grey(GREYS > 100)

    assert np.array_equal(expected, actual)


def test_colours_are_kept_and_weighed_as_the_eye_does_where_a_picture_may_have_mnist_s_form():
    colours = np.zeros((28, 28, 3), np.uint8)
    colours[0], colours[1], colours[2] = np.eye(3) * 255

    for source in (colours, colours / 255, Image.fromarray(colours)):
        actual = read_picture(source)

        assert np.array_equal(colours, actual.pixels)
        assert np.allclose([0.299, 0.587, 0.114, 0], actual.grey[:4, 0], atol=0.003)


@pytest.mark.parametrize(("ink", "ground"), [(0, 1), (255, 0)], ids=["dark", "white"])
def test_ink_on_nothing_is_shown_on_what_it_stands_out_from(ink, ground):
    pixels = np.zeros((9, 9, 4), np.uint8)
    pixels[3:6, 3:6] = [ink, ink, ink, 255]

    expected = np.full((9, 9), ground, np.float32)
    expected[3:6, 3:6] = ink / 255

    assert np.array_equal(expected, grey(pixels))
    assert np.array_equal(expected, grey(encoded(Image.fromarray(pixels), "PNG")))


def test_transparent_colour_of_a_palette_is_shown_white():
    image = Image.fromarray(GREYS).convert("P")

    actual = grey(encoded(image, "PNG", transparency=image.getpixel((0, 0))))

    assert np.allclose(1, actual[0])


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_that_the_camera_turned_is_read_upright(orientation, kind):
    # Even fields, which JPEG leaves as they are.
    upright = np.kron(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20, np.ones((16, 16), np.uint8))
    # How the sensor saw it: what undoes the turn that EXIF asks for.
    sensor = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation

    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(Image.fromarray(np.ascontiguousarray(sensor)), kind, exif=exif, **options)

    assert np.allclose(upright / 255, grey(content), atol=0.01)


def test_an_animation_is_read_at_its_first_frame():
    frames = [Image.fromarray(GREYS), Image.fromarray(GREYS[::-1].copy())]

    actual = read_picture(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))

    assert np.allclose(LUMINANCE, actual.pixels[..., 0] / 255, atol=1 / 255)
    assert "frame 1 of 2" == actual.note


@pytest.mark.parametrize(("kind", "name"), [("GIF", "frame"), ("TIFF", "page"), ("WEBP", "frame")])
def test_the_first_frame_that_is_not_blank_is_read_and_named(kind, name):
    blank, shown = Image.new("L", (12, 12), 255), Image.fromarray(np.tile(GREYS, (3, 2)))

    actual = read_picture(encoded(blank, kind, save_all=True, append_images=[shown, blank]))

    assert np.ptp(actual.pixels) > 200
    assert f"{name} 2 of 3" == actual.note
    assert "" == read_picture(shown).note


@pytest.mark.parametrize(
    "source",
    [
        Image.fromarray(np.tile(GREYS.astype(np.uint16) * 4, (3, 2))),
        Image.fromarray(np.tile(GREYS.astype(np.float32) * 257, (3, 2))),
        np.tile(GREYS.astype(np.uint16) * 4, (3, 2)),
        np.tile(GREYS, (3, 2)) / 255 * 0.1 + 0.45,
    ],
    ids=["16 bits of which 10 are used", "a float file up to 65535", "uint16", "floats from 0.45 to 0.55"],
)
def test_a_deep_picture_that_uses_a_part_of_its_range_is_read(source):
    assert np.allclose(np.tile(LUMINANCE, (3, 2)), grey(source), atol=1 / 255)


def test_a_heic_picture_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)

    with pytest.raises(DigitsError, match=r"HEIC .* install pillow-heif, or convert it"):
        read_picture(b"\0\0\0\x18ftypheic" + bytes(20))


def test_the_content_tells_the_format_not_the_ending(tmp_path):
    path = tmp_path / "picture.txt"
    path.write_bytes(encoded(Image.fromarray(GREYS), "PNG"))

    assert np.allclose(LUMINANCE, grey(str(path)), atol=1 / 255)


def test_a_large_picture_is_shrunk_and_remembers_by_how_much():
    image = Image.new("L", (4000, 3000), 255)
    image.paste(0, (2000, 0, 4000, 3000))

    for source in (image, np.asarray(image), encoded(image, "JPEG"), encoded(image.convert("RGB"), "PNG")):
        actual = read_picture(source)

        assert (actual.pixels.shape, actual.shrunk) == ((750, 1000, 3), 4)
        assert np.allclose([255, 0], actual.pixels[100, [499, 500], 0], atol=5)


def test_pillow_s_own_image_is_left_as_it_was():
    image = Image.fromarray(GREYS).convert("RGBA")
    before = image.tobytes()

    read_picture(image)

    assert (before, "RGBA") == (image.tobytes(), image.mode)


PNG = encoded(Image.fromarray(np.tile(GREYS, (20, 20))), "PNG")
BOMB = encoded(Image.new("1", (20000, 20000)), "PNG")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "empty"),
        (PNG[: len(PNG) // 2], "damaged"),
        (PNG[:20], "no picture"),
        (b"digits", "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture"),
        (BOMB, "pixels"),
        (encoded(Image.new("L", (1, 1)), "PNG"), "1 by 1 pixels"),
        (encoded(Image.new("L", (10000, 1)), "PNG"), "10000 by 1 pixels"),
        (Image.new("1", (10000, 10000)), "10000 by 10000 pixels"),
        (np.full((9, 9), np.nan), "not finite"),
        (np.full((9, 9), np.inf), "not finite"),
        (np.full((9, 9), -1), "from -1 to -1"),
        (np.full((9, 9), 256.5 * 4), "from 1026"),
        (np.full((9, 9), 70000), "from 70000"),
        (np.full((9, 9), 1.5), "expected 0 to 1, 0 to 255"),
        (np.full((9, 9), 15.9), "expected 0 to 1, 0 to 255"),
        (np.linspace(-0.02, 1, 81).reshape(9, 9), "expected 0 to 1, 0 to 255"),
        (np.full((9, 9), None), "object"),
        (np.full((9, 9), 1j), "complex"),
        (np.full((9, 9), "7"), "<U1"),
        (np.zeros(9), "(9,)"),
        (np.zeros(()), "()"),
        (np.zeros((9, 9, 2)), "(9, 9, 2)"),
        (np.zeros((2, 9, 9, 3)), "(2, 9, 9, 3)"),
        (np.zeros((0, 9)), "9 by 0 pixels"),
        ("missing.png", "missing.png: No such file"),
        ("a\0b", "no name of a file"),
        ("x" * 5000, "too long"),
        (7, "not of type int"),
        (None, "not of type NoneType"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(source, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DigitsError) as caught:
            read_picture(source)

    assert reason in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


def test_what_is_no_file_is_refused_in_one_line(tmp_path):
    loop, pipe, odd = tmp_path / "loop", tmp_path / "pipe", tmp_path / "two\nlines"
    loop.symlink_to(loop)
    os.mkfifo(pipe)

    for path, reason in [(tmp_path, "folder"), (loop, "symbolic"), (pipe, "regular"), (odd, "No such")]:
        with pytest.raises(DigitsError) as caught:
            read_picture(path)

        assert reason in str(caught.value)
        assert 1 == len(str(caught.value).splitlines())


def test_a_file_beyond_the_limit_is_refused(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(2**33)

    with pytest.raises(DigitsError, match="larger than 64 MiB"):
        read_picture(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(PNG)
    path.chmod(0)

    with pytest.raises(DigitsError, match="Permission denied"):
        read_picture(path)


def test_a_picture_of_64_megapixels_takes_less_than_600_mebibytes(tmp_path):
    path = tmp_path / "large.png"
    Image.new("RGBA", (8000, 8000), (9, 9, 9, 255)).save(path, compress_level=1)
    # The peak since the program began; `getrusage` would count that of the process which started it.
    program = (
        "import sys; from digits.decoding.reading import read_picture; read_picture(sys.argv[1]);"
        "print(*(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    root = Path(__file__).parent.parent

    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=root, capture_output=True, text=True, check=True
    )

    assert 600 > int(run.stdout) / 1024


@given(
    hnp.arrays(
        st.sampled_from([np.bool_, np.uint8, np.uint16, np.int32, np.float32, np.float64, np.complex64]),
        hnp.array_shapes(min_dims=1, max_dims=4, max_side=12),
    )
)
def test_any_array_is_read_into_its_range_or_refused(array):
    try:
        actual = read_picture(array)
    except DigitsError as error:
        assert 1 == len(str(error).splitlines())
    else:
        assert ((*array.shape[:2], 3), np.uint8) == (actual.pixels.shape, actual.pixels.dtype)


@given(st.data())
def test_any_damage_to_a_picture_is_read_or_refused(data):
    kind = data.draw(st.sampled_from(["PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG"]))
    content = bytearray(encoded(Image.fromarray(np.tile(GREYS, (4, 4))), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        actual = read_picture(bytes(content))
    except DigitsError as error:
        assert 1 == len(str(error).splitlines())
    else:
        assert actual.pixels.ndim == 3
