"""What a recipe of params.yaml says: the network's name and all the numbers of its training."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from digits.errors import unknown_name
from digits.params import Section
from digits.training.networks import NETWORKS


def _known_network(name: str) -> str:
    if name not in NETWORKS:
        raise ValueError(unknown_name("network", name, list(NETWORKS)))
    return name


Share = Annotated[float, Field(ge=0, lt=1)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]


class Dropout(Section):
    """The share of units that training drops after a convolution block, and before the last layer."""

    convolution: Share
    dense: Share


class Augmentation(Section):
    """How far training changes each image each time that it sees it; what is 0 is left out.

    `shift` is in whole pixels, `rotation` in degrees, `scale` and `shear` are shares of the size,
    `elastic` is in pixels, by which each point of a grid of `elastic_spacing` pixels pulls the image along.
    """

    shift: int = Field(ge=0, le=14)
    rotation: float = Field(ge=0, le=45)
    scale: float = Field(ge=0, le=0.5)
    shear: float = Field(ge=0, le=1)
    elastic: float = Field(ge=0, le=14)
    elastic_spacing: float = Field(ge=1, le=28)


class Plateau(Section):
    """Where the validation loss stays up: lower the learning rate, then stop and keep the best weights.

    `patience` is how many epochs without a lower loss are waited for before the learning rate
    is multiplied by `factor`, `stopping_patience` how many before training stops.
    """

    kind: Literal["plateau"]
    patience: Epochs
    factor: float = Field(gt=0, lt=1)
    stopping_patience: Epochs


class OneCycle(Section):
    """Raise the learning rate for the share `warm_up` of all steps, then lower it; keep the last weights.

    It goes evenly from 0 to the recipe's learning rate, and from there to the share `final` of it.
    """

    kind: Literal["one_cycle"]
    warm_up: Share
    final: Share


class Recipe(Section):
    """A recipe under `recipes` of params.yaml."""

    network: Annotated[str, AfterValidator(_known_network)]
    widths: Annotated[list[Width], Field(min_length=2, max_length=100)]
    dropout: Dropout
    batch_norm_momentum: Share
    augmentation: Augmentation
    label_smoothing: Share
    epochs: Epochs
    batch_size: int = Field(ge=1, le=65_536)
    learning_rate: float = Field(gt=0, le=10)
    beta_2: Share
    schedule: Annotated[Plateau | OneCycle, Field(discriminator="kind")]


class TrainParams(Section):
    """The section `train` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
