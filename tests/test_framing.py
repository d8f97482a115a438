import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from digits.data.preparation import scale
from digits.decoding.reading import read_picture
from digits.ink.look import SIDE, Box, View, around, covering, look, whole
from digits.pictures import framing
from digits.pictures.centring import centred, placed, scaled, stroke_width, thickened
from digits.pictures.framing import Framed, frame_mnist
from digits.pictures.segmentation import digits_in, in_reading_order
from tests.seeing import find_cores, find_ink


def page(width: int, height: int, *bars: tuple[int, int, int, int]) -> np.ndarray:
    """White paper with black bars, each (left, top, right, bottom)."""
    luminance = np.ones((height, width), np.float32)
    for left, top, right, bottom in bars:
        luminance[top:bottom, left:right] = 0
    return luminance


def frame_digit(picture: object) -> Framed:
    return framing.frame_digit(read_picture(picture), find_ink)


def frame_digits(picture: object) -> list[Framed]:
    return framing.frame_digits(read_picture(picture), find_ink).digits


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
    actual = frame_digit(pick(image))

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

    assert "look" in dict(frame_digit(image).steps)
    assert frame_mnist(frame_digit(image).image[np.newaxis])[0]


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
    assert np.allclose((40, 10, 58, 70), actual.box, atol=1)
    assert np.allclose(expected, actual.image, atol=0.2)


def test_the_box_is_in_pixels_of_the_picture_however_large():
    picture = Image.fromarray((page(4000, 3000, (1600, 400, 2000, 2400)) * 255).astype(np.uint8))

    assert np.allclose((1600, 400, 2000, 2400), frame_digit(picture).box, atol=8)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_blank_picture_has_no_ink(level):
    framed = frame_digit(np.full((60, 90), level, np.float32))

    assert framed.box is None
    assert not framed.image.any()
    assert [] == frame_digits(np.full((60, 90), level, np.float32))


def test_a_speck_is_no_part_of_the_digit():
    framed = frame_digit(page(300, 200, (140, 40, 160, 160), (20, 20, 23, 23)))

    assert np.allclose((140, 40, 160, 160), framed.box, atol=2)


def test_several_digits_are_read_in_lines_from_the_left():
    boxes = [(20, 22, 30, 62), (60, 20, 70, 60), (100, 25, 110, 65), (15, 90, 25, 130), (80, 88, 90, 128)]

    expected = boxes
    actual = [framed.box for framed in frame_digits(page(150, 150, *boxes[::-1]))]

    assert np.allclose(expected, actual, atol=2)


def test_the_steps_lead_from_the_picture_to_the_frame():
    framed = frame_digit(page(100, 80, (40, 10, 60, 70)))

    assert ["picture", "look", "ink", "digit", "framed"] == [name for name, _ in framed.steps]
    assert np.array_equal(framed.image, framed.steps[-1][1])


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
    st.sampled_from([lambda array: [frame_digit(array)], frame_digits]),
)
def test_any_picture_gives_images_that_a_network_can_read(array, frame):
    height, width = array.shape

    for framed in frame(array):
        assert ((28, 28), np.float32) == (framed.image.shape, framed.image.dtype)
        assert 0 <= framed.image.min() <= framed.image.max() <= 1
        if framed.box is not None:
            left, top, right, bottom = framed.box
            assert 0 <= left <= right <= width
            assert 0 <= top <= bottom <= height


@pytest.mark.parametrize("shape", [(3, 3), (3, 4000), (4000, 3), (8, 8), (3, 500_000)])
def test_extreme_shapes_are_framed_without_complaint(shape):
    picture = np.ones(shape, np.float32)
    picture[1, 1] = 0

    assert (28, 28) == frame_digit(picture).image.shape
    assert all((28, 28) == framed.image.shape for framed in frame_digits(picture))


