"""A recipe of params.yaml: the network's name and all the numbers of its training."""

from typing import Annotated, Literal

from pydantic import Field

from digits.params import Section

Share = Annotated[float, Field(ge=0, lt=1)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]


class Dropout(Section):
    """The share of units that training drops after a convolution block, and before the last layer."""

    convolution: Share
    dense: Share


class Augmentation(Section):
    """How far training changes an image each time it is used; 0 switches a change off.

    `shift` is in whole pixels and `rotation` in degrees; `scale` and `shear` are shares of the size.
    `elastic` is the largest displacement, in pixels, of the points of a grid of `elastic_spacing` pixels.
    `flip` is the share of images that are mirrored, left for right.
    `brightness` is a share of the range from black to white, `contrast` one of the distance to its middle.
    """

    shift: int = Field(ge=0, le=14)
    rotation: float = Field(ge=0, le=45)
    scale: float = Field(ge=0, le=0.5)
    shear: float = Field(ge=0, le=1)
    elastic: float = Field(ge=0, le=14)
    elastic_spacing: float = Field(ge=1, le=28)
    flip: float = Field(ge=0, le=1)
    brightness: float = Field(ge=0, le=1)
    contrast: float = Field(ge=0, le=1)


class Plateau(Section):
    """Follow the validation loss: lower the learning rate, then stop and keep the best weights.

    After `patience` epochs without a lower loss the learning rate is multiplied by `factor`;
    after `stopping_patience` such epochs training stops.
    """

    kind: Literal["plateau"]
    patience: Epochs
    factor: float = Field(gt=0, lt=1)
    stopping_patience: Epochs


class OneCycle(Section):
    """Raise the learning rate for the share `warm_up` of all steps, then lower it; keep the last weights.

    It rises linearly from 0 to the recipe's learning rate, and falls linearly to the share `final` of it.
    """

    kind: Literal["one_cycle"]
    warm_up: Share
    final: Share


class Recipe(Section):
    """A recipe under `recipes` of params.yaml."""

    network: Literal["accurate", "article", "fast", "general"]  # the keys of `networks.NETWORKS`
    widths: Annotated[list[Width], Field(min_length=2, max_length=100)]
    dropout: Dropout
    batch_norm_momentum: Share
    augmentation: Augmentation
    label_smoothing: Share
    class_weights: float = Field(ge=0, le=1)
    epochs: Epochs
    batch_size: int = Field(ge=1, le=65_536)
    learning_rate: float = Field(gt=0, le=10)
    beta_2: Share
    schedule: Annotated[Plateau | OneCycle, Field(discriminator="kind")]

    def without_flips(self) -> "Recipe":
        """Return the recipe for images of which a mirrored one may be of another class."""
        return self.model_copy(update={"augmentation": self.augmentation.model_copy(update={"flip": 0})})


class TrainParams(Section):
    """The section `train` of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
