"""How long an answer takes: `python -m benchmarks.prediction` prints the table of docs/prediction.md.

Needs the outputs of the stages calibrate and export. Each figure is the median of several runs.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from digits.prediction.predict import MODELS, Engine, load_model, predict_digit, predict_digits

# 12 megapixels, as most telephones take them.
WIDTH, HEIGHT = 4000, 3000
# A seven as it is written by hand, in shares of the picture's height.
STROKES = [(0.52, 0.33), (0.60, 0.31), (0.78, 0.32), (0.72, 0.45), (0.64, 0.58), (0.60, 0.71)]
BATCH = 10_000


def main() -> None:
    """Measure, and print each line of the table as it is known."""
    arguments = _parsed()
    print("| what | engine | time | allowed |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        photograph, prepared = (Path(folder, name) for name in ("photograph.jpg", "prepared.png"))
        photograph_image().save(photograph, quality=90)
        seen = predict_digit(photograph, load_model(arguments.model)).image
        image = np.rint(seen * 255).astype(np.uint8)
        Image.fromarray(image).save(prepared)
        models: dict[Engine, Path] = {"litert": arguments.model, "keras": arguments.keras_model}
        for engine, model in models.items():
            runs = arguments.runs if engine == "litert" else 3
            for name, path in {"prepared": prepared, "12 megapixels": photograph}.items():
                seconds = median(lambda path=path, model=model: _command(path, model), runs)
                _row(f"`digits predict` ({name}), as a whole process", engine, f"{seconds:.2f} s", "0.5 s")
        for engine, model in models.items():
            for row in _within_a_process(engine, model, photograph, image, arguments.runs):
                _row(*row)


def photograph_image() -> Image.Image:
    """Draw a seven on paper under uneven light, with a camera's noise: RGB, 12 megapixels."""
    random = np.random.Generator(np.random.PCG64(0))
    ink = Image.new("L", (WIDTH, HEIGHT), 0)
    points = [(x * HEIGHT, y * HEIGHT) for x, y in STROKES]
    ImageDraw.Draw(ink).line(points, fill=255, width=HEIGHT // 40, joint="curve")
    light = (
        np.linspace(1, 0.6, WIDTH, dtype=np.float32) * np.linspace(0.8, 1, HEIGHT, dtype=np.float32)[:, None]
    )
    paper = 225 * light - 0.6 * np.asarray(ink, np.float32) * light
    paper += random.normal(0, 4, paper.shape).astype(np.float32)
    grey = Image.fromarray(np.clip(paper, 0, 255).astype(np.uint8))
    return Image.merge("RGB", (grey, grey, grey.point(lambda value: int(value * 0.9))))


def median(action: Callable[[], object], runs: int, inner: int = 1) -> float:
    """Run `action` once to warm up, then `runs` times `inner` times, and give the median seconds of one."""

    def times() -> Iterator[float]:
        for _ in range(runs):
            start = time.perf_counter()
            for _ in range(inner):
                action()
            yield (time.perf_counter() - start) / inner

    action()
    return statistics.median(times())


def _within_a_process(
    engine: Engine, path: Path, photograph: Path, image: np.ndarray, runs: int
) -> Iterator[tuple[str, str, str, str]]:
    model = load_model(path, engine)
    inner = 200 if engine == "litert" else 3
    scaled = np.divide(image, np.float32(255), dtype=np.float32)[np.newaxis, ..., np.newaxis]
    seconds = median(lambda: model.classify(scaled), runs, inner)
    yield "the network, one prepared image", engine, f"{1000 * seconds:.3f} ms", "0.1 ms"
    seconds = median(lambda: predict_digit(image, model), runs, inner)
    yield "`predict_digit`, one prepared image", engine, f"{1000 * seconds:.3f} ms", "0.1 ms"
    with Image.open(photograph) as decoded:
        decoded.load()
        seconds = median(lambda: predict_digit(decoded, model), runs)
    yield "`predict_digit`, 12 megapixels, decoded", engine, f"{1000 * seconds:.0f} ms", "150 ms"
    # The image as it is: moved by a pixel it would not be prepared, and be framed anew.
    batch = np.repeat(image[np.newaxis], BATCH, axis=0)
    seconds = median(lambda: predict_digits(batch, model), min(runs, 5))
    yield f"`predict_digits`, {BATCH:,} prepared images", engine, f"{BATCH / seconds:,.0f}/s", "20,000/s"
    scaled = np.divide(batch, np.float32(255), dtype=np.float32)[..., np.newaxis]
    seconds = median(lambda: model.classify(scaled), min(runs, 5))
    yield f"the network, {BATCH:,} prepared images", engine, f"{BATCH / seconds:,.0f}/s", "20,000/s"


def _command(picture: Path, model: Path) -> None:
    command = [sys.executable, "-m", "digits", "predict", str(picture), "--model", str(model)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _row(what: str, engine: str, measured: str, allowed: str) -> None:
    """Print a line of the table; what is allowed is promised of LiteRT alone."""
    print(f"| {what} | {engine} | {measured} | {allowed if engine == 'litert' else ''} |", flush=True)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(MODELS["litert"]))
    parser.add_argument("--keras-model", type=Path, default=Path(MODELS["keras"]))
    parser.add_argument("--runs", type=int, default=9)
    return parser.parse_args()


if __name__ == "__main__":
    main()
