"""Draw a digit in the page of `digits app`, in Chromium, and write what is then seen to docs/app.png.

Usage: python -m tools.screenshot [--model PATH] [--width PIXELS] [--height PIXELS] [--dark] [--output PATH]
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

REPOSITORY = Path(__file__).parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Chromium alone, as root and in containers too, without what it would ask its maker for.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Place = tuple[float, float]
# A digit as a hand draws it: places on the canvas, each a share of its width and height.
STROKES: dict[int, list[Place]] = {
    0: [
        (0.5, 0.2),
        (0.36, 0.3),
        (0.31, 0.5),
        (0.37, 0.72),
        (0.51, 0.8),
        (0.65, 0.7),
        (0.69, 0.48),
        (0.62, 0.28),
        (0.5, 0.2),
    ],
    1: [(0.53, 0.18), (0.5, 0.5), (0.48, 0.82)],
    2: [
        (0.34, 0.34),
        (0.38, 0.24),
        (0.5, 0.19),
        (0.62, 0.24),
        (0.64, 0.36),
        (0.57, 0.5),
        (0.44, 0.65),
        (0.33, 0.79),
        (0.5, 0.78),
        (0.7, 0.79),
    ],
    3: [
        (0.36, 0.24),
        (0.5, 0.18),
        (0.62, 0.25),
        (0.61, 0.39),
        (0.47, 0.48),
        (0.62, 0.55),
        (0.66, 0.68),
        (0.57, 0.79),
        (0.43, 0.81),
        (0.33, 0.74),
    ],
    7: [(0.3, 0.25), (0.68, 0.24), (0.57, 0.5), (0.45, 0.8)],
}


def find_chromium() -> str | None:
    """Return the path of a Chromium that is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def draw(page: Any, places: list[Place]) -> None:
    """Draw a smooth stroke through `places` on the canvas of `page` by the mouse."""
    page.wait_for_selector("body:not(.starting)")
    box = page.locator("#canvas").bounding_box()
    curve = CubicSpline(range(len(places)), places)(np.linspace(0, len(places) - 1, 6 * len(places)))
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in curve.tolist()]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def verdict(page: Any) -> str:
    """Wait until no question waits for its answer, and give the verdict's words."""
    page.wait_for_selector('#verdict[aria-busy="false"]:not([data-state="empty"])')
    return " ".join(page.inner_text(".words").split())


@contextmanager
def running_app(folder: Path, *arguments: str) -> Iterator[str]:
    """Run `digits app` by the code in `folder`, at a free port, and return its address."""
    command = [sys.executable, "-m", "digits", "app", "--port", "0", "--no-browser", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if not (address := process.stdout.readline().strip()):
                raise SystemExit(process.wait() or 1)
            yield address
        finally:
            process.terminate()


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="data/model.tflite", metavar="PATH")
    parser.add_argument("--width", type=int, default=1000, metavar="PIXELS")
    parser.add_argument("--height", type=int, default=680, metavar="PIXELS")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs/app.png", metavar="PATH")
    arguments = parser.parse_args()
    if (chromium := find_chromium()) is None:
        sys.exit(f"no browser was found; install one of {', '.join(NAMES)}")

    from playwright.sync_api import sync_playwright

    with running_app(REPOSITORY, "--model", arguments.model) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": arguments.width, "height": arguments.height},
            color_scheme="dark" if arguments.dark else "light",
            reduced_motion="reduce",
        )
        page.goto(address)
        draw(page, STROKES[2])
        print(verdict(page))
        page.screenshot(path=arguments.output)
        browser.close()


if __name__ == "__main__":
    main()
