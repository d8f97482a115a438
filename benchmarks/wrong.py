"""Ask a trained model about the test images, and print the numbers of those that it gets wrong as JSON.

Usage: python -m benchmarks.wrong MODEL.keras, in a folder with params.yaml and data/prepared
"""

import json
import sys
from pathlib import Path

from digits.backend import runtime
from digits.backend.models import load_model, probabilities
from digits.files import read_arrays
from digits.params import Params


def main() -> None:
    """Print the list."""
    settings = runtime.read_runtime(Params())
    test = read_arrays(Path("data/prepared/test.npz"), ("images", "labels"))
    runtime.start(settings)
    predicted = probabilities(load_model(Path(sys.argv[1])), test["images"]).argmax(axis=1)
    print(json.dumps((predicted != test["labels"]).nonzero()[0].tolist()))


if __name__ == "__main__":
    main()
