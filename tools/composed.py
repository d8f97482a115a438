"""Write docs/composed.png: pictures that the network which finds ink learns from, and the ink in them.

Usage: python -m tools.composed, after `dvc repro prepare`
"""

from pathlib import Path

import numpy as np
from PIL import Image

from digits.composing.composer import compose
from digits.composing.stock import ComposeParams, stock_of
from digits.files import read_arrays, whole_file
from digits.params import Params

ROWS, COLUMNS, GAP = 5, 8, 6


def main() -> None:
    """Write the picture."""
    params = Params().section("compose", ComposeParams)
    names = ("images", "labels")
    training, validation = (
        read_arrays(Path(f"data/prepared/{part}.npz"), names) for part in ("train", "validation")
    )
    stock = stock_of("learn", training, validation, params.model_copy(update={"digits": 500}))
    rows = []
    for row in range(ROWS):
        pictures = [compose(stock, 1, row * COLUMNS + column) for column in range(COLUMNS)]
        shares = [picture.shares.astype(np.float32) / 255 for picture in pictures]
        inks = [_ink(share) for share in shares]
        rows += [_beside([picture.colours for picture in pictures]), _beside(inks)]
    with whole_file(Path("docs/composed.png")) as partial:
        Image.fromarray(np.concatenate(rows)).quantize(128).save(partial, optimize=True)


def _ink(shares: np.ndarray) -> np.ndarray:
    """Show digits white, other marks grey and the cores of digits blue."""
    grey = shares[..., :1] + np.float32(0.4) * shares[..., 1:2]
    levels = np.maximum(grey, shares[..., 2:] * np.array([0.1, 0.3, 0.8], np.float32))
    return np.asarray(np.rint(255 * levels).clip(0, 255))


def _beside(tiles: list[np.ndarray]) -> np.ndarray:
    """Put tiles (h, w, 1 or 3) beside each other, with white gaps around them."""
    padded = [
        np.pad(np.broadcast_to(tile, (*tile.shape[:2], 3)), ((0, GAP), (0, GAP), (0, 0)), constant_values=255)
        for tile in tiles
    ]
    return np.concatenate(padded, axis=1).astype(np.uint8)


if __name__ == "__main__":
    main()
