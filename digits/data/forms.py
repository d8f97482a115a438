"""The forms that images of a dataset can have, and how pictures are brought into them."""

from typing import Literal

LARGEST_SIDE = 4096
"""Pixels of an image's side, at most."""

MOST_CLASSES = 1000

Framing = Literal["mnist", "fit", "crop"]
"""By its ink, as MNIST's digits were; scaled to fit, and padded; or scaled to cover, and cropped."""

Ground = Literal["any", "dark"]
"""What images show their subject on. Where it is `dark`, a picture on lighter ground is inverted."""
