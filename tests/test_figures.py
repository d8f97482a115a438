"""What the pictures show, whatever the results are."""

import itertools
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from digits.errors import DigitsError
from digits.figures.confusion import confusion_matrix_figure
from digits.figures.mistakes import mistakes_gallery
from digits.figures.reliability import reliability_diagram
from digits.figures.style import house_style, write_figure
from digits.figures.training import training_curves
from digits.files import Table

CLASSES = ("0", "1", "2")
HISTORY: Table = {
    "epoch": [1, 2, 3, 4],
    "loss": [0.25, 0.08, 0.06, 0.05],
    "accuracy": [0.92, 0.97, 0.98, 0.985],
    "val_loss": [3.2, 0.05, 0.03, 0.04],
    "val_accuracy": [0.17, 0.984, 0.9912, 0.99],
    "learning_rate": [0.001, 0.001, 0.001, 0.00005],
}


def texts(figure: Figure) -> list[str]:
    """Return every text in a figure, ticks included."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def gallery(mistakes: int) -> Figure:
    """Draw a gallery of 60 images, of which the first `mistakes` are taken for a 1, ever more surely."""
    actual = np.zeros(60, np.int64)
    predicted = np.where(np.arange(60) < mistakes, 1, 0)
    images = np.zeros((60, 28, 28, 1), np.float32)
    return mistakes_gallery(images, actual, predicted, np.linspace(0.5, 0.9, 60), CLASSES, ink=True)


def test_both_panels_name_their_curves_and_mark_the_epoch_of_lowest_validation_loss() -> None:
    written = texts(training_curves(HISTORY))

    assert ["best epoch 3: 99.12%", "best epoch 3: 0.0300"] == [line for line in written if "best" in line]
    assert (2, 2) == (written.count("training"), written.count("validation"))


def test_the_first_of_equally_good_epochs_is_the_best_as_early_stopping_has_it() -> None:
    history = {**HISTORY, "val_loss": [0.3, 0.03, 0.03, 0.03]}

    assert "best epoch 2: 98.40%" in texts(training_curves(history))


def test_no_epoch_is_cut_off_however_far_it_lies_from_the_others() -> None:
    figure = training_curves(HISTORY)

    for axes in figure.axes:
        bottom, top = axes.get_ylim()
        for line in axes.lines[-2:]:
            heights = np.asarray(line.get_ydata(), float)
            assert bottom < heights.min() <= heights.max() < top


@pytest.mark.parametrize(
    ("rates", "mark"),
    [
        ([0.001] * 7 + [0.00005], "learning rate 0.00005"),
        ([rate / 1000 for rate in range(8, 0, -1)], "learning rate 0.008 → 0.001"),
    ],
)
def test_a_learning_rate_is_marked_where_it_falls_or_in_one_line_if_it_falls_often(
    rates: list[float], mark: str
) -> None:
    history = {name: values * 2 for name, values in HISTORY.items()}
    written = texts(training_curves(history | {"epoch": [*range(1, 9)], "learning_rate": rates}))

    assert [mark] * 2 == [line for line in written if "rate" in line]


@pytest.mark.parametrize("length", [1, 2])
def test_a_training_of_one_epoch_or_two_has_curves(length: int, tmp_path: Path) -> None:
    figure = training_curves({name: values[:length] for name, values in HISTORY.items()})
    write_figure(tmp_path / "training.png", figure)

    assert not any("nan" in line for line in texts(figure))


def test_a_perfect_training_has_a_place_on_the_logarithmic_axes(tmp_path: Path) -> None:
    perfect: Table = {name: [0.0] for name in HISTORY} | {"epoch": [1], "accuracy": [1], "val_accuracy": [1]}
    figure = training_curves(perfect)
    write_figure(tmp_path / "training.png", figure)

    assert {"100%", "best epoch 1: 100.00%", "best epoch 1: 0.0000"} <= set(texts(figure))


def test_a_training_that_diverged_is_named_and_not_drawn() -> None:
    history = {**HISTORY, "loss": [0.25, float("nan"), float("nan"), float("nan")]}

    with pytest.raises(DigitsError, match="epoch 2: loss is nan; the training has diverged"):
        training_curves(history)


def test_the_confusion_matrix_shows_counts_errors_recalls_and_precisions() -> None:
    # Class 0: 3 of 4 are found. Class 1: 1 of 1, but predicted twice. Class 2: neither there nor predicted.
    figure = confusion_matrix_figure(np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 1]), CLASSES)
    written = texts(figure)
    at = {text.get_position(): text.get_text() for text in figure.axes[0].texts}

    # Columns, across, are the predicted classes; rows, down, the actual ones.
    assert ("3", "1", None, "1") == tuple(at.get(place) for place in ((0, 0), (1, 0), (0, 1), (1, 1)))
    assert "Confusion matrix: 1 error in 5 test images" in written
    assert {"actual", "predicted", "75.0%", "100.0%", "50.0%", "\N{EN DASH}"} <= set(written)
    assert not any("nan" in line for line in written)


def test_a_matrix_without_errors_has_text_on_its_diagonal_alone() -> None:
    labels = np.array([0, 0, 1, 2])

    written = texts(confusion_matrix_figure(labels, labels, ("cat", "dog", "emu")))

    assert ["2", "1", "1"] == [line for line in written if line.isdigit()]


def test_of_many_classes_the_most_confused_pairs_are_shown(tmp_path: Path) -> None:
    classes = tuple(f"class {number}" for number in range(200))
    # Of class 7 three of four are taken for class 9; one of class 3 for class 150; all others are right.
    actual = np.array([7, 7, 7, 7, 3, *range(200)])
    predicted = np.array([9, 9, 9, 7, 150, *range(200)])
    figure = confusion_matrix_figure(actual, predicted, classes)
    write_figure(tmp_path / "confusion.png", figure)
    written = texts(figure)

    assert "Most confused of 200 classes: 4 errors in 205 test images" in written
    assert ["class 7 → class 9", "class 3 → class 150"] == [
        line for line in written if line[-1:].isdigit() and "→" in line
    ]
    assert ["3 of 5", "1 of 2"] == [
        line for line in written if " of " in line and line[0].isdigit() and "→" not in line
    ]


def test_many_classes_without_an_error_have_a_picture_too(tmp_path: Path) -> None:
    labels = np.arange(21)
    figure = confusion_matrix_figure(labels, labels, tuple(f"class {label}" for label in labels))
    write_figure(tmp_path / "confusion.png", figure)

    assert "Most confused of 21 classes: 0 errors in 21 test images" in texts(figure)


@pytest.mark.parametrize("count", [2, 20])
def test_long_names_of_classes_do_not_run_into_each_other(count: int) -> None:
    classes = tuple(
        f"{number} a very long name of a class indeed, with more words" for number in range(count)
    )
    labels = np.arange(count)
    figure = confusion_matrix_figure(labels, labels, classes)
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    whole = figure.bbox
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        boxes = [tick.get_window_extent() for tick in ticks]
        assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))
        assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and box.y1 <= whole.y1 for box in boxes)


def test_names_below_the_gallerys_tiles_do_not_run_into_each_other() -> None:
    classes = ("an animal with a very long name", "another animal with a name")
    images = np.zeros((8, 96, 64, 3), np.float32)
    figure = mistakes_gallery(images, np.zeros(8, int), np.ones(8, int), np.full(8, 0.5), classes, ink=False)
    FigureCanvasAgg(figure).draw()
    boxes = [axes.texts[0].get_window_extent() for axes in figure.axes]

    assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))


@pytest.mark.parametrize(
    ("channels", "ink", "shown"), [(1, True, [0, 0, 0]), (1, False, [255, 255, 255]), (3, False, [255, 0, 0])]
)
def test_the_gallery_shows_ink_dark_light_light_and_colours_as_they_are(
    channels: int, ink: bool, shown: list[int]
) -> None:
    images = np.zeros((1, 8, 8, channels), np.float32)
    images[..., 0] = 1
    figure = mistakes_gallery(images, np.zeros(1, int), np.ones(1, int), np.full(1, 0.5), CLASSES, ink)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    box = figure.axes[0].get_window_extent()
    pixels = np.asarray(canvas.buffer_rgba())
    middle = pixels[len(pixels) - int(box.y0 + box.height / 2), int(box.x0 + box.width / 2)]

    assert shown == middle[:3].tolist()


def test_the_gallery_shows_the_most_confident_mistakes_first() -> None:
    figure = gallery(mistakes=30)
    written = texts(figure)
    # The confidence rises by 0.4 / 59 from image to image: image 29 has 0.5 + 29 * 0.4 / 59.
    shown = [line for line in written if "#" in line]

    assert "The 24 most confident of 30 mistakes in 60 test images" in written
    assert 24 == len(shown)
    assert ["69.66%  #29", "68.98%  #28"] == shown[:2]
    assert 24 == written.count("0 → 1")


def test_mistakes_of_equal_confidence_come_in_the_order_of_the_test_set() -> None:
    images = np.zeros((3, 28, 28, 1), np.float32)
    figure = mistakes_gallery(images, np.zeros(3, int), np.ones(3, int), np.full(3, 0.5), CLASSES, ink=True)

    assert ["50.00%  #0", "50.00%  #1", "50.00%  #2"] == [line for line in texts(figure) if "#" in line]


@pytest.mark.parametrize(
    ("mistakes", "title"),
    [
        (0, "No mistakes in 60 test images"),
        (1, "The one mistake in 60 test images"),
        (9, "All 9 mistakes in 60 test images"),
    ],
)
def test_a_gallery_of_few_mistakes_says_so(mistakes: int, title: str, tmp_path: Path) -> None:
    figure = gallery(mistakes)
    write_figure(tmp_path / "mistakes.png", figure)

    assert title in texts(figure)


def test_the_reliability_diagram_shows_the_error_and_counts_the_images_of_each_bin() -> None:
    # The bin of 0.6 has one of two right, that of 0.9 both: 1/2 * 0.1 + 1/2 * 0.1.
    # Before, all four were in the last bin, with three of them right.
    confidence, before = np.array([0.6, 0.6, 0.9, 0.9]), np.array([0.9, 0.9, 1, 1])
    figure = reliability_diagram(confidence, before, np.array([True, False, True, True]), bins=5)
    written = texts(figure)

    assert "Reliability: expected calibration error 0.1000 in 5 bins, before calibration 0.2000" in written
    assert any(line.startswith("mean confidence 75.00%, accuracy 75.00%") for line in written)
    assert ["2", "2"] == [line for line in written if line == "2"]


@pytest.mark.parametrize("bins", [1, 15, 100])
def test_empty_bins_leave_no_nan_in_the_reliability_diagram(bins: int, tmp_path: Path) -> None:
    figure = reliability_diagram(np.array([0.7]), np.array([0.8]), np.array([True]), bins)
    write_figure(tmp_path / "reliability.png", figure)

    assert not any("nan" in line for line in texts(figure))


def test_a_picture_is_just_below_1000_pixels_wide_and_names_no_software(tmp_path: Path) -> None:
    write_figure(tmp_path / "training.png", training_curves(HISTORY))

    with Image.open(tmp_path / "training.png") as picture:
        assert 994 == picture.width
        assert {"dpi"} == set(picture.info)


def test_drawing_leaves_the_settings_of_matplotlib_as_they_were() -> None:
    before = dict(matplotlib.rcParams)

    with house_style():
        assert 9.5 == matplotlib.rcParams["font.size"]

    assert before == dict(matplotlib.rcParams)
