"""The pictures that the network which finds ink learns from."""

from dataclasses import replace

import numpy as np
import pytest

from digits.calibration.legibility import legible
from digits.composing.composer import compose
from digits.composing.grounds import MAKERS, SIDE
from digits.composing.shapes import FIELD, UNITS, ZERO, character_shapes, digit_shapes, thinned
from digits.composing.stock import FONTS, MARKS, Stock

# A bar of 4 by 20 pixels for a one, and a ring for a zero.
BAR, RING = np.zeros((2, 28, 28, 1), np.float32)
BAR[4:24, 12:16] = 1
RING[4:24, 6:22], RING[8:20, 10:18] = 1, 0


@pytest.fixture(scope="module")
def stock() -> Stock:
    return Stock.of("learn", np.stack([BAR, RING]), np.array([1, 0]), seed=0)


def test_a_field_is_the_distance_to_the_middle_line_and_to_the_outline() -> None:
    shapes = digit_shapes(BAR[np.newaxis], np.array([1]))
    line, outline = (
        (field[0][FIELD // 2].astype(int) - ZERO) / UNITS for field in (shapes.lines, shapes.outlines)
    )

    # The bar is 44 pixels high in a field, and so 8.8 wide.
    assert line.min() == 0
    assert 4 <= -outline.min() <= 5
    assert np.argmin(line) in np.flatnonzero(outline == outline.min()) + np.arange(-1, 2)[:, np.newaxis]
    assert 6 == pytest.approx(line[np.argmin(line) + 6])


def test_thinning_leaves_one_line_that_hangs_together() -> None:
    mask = np.zeros((1, 40, 40), bool)
    mask[0, 5:35, 15:22] = mask[0, 28:35, 15:35] = True

    thin = thinned(mask)[0]

    assert thin.sum(axis=1)[10:25].tolist() == [1] * 15
    assert 30 < thin.sum() < 60
    assert not (thin & ~mask[0]).any()


def test_a_blank_image_has_no_shape() -> None:
    shapes = digit_shapes(np.stack([BAR, BAR * 0]), np.array([1, 5]))

    assert [1] == shapes.labels.tolist()


def test_characters_stand_on_a_line_and_a_comma_stands_low() -> None:
    comma, seven = character_shapes(",7", FONTS["learn"][:1]).boxes

    assert comma[1] > seven[1] + 25
    assert comma[3] >= seven[3]


def test_a_number_gives_one_picture_and_another_another(stock: Stock) -> None:
    first, again, other = (compose(stock, 0, number) for number in (3, 3, 4))

    assert first.colours.tobytes() == again.colours.tobytes()
    assert first.shares.tobytes() == again.shares.tobytes()
    assert first.colours.tobytes() != other.colours.tobytes()
    assert ((SIDE, SIDE, 3), (SIDE, SIDE, 3)) == (first.colours.shape, first.shares.shape)


@pytest.mark.parametrize(("kind", "fewest", "most"), [("none", 0, 0), ("one", 0, 1), ("many", 0, 22)])
def test_a_kind_has_its_number_of_digits(kind, fewest, most, stock: Stock) -> None:
    pictures = [compose(stock, 1, number, kind) for number in range(30)]

    assert all(fewest <= len(picture.digits) <= most for picture in pictures)
    # A digit may be covered, or of the colour of its ground, but seldom is.
    inked = [bool((picture.shares[..., 0] > 127).any()) for picture in pictures]
    assert sum(inked) == 0 if kind == "none" else sum(inked) > 20


def test_the_ink_of_a_digit_is_where_the_picture_differs_from_its_ground(stock: Stock) -> None:
    # Of a hundred pictures, the ink of most stands out from what is beside it.
    differences = []
    for number in range(100):
        picture = compose(stock, 2, number, "one")
        ink = picture.shares[..., 0] > 200
        if ink.sum() > 50:
            colours = picture.colours.astype(int)
            differences.append(np.abs(colours[ink].mean(axis=0) - np.median(colours[~ink], axis=0)).max())

    assert np.median(differences) > 50


def test_parts_share_no_font_and_no_ground() -> None:
    for of_parts in (FONTS, MAKERS):
        every = [thing for things in of_parts.values() for thing in things]

        assert len(every) == len(set(every))


@pytest.mark.parametrize("part", MAKERS)
def test_a_ground_is_a_texture_about_0(part) -> None:
    for maker in MAKERS[part]:
        made = maker(np.random.Generator(np.random.PCG64(0)))

        assert ((SIDE, SIDE), np.float32) == (made.shape, made.dtype)
        assert np.abs(made).max() < 2


def test_letters_are_other_marks_and_not_the_ink_of_digits(stock: Stock) -> None:
    without_digits = replace(stock, handwritten=stock.letters, printed=stock.letters, written=stock.letters)
    pictures = [compose(without_digits, 0, number, "none") for number in range(20)]

    assert any((picture.shares[..., 1] > 127).any() for picture in pictures)
    assert not any((picture.shares[..., 0] > 127).any() for picture in pictures)


def test_the_core_of_a_digit_is_in_its_middle_and_half_as_long(stock: Stock) -> None:
    seen = 0
    for number in range(60):
        picture = compose(stock, 3, number, "one")
        ink, core = (picture.shares[..., place] > 127 for place in (0, 2))
        if not all(legible(picture)) or ink.sum() < 200:
            continue
        seen += 1
        axis = 0 if np.ptp(np.nonzero(ink)[1]) > np.ptp(np.nonzero(ink)[0]) else 1
        inked, cored = (np.flatnonzero(mask.any(axis=axis)) for mask in (ink, core))
        assert 0.3 * np.ptp(inked) <= np.ptp(cored) + 1 <= 0.7 * np.ptp(inked) + 3
        assert abs(np.mean(inked[[0, -1]]) - np.mean(cored[[0, -1]])) < 0.15 * np.ptp(inked) + 2

    assert seen > 20


def test_marks_are_found_by_their_characters(stock: Stock) -> None:
    slashes = stock.marks_of("/")

    assert len(slashes) == MARKS.count("/") * len(FONTS["learn"])
    assert {"/"} == {MARKS[stock.marks.labels[number]] for number in slashes}


def test_the_ink_of_a_digit_is_where_its_strokes_were_written(stock: Stock) -> None:
    cut = 0
    for number in range(150):
        picture = compose(stock, 5, number, "one")
        if not picture.digits:
            continue
        (digit,), (left, top, right, bottom) = picture.digits, picture.scene.seen
        cut += (left, top, right, bottom) != (0, 0, SIDE, SIDE)
        strokes = np.zeros((SIDE, SIDE), bool)
        strokes[digit.window] = digit.covered > 0.95
        seen = np.zeros((SIDE, SIDE), bool)
        seen[top:bottom, left:right] = True

        assert (picture.shares[strokes & seen, 0] > 127).all()
        assert not picture.shares[~seen].any()

    assert cut > 10