def test_a_digit_that_is_small_in_its_picture_is_looked_at_closer():
    looks = []

    def find(seen):
        looks.append(seen[0])
        return find_cores(seen)

    framed = framing.frame_digit(read_picture(page(1000, 800, (700, 300, 710, 340))), find)

    assert np.allclose((700, 300, 710, 340), framed.box, atol=1)
    # 40 pixels fill 0.62 of the second look, from which the digit is framed, and 0.75 of that which follows.
    lengths = [np.ptp(np.flatnonzero((seen[..., 0] < 0.5).any(axis=1))) for seen in looks]
    assert [0.62 * SIDE, 0.75 * SIDE] == pytest.approx(lengths[1:], abs=15)


def test_a_digit_is_framed_from_two_looks_and_blank_where_the_second_does_not_show_it():
    seven = page(100, 80, (20, 10, 60, 18), (52, 18, 60, 90))
    clear = frame_digit(seven)

    first, second = clear.looks
    assert 0.9 < np.corrcoef(first.ravel(), second.ravel())[0, 1]

    def find_once(seen):
        find_once.count += 1
        return find_ink(seen) if find_once.count == 1 else find_ink(np.ones_like(seen))

    find_once.count = 0
    first, second = framing.frame_digit(read_picture(seven), find_once).looks
    assert first.any() and not second.any()


def test_an_image_of_mnist_is_the_only_look_at_it():
    image = np.pad(np.ones((20, 4), np.float32), ((4, 4), (12, 12)))

    assert [image.tolist()] == [look.tolist() for look in frame_digit(image).looks]


def test_a_digit_too_small_for_the_first_look_is_found_in_a_part_of_the_picture():
    picture = read_picture(page(1000, 800, (700, 300, 706, 320)))

    assert np.allclose((700, 300, 706, 320), framing.frame_digit(picture, find_cores).box, atol=1)


def test_two_digits_of_one_size_are_more_than_one():
    two, one = page(200, 100, (40, 20, 60, 80), (120, 20, 140, 80)), page(200, 100, (40, 20, 60, 80))

    assert "more than one digit" in frame_digit(two).reason
    assert "" == frame_digit(one).reason


def test_a_digit_that_touches_the_edge_and_a_tiny_one_say_what_may_be_the_cause():
    assert " (cut off at the edge)" == frame_digit(page(100, 100, (40, 60, 60, 100))).hint
    assert " (too small)" == frame_digit(page(100, 100, (40, 60, 43, 69))).hint
    assert "" == frame_digit(page(100, 100, (40, 20, 60, 80))).hint


def test_other_marks_are_left_out_and_told_with_their_boxes():
    colours = np.full((100, 300, 3), 255, np.uint8)
    for left in (40, 220):
        colours[20:80, left : left + 20] = 0
    colours[60:90, 130:150] = (255, 0, 0)

    row = framing.frame_digits(read_picture(colours), find_ink)

    assert np.allclose([(40, 20, 60, 80), (220, 20, 240, 80)], [digit.box for digit in row.digits], atol=2)
    assert 1 == len(row.other)
    assert np.allclose((130, 60, 150, 90), row.other[0], atol=2)
    assert 1 == row.certainty


@pytest.mark.parametrize(("height", "certainty"), [(60, 0.7), (20, 1)])
def test_a_row_is_as_certain_as_its_most_doubtful_mark_of_a_digit_s_size(height: int, certainty: float):
    def doubting(looks: np.ndarray) -> np.ndarray:
        answer = find_ink(looks)
        answer[..., 1] += np.float32(0.3) * answer[..., 2]
        answer[..., 2] *= np.float32(0.7)
        return answer

    colours = np.full((100, 300, 3), 255, np.uint8)
    for left in (40, 220):
        colours[20:80, left : left + 20] = 0
    colours[80 - height : 80, 130:150] = (255, 0, 0)

    row = framing.frame_digits(read_picture(colours), doubting)

    assert 2 == len(row.digits)
    assert certainty == pytest.approx(row.certainty, abs=1e-3)


