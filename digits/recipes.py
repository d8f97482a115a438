"""What a recipe of params.yaml says: the network's name and all the numbers of its training."""

from typing import Annotated

from pydantic import AfterValidator, Field

from digits.errors import unknown_name
from digits.networks import NETWORKS
from digits.params import Section


def _known_network(name: str) -> str:
    if name not in NETWORKS:
        raise ValueError(unknown_name("network", name, list(NETWORKS)))
    return name


Share = Annotated[float, Field(ge=0, lt=1)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]


class Dropout(Section):
    """The share of units that training drops after a convolution block, and before the last layer."""

    convolution: Share
    dense: Share


class EarlyStopping(Section):
    """Stop once `patience` epochs have not lowered the validation loss, and keep the best weights."""

    patience: Epochs


class Plateau(Section):
    """Multiply the learning rate by `factor` once `patience` epochs have not lowered the validation loss."""

    patience: Epochs
    factor: float = Field(gt=0, lt=1)


class Recipe(Section):
    """A recipe under `recipes` of params.yaml."""

    network: Annotated[str, AfterValidator(_known_network)]
    dropout: Dropout
    batch_norm_momentum: Share
    shift: int = Field(ge=0, le=14)
    epochs: Epochs
    batch_size: int = Field(ge=1, le=65_536)
    learning_rate: float = Field(gt=0, le=10)
    early_stopping: EarlyStopping
    plateau: Plateau


class TrainParams(Section):
    """The section `train` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
