"""A network has the layers that its recipe's widths ask for."""

from typing import Any

import pytest

from digits.errors import DigitsError
from digits.params import Params
from digits.training.networks import NETWORKS, build
from digits.training.recipes import Recipe
from tests.pipeline import REPOSITORY

pytestmark = [pytest.mark.xdist_group("tensorflow"), pytest.mark.usefixtures("tensorflow_started")]


def recipe(name: str, **changes: Any) -> Recipe:
    own = Params(REPOSITORY / "params.yaml").section(f"recipes.{name}", Recipe)
    return own.model_copy(update=changes)


def test_the_articles_network_has_the_articles_parameters() -> None:
    assert 225_930 == build((28, 28, 1), 10, recipe("article")).count_params()


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_width_is_that_of_a_layer_in_its_order(name: str) -> None:
    model = build((28, 28, 1), 7, recipe("article", network=name, widths=[3, 5, 4]))
    found = [layer.filters for layer in model.layers if hasattr(layer, "filters")]
    found += [layer.units for layer in model.layers if hasattr(layer, "units")]

    assert [3, 5, 4, 7] == found
    assert (None, 7) == model.output_shape


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_images_too_small_for_so_many_layers_are_a_problem_said_in_a_line(name: str) -> None:
    with pytest.raises(DigitsError) as caught:
        build((12, 14, 1), 10, recipe("article", network=name, widths=[8] * 8))

    expected = f"the network {name!r} with 8 widths does not fit images of 12 by 14 pixels; give fewer"
    assert expected == str(caught.value)
