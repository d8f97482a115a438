import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from digits.data.preparation import scale
from digits.pictures.background import contrast, flat_ground
from digits.pictures.centring import centred, placed, scaled, stroke_width, thickened
from digits.pictures.framing import frame_digit, frame_digits, is_mnist
from digits.pictures.ink import strength
from digits.pictures.reading import read_picture


def page(width: int, height: int, *bars: tuple[int, int, int, int]) -> np.ndarray:
    """White paper with black bars, each (left, top, right, bottom)."""
    luminance = np.ones((height, width), np.float32)
    for left, top, right, bottom in bars:
        luminance[top:bottom, left:right] = 0
    return luminance


def mnist_like() -> np.ndarray:
    """A bar of 20 by 4 pixels in the middle of 28 by 28, with each value there is."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:16] = 255
    image[10:18, 12:16] = np.arange(32).reshape(8, 4)[:, ::-1] + 200
    return image


@pytest.mark.parametrize("pick", [lambda a: a, lambda a: a / 255, lambda a: a.astype(float), Image.fromarray])
def test_a_picture_in_mnist_s_form_passes_bit_for_bit(pick):
    image = mnist_like()

    expected = scale(image[np.newaxis])[0, ..., 0]
    actual = frame_digit(read_picture(pick(image)))

    assert expected.tobytes() == actual.image.tobytes()
    assert (12, 4, 16, 24) == actual.box


@pytest.mark.parametrize(
    "change",
    [
        lambda image: np.roll(image, 4, axis=1),
        lambda image: 255 - image,
        lambda image: image[4:24],
        lambda image: image // 2,
    ],
    ids=["off the middle", "dark on light", "20 by 28", "dim"],
)
def test_what_is_not_quite_mnist_s_form_is_framed(change):
    image = np.ascontiguousarray(change(mnist_like()))

    assert not is_mnist(read_picture(image))
    assert is_mnist(frame_digit(read_picture(image)).image)


def test_light_on_dark_is_framed_as_dark_on_light():
    dark = page(100, 80, (40, 10, 60, 70))

    expected = frame_digit(dark)
    actual = frame_digit(1 - dark)

    assert expected.box == actual.box
    assert np.array_equal(expected.image, actual.image)


def test_a_bar_becomes_20_pixels_long_in_the_middle():
    # 60 pixels long and 18 wide: a third of it is 20 by 6.
    actual = frame_digit(page(100, 80, (40, 10, 58, 70)))

    expected = np.zeros((28, 28), np.float32)
    expected[4:24, 11:17] = 1
    assert (40, 10, 58, 70) == actual.box
    assert np.allclose(expected, actual.image, atol=0.2)


def test_the_box_is_in_pixels_of_the_picture_however_large():
    picture = Image.fromarray((page(4000, 3000, (1600, 400, 2000, 2400)) * 255).astype(np.uint8))

    assert np.allclose((1600, 400, 2000, 2400), frame_digit(read_picture(picture)).box, atol=8)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_blank_picture_has_no_ink(level):
    framed = frame_digit(np.full((60, 90), level, np.float32))

    assert framed.box is None
    assert not framed.image.any()
    assert [] == frame_digits(np.full((60, 90), level, np.float32))


def test_noise_has_no_ink():
    noise = np.random.default_rng(0).normal(0.5, 0.1, (200, 300)).clip(0, 1).astype(np.float32)

    assert frame_digit(noise).box is None


def test_light_that_falls_off_is_no_ink():
    across = np.linspace(0.4, 0.95, 300, dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 0.01, (200, 300)).astype(np.float32)

    assert frame_digit(across + noise).box is None


def test_ink_is_found_where_light_falls_off():
    light = np.linspace(0.4, 0.95, 300, dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 0.01, (200, 300)).astype(np.float32)
    # The ink in the light is lighter than the paper in the dark.
    shown = light * (1 - 0.5 * (1 - page(300, 200, (180, 50, 200, 150)))) + noise

    assert np.allclose((180, 50, 200, 150), frame_digit(shown).box, atol=1)


def test_a_ruled_line_is_no_ink_but_where_a_stroke_crosses_it():
    ruled = page(300, 200, (140, 40, 160, 160), (0, 100, 300, 102))

    framed = frame_digit(ruled)

    assert np.allclose((140, 40, 160, 160), framed.box, atol=3)
    assert framed.image[14, 14] > 0.9


def test_a_speck_is_no_part_of_the_digit():
    assert (140, 40, 160, 160) == frame_digit(page(300, 200, (140, 40, 160, 160), (20, 20, 23, 23))).box


def test_a_stroke_that_hangs_apart_is_part_of_the_digit():
    hat = page(300, 200, (120, 60, 140, 160), (120, 40, 180, 52))

    assert (120, 40, 180, 160) == frame_digit(hat).box
    assert [(120, 40, 180, 160)] == [framed.box for framed in frame_digits(hat)]


def test_several_digits_are_read_in_lines_from_the_left():
    boxes = [(20, 22, 30, 62), (60, 20, 70, 60), (100, 25, 110, 65), (15, 90, 25, 130), (80, 88, 90, 128)]

    expected = boxes
    actual = [framed.box for framed in frame_digits(page(150, 150, *boxes[::-1]))]

    assert expected == actual


def test_the_steps_lead_from_the_picture_to_the_frame():
    framed = frame_digit(page(100, 80, (40, 10, 60, 70)))

    assert ["picture", "contrast", "ink", "digit", "framed"] == [name for name, _ in framed.steps]
    assert np.array_equal(framed.image, framed.steps[-1][1])


def test_the_ground_is_told_by_what_fills_the_border():
    assert flat_ground(page(20, 20, (5, 5, 10, 10))) is True
    assert flat_ground(1 - page(20, 20, (5, 5, 10, 10))) is False
    assert flat_ground(np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)) is None


def test_contrast_is_none_on_the_ground_and_full_on_the_ink():
    drawn = page(20, 20, (5, 5, 10, 10)) * 0.6 + 0.2

    expected = (1 - page(20, 20, (5, 5, 10, 10))) * 0.6
    assert np.allclose(expected, contrast(drawn), atol=1e-6)


def test_strength_is_1_on_ink_of_any_contrast():
    ink = 1 - page(20, 20, (5, 5, 10, 10))

    assert np.array_equal(ink, strength(0.1 * ink))
    assert not strength(0.02 * ink).any()


def test_a_bar_s_stroke_is_as_wide_as_the_bar():
    bar = np.ones((200, 20), np.float32)

    assert 20 == pytest.approx(stroke_width(bar), rel=0.15)


def test_a_thin_stroke_is_thickened_and_a_thick_one_is_not():
    thin, thick = np.ones((100, 2), np.float32), np.ones((100, 30), np.float32)

    assert 6 < thickened(thin).any(axis=0).sum() < 16
    assert thick is thickened(thick)


def test_the_longer_side_becomes_20_pixels_and_the_shorter_keeps_the_aspect():
    assert (20, 5) == scaled(np.ones((80, 20), np.float32)).shape
    assert (1, 20) == scaled(np.ones((1, 90), np.float32)).shape


def test_the_centre_of_mass_is_put_in_the_middle():
    digit = np.zeros((20, 20), np.float32)
    # Its mass is at pixel 3.5 of 20, which comes to pixel 13.5, but no further than the frame allows.
    digit[3:5, 3:5] = 1

    assert np.array_equal([12, 13], np.unique(np.nonzero(placed(digit[:10, :10]))[0]) - 1)
    assert np.array_equal([11, 12], np.unique(np.nonzero(placed(digit))[0]))


def test_pale_ink_becomes_full_ink():
    assert centred(np.full((40, 12), 0.5, np.float32)).max() == pytest.approx(1)


@settings(max_examples=60)
@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=70)),
    st.sampled_from([frame_digit, lambda luminance: frame_digits(luminance)]),
)
def test_any_picture_gives_images_that_a_network_can_read(array, frame):
    luminance = read_picture(array)
    height, width = array.shape

    for framed in np.atleast_1d(np.array(frame(luminance), dtype=object)):
        assert ((28, 28), np.float32) == (framed.image.shape, framed.image.dtype)
        assert 0 <= framed.image.min() <= framed.image.max() <= 1
        if framed.box is not None:
            left, top, right, bottom = framed.box
            assert 0 <= left <= right <= width
            assert 0 <= top <= bottom <= height


@pytest.mark.parametrize("shape", [(3, 3), (3, 4000), (4000, 3), (8, 8), (2, 500_000)])
def test_extreme_shapes_are_framed_without_complaint(shape):
    luminance = np.ones(shape, np.float32)
    luminance[1, 1] = 0

    assert (28, 28) == frame_digit(luminance).image.shape
    assert all((28, 28) == framed.image.shape for framed in frame_digits(luminance))
