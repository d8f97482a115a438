"""A network has the layers that its recipe's widths ask for."""

import math
from typing import Any

import pytest

from digits.errors import DigitsError
from digits.params import Params
from digits.training.networks import NETWORKS, build, stride_of
from digits.training.recipes import Recipe
from tests.pipeline import REPOSITORY

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]


def recipe(name: str, **changes: Any) -> Recipe:
    own = Params(REPOSITORY / "params.yaml").section(f"recipes.{name}", Recipe)
    return own.model_copy(update=changes)


def test_the_network_article_has_as_many_parameters_as_the_tutorials() -> None:
    assert 225_930 == build((28, 28, 1), 10, recipe("article")).count_params()


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_width_is_that_of_a_layer_in_its_order(name: str) -> None:
    model = build((28, 28, 1), 7, recipe("article", network=name, widths=[3, 5, 4]))
    widths = [layer.filters for layer in model.layers if hasattr(layer, "filters")]
    widths += [layer.units for layer in model.layers if hasattr(layer, "units")]

    assert [3, 5, 4, 7] == widths
    assert (None, 7) == model.output_shape


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize(
    ("shape", "classes"), [((8, 8, 1), 10), ((28, 28, 1), 2), ((96, 64, 3), 30), ((128, 128, 3), 1000)]
)
def test_a_network_fits_images_of_any_size_and_any_number_of_classes(
    name: str, shape: tuple[int, int, int], classes: int
) -> None:
    model = build(shape, classes, recipe(name))

    assert (None, *shape) == model.input_shape
    assert (None, classes) == model.output_shape


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_large_images_cost_far_less_than_their_area(name: str) -> None:
    """They have 21 times the pixels, and three channels."""
    small, large = (products(build(shape, 10, recipe(name))) for shape in ((28, 28, 3), (128, 128, 3)))

    assert large < 4 * small


def products(model: Any) -> int:
    """Return the multiplications that the convolutions need for an image."""
    return sum(
        math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:3])
        for layer in model.layers
        if hasattr(layer, "kernel_size")
    )


@pytest.mark.parametrize(
    ("shape", "stride"),
    [
        ((28, 28, 1), 1),
        ((40, 40, 1), 1),
        ((41, 40, 1), 2),
        ((64, 64, 3), 2),
        ((96, 64, 3), 2),
        ((128, 128, 3), 4),
    ],
)
def test_the_first_convolution_leaves_at_most_1600_positions(
    shape: tuple[int, int, int], stride: int
) -> None:
    assert stride == stride_of(shape)
    assert math.ceil(shape[0] / stride) * math.ceil(shape[1] / stride) <= 1600


@pytest.mark.parametrize("name", ["accurate", "article", "fast"])
def test_images_too_small_for_so_many_layers_are_a_problem_said_in_a_line(name: str) -> None:
    with pytest.raises(DigitsError) as caught:
        build((20, 22, 1), 10, recipe("article", network=name, widths=[8] * 12))

    expected = f"the network {name!r} with 12 widths does not fit images of 20 by 22 pixels; give fewer"
    assert expected == str(caught.value)