def test_a_look_shows_its_part_of_the_picture_and_the_median_colour_beyond_it():
    pixels = np.zeros((56, 112, 3), np.uint8)
    pixels[:, :50] = 255

    seen = look(pixels, whole(pixels))

    # A row above, the middle, and a row below.
    assert [0, 0, 1, 0, 0] == [
        seen[0, 0, 0],
        seen[0, 90, 0],
        seen[56, 20, 0],
        seen[56, 90, 0],
        seen[-1, 0, 0],
    ]


def test_a_view_around_a_box_stays_inside_of_the_picture():
    pixels = np.zeros((100, 200, 3), np.uint8)

    assert View(0, 40, 60) == around((0, 80, 10, 100), 60, pixels)
    assert View(70, 10, 60) == around((90, 30, 110, 50), 60, pixels)
    assert View(50, -25, 150) == around((190, 0, 200, 10), 150, pixels)


def test_views_cover_a_picture_and_are_not_too_many():
    seen = np.zeros((300, 1000), bool)
    for view in covering(np.zeros((300, 1000, 3), np.uint8), 120):
        seen[
            round(view.top) : round(view.top + view.side), round(view.left) : round(view.left + view.side)
        ] = True

    assert seen.all()
    assert len(covering(np.zeros((3000, 10, 3), np.uint8), 24)) <= 64


def shares_of(bars: list[Box], cores: list[Box]) -> np.ndarray:
    """Return the shares of ink, of no other mark, and of cores in 100 by 200 pixels."""
    ink, core = (1 - page(200, 100, *boxes) for boxes in (bars, cores))
    return np.stack([ink, np.zeros_like(ink), core], axis=-1)


def boxes_of(bars: list[Box], cores: list[Box]) -> list[Box]:
    return [digit.box for digit in in_reading_order(digits_in(shares_of(bars, cores))[1])]


def test_parts_of_one_core_are_one_and_a_stroke_goes_on_behind_a_gap():
    bars = [(20, 10, 30, 40), (20, 42, 30, 70)]
    shares = shares_of(bars, [(22, 25, 28, 45), (22, 47, 28, 51)])

    assert [(20, 10, 30, 70)] == [digit.box for digit in digits_in(shares, reach=2)[1]]


@pytest.mark.parametrize(
    ("bars", "cores", "expected"),
    [
        ([(20, 10, 60, 16), (20, 20, 30, 70)], [(30, 25, 50, 55)], [(20, 10, 60, 70)]),
        (
            [(20, 10, 30, 70), (40, 10, 50, 70)],
            [(22, 25, 28, 55), (42, 25, 48, 55)],
            [(20, 10, 30, 70), (40, 10, 50, 70)],
        ),
        ([(20, 10, 80, 20)], [(30, 12, 40, 18), (60, 12, 70, 18)], [(20, 10, 50, 20), (50, 10, 80, 20)]),
        ([(20, 10, 30, 70), (100, 60, 104, 70)], [(22, 25, 28, 55)], [(20, 10, 30, 70)]),
        ([(20, 10, 30, 70), (40, 10, 50, 70)], [], [(20, 10, 30, 70), (40, 10, 50, 70)]),
    ],
    ids=["strokes about a core", "side by side", "touching", "too far from a core", "no core"],
)
def test_each_core_has_the_ink_that_is_nearest_to_it(bars, cores, expected):
    assert expected == boxes_of(bars, cores)


def test_faint_ink_is_found_and_faint_fog_beside_clear_ink_is_not():
    stroke, fog = (40, 20, 50, 80), (60, 20, 90, 80)
    faint, foggy = shares_of([stroke], [stroke]), shares_of([stroke], [stroke, fog])
    faint[20:80, 40:50, 0] = 0.3
    foggy[20:80, 60:90, 0] = 0.3

    assert [stroke] == [digit.box for digit in digits_in(faint)[1]]
    assert [stroke] == [digit.box for digit in digits_in(foggy)[1]]
    assert [] == digits_in(faint * 0.5)[1]
