"""How many pictures unlike MNIST are read rightly, beside the usual way: resized, divided by 255.

`python -m benchmarks.unseen [--photographs N] [--half tune|report] [--model PATH]` prints a Markdown table.
Pictures with an even index may be used for tuning; the table is of those with an odd one.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import scenes
from digits.backend import runtime
from digits.decoding.reading import read_picture
from digits.ink.finding import with_tensorflow
from digits.ink.network import read_weights
from digits.params import Params
from digits.pictures.framing import frame_digit

SEED = 0
HALVES = {"tune": 0, "report": 1}


def resized(image: Image.Image) -> np.ndarray:
    """Resize a picture to 28 by 28 grey pixels and divide by 255, whatever it shows."""
    return np.asarray(image.convert("L").resize((28, 28)), np.float32) / 255


def unseen(photographs: int, half: int) -> tuple[dict[str, list[tuple[Image.Image, int]]], list[str]]:
    """Return the sets by name, each a list of pictures and digits, and the names of the fonts."""
    sets = defaultdict(list)
    with np.load("data/arrays/mnist.npz") as raw:
        images, labels = raw["x_test"], raw["y_test"]
    random = np.random.default_rng(SEED)
    for index in random.permutation(len(images))[:photographs]:
        sets["photographs of MNIST's test digits"].append(
            (scenes.photograph(images[index], random), int(labels[index]))
        )
    for image, label in zip(*scenes.other_writers(), strict=True):
        sets["scikit-learn's digits, upscaled"].append((Image.fromarray(image), int(label)))
    paths = scenes.fonts()
    for image, digit, dark in scenes.printed(paths, np.random.default_rng(SEED)):
        ink = "dark on light" if dark else "light on dark"
        sets[f"fonts, 12 to 400 pixels, {ink}"].append((image, digit))
    halves = {name: pictures[half::2] for name, pictures in sets.items()}
    return halves, [path.stem for path in paths]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photographs", type=int, default=2000)
    parser.add_argument("--half", choices=HALVES, default="report")
    parser.add_argument("--model", type=Path, default=Path("data/model.keras"))
    options = parser.parse_args()
    runtime.start(runtime.read_runtime(Params()))
    from digits.backend.models import load_model, probabilities

    model = load_model(options.model)
    find = with_tensorflow(read_weights(Path("data/ink.npz")))
    sets, names = unseen(options.photographs, HALVES[options.half])
    print("| pictures | number | resized | as MNIST was made |\n| --- | ---: | ---: | ---: |")
    for name, pictures in sets.items():
        labels = np.array([label for _, label in pictures])
        shares = []
        for ways in (resized, lambda image: frame_digit(read_picture(image), find).image):
            framed = np.stack([ways(image) for image, _ in pictures])[..., np.newaxis]
            shares.append(np.mean(probabilities(model, framed).argmax(axis=1) == labels))
        print(f"| {name} | {len(labels):,} | {shares[0]:.1%} | {shares[1]:.1%} |", flush=True)
    print(f"\n{len(names)} fonts: {', '.join(names)}.")


if __name__ == "__main__":
    main()
