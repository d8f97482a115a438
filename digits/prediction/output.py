"""The answers of `digits predict` as lines: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from digits.pictures.reading import printable

if TYPE_CHECKING:
    from digits.prediction.predict import Prediction

BAR = 20
# A longer name moves its own line's columns only.
WIDEST_NAME = 48

COLUMNS = ("file", "digit", "confidence", "score", "sure", "reason", "left", "top", "right", "bottom")


class Listing(Protocol):
    """A form of output; every line comes without its end."""

    def head(self) -> str:
        """Give the lines before the first answer, or an empty text."""

    def line(self, name: str, prediction: Prediction) -> str:
        """Give the line of one answer about the picture called `name`."""


class Table:
    """Aligned columns: file, digit, confidence, a bar, and why an answer is unsure.

    Args:
        names: the names of all pictures to come, for the width of their column.
        boxes: whether each digit's place is shown, as WIDTHxHEIGHT+LEFT+TOP.
        encoding: that of the output; without block characters in it, the bar is of `#`.
    """

    def __init__(self, names: Iterable[str], boxes: bool, encoding: str) -> None:
        shown = [len(printable(name)) for name in names]
        self.width = min(max([len("file"), *shown]), WIDEST_NAME)
        self.boxes = boxes
        try:
            "█░".encode(encoding)
            self.blocks = "█░"
        except UnicodeEncodeError:
            self.blocks = "#."

    def head(self) -> str:
        """Name the columns."""
        return self._row("file", "digit", "confidence", "place" if self.boxes else "")

    def line(self, name: str, prediction: Prediction) -> str:
        """Lay out one answer; where there is no ink, there is no digit either."""
        digit, confidence, bar = "-", "-", ""
        if prediction.box is not None:
            digit, confidence = str(prediction.digit), percent(prediction.confidence)
            filled = round(BAR * prediction.confidence)
            bar = self.blocks[0] * filled + self.blocks[1] * (BAR - filled)
        doubt = f"unsure: {prediction.reason}" if prediction.reason else ""
        return self._row(
            printable(name), digit, confidence, _place(prediction.box) if self.boxes else "", bar, doubt
        )

    def _row(self, name: str, digit: str, confidence: str, place: str, bar: str = "", doubt: str = "") -> str:
        cells = [name.ljust(self.width), digit.rjust(5), confidence.rjust(10)]
        cells += [place.ljust(19)] if self.boxes else []
        return "  ".join([*cells, bar.ljust(BAR), doubt]).rstrip()


class JsonLines:
    """One JSON object to a line, with sorted keys, so that each can be used as soon as it is there."""

    def head(self) -> str:
        """Give nothing."""
        return ""

    def line(self, name: str, prediction: Prediction) -> str:
        """Write all that is known of one answer; `digit` is null where there is no ink."""
        values: dict[str, Any] = _values(name, prediction)
        values["box"] = prediction.box
        values["probabilities"] = [round(float(each), 6) for each in prediction.probabilities]
        return json.dumps(values, sort_keys=True, allow_nan=False)


class Csv:
    """Comma-separated values as RFC 4180 quotes them, with a line of names first."""

    def head(self) -> str:
        """Name the columns; p0 to p9 are the probabilities of the ten digits."""
        return _csv_line([*COLUMNS, *(f"p{digit}" for digit in range(10))])

    def line(self, name: str, prediction: Prediction) -> str:
        """Write one answer; `digit` and the box are empty where there is no ink."""
        values = _values(name, prediction)
        values["sure"] = json.dumps(prediction.sure)
        box = prediction.box or ("",) * 4
        return _csv_line([*values.values(), *box, *(f"{each:.6f}" for each in prediction.probabilities)])


def _values(name: str, prediction: Prediction) -> dict[str, Any]:
    return {
        "file": name,
        "digit": None if prediction.box is None else prediction.digit,
        "confidence": round(prediction.confidence, 6),
        "score": round(prediction.score, 6),
        "sure": prediction.sure,
        "reason": prediction.reason,
    }


def _csv_line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def percent(share: float) -> str:
    """Give `share` in percent, never 100 for what is less."""
    return "100.0%" if share == 1 else f"{min(100 * share, 99.9):.1f}%"


def _place(box: tuple[int, int, int, int] | None) -> str:
    if box is None:
        return "-"
    left, top, right, bottom = box
    return f"{right - left}x{bottom - top}+{left}+{top}"
