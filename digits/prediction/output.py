"""The answers of `digits predict` as lines: a table for people, JSON and CSV for programs.

Each function writes a line as soon as its answer comes out of `answers`: the name of a picture with one
prediction. Lines have no line end.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from digits.decoding.reading import printable

if TYPE_CHECKING:
    from digits.prediction.predict import Prediction

    Answers: TypeAlias = Iterable[tuple[str, Prediction]]

BAR = 20
# A longer name shifts only the columns of its own line.
WIDEST_NAME = 48

COLUMNS = ("file", "digit", "confidence", "score", "sure", "reason", "left", "top", "right", "bottom")


def table(answers: Answers, names: Iterable[str], boxes: bool, encoding: str) -> Iterator[str]:
    """Write aligned columns: file, digit, confidence, a bar, and why an answer is unsure.

    Args:
        answers: names and predictions; without ink, the digit and the confidence are shown as `-`.
        names: the names of all pictures to come, for the width of their column.
        boxes: whether each digit's place is shown, as WIDTHxHEIGHT+LEFT+TOP.
        encoding: that of the output; if it lacks block characters, the bar is made of `#`.
    """
    width = min(max([len("file"), *(len(printable(name)) for name in names)]), WIDEST_NAME)
    full, empty = _blocks(encoding)

    def row(name: str, digit: str, confidence: str, place: str, bar: str = "", doubt: str = "") -> str:
        cells = [name.ljust(width), digit.rjust(5), confidence.rjust(10)]
        cells += [place.ljust(19)] if boxes else []
        return "  ".join([*cells, bar.ljust(BAR), doubt]).rstrip()

    yield row("file", "digit", "confidence", "place")
    for name, prediction in answers:
        digit, confidence, bar = "-", "-", ""
        if prediction.box is not None:
            digit, confidence = str(prediction.digit), percent(prediction.confidence)
            filled = round(BAR * prediction.confidence)
            bar = full * filled + empty * (BAR - filled)
        doubt = f"unsure: {prediction.reason}" if prediction.reason else ""
        remark = " ".join(part for part in (doubt, prediction.note and f"({prediction.note})") if part)
        yield row(printable(name), digit, confidence, _place(prediction.box), bar, remark)


def json_lines(answers: Answers) -> Iterator[str]:
    """Write everything known of each answer as a JSON object; `digit` and `box` are null without ink.

    A digit of several has the `row` that it stands in: its digits, the confidence of all of them together,
    whether that is sure, and the boxes of `other` marks.
    """
    for name, prediction in answers:
        values = _values(name, prediction)
        values["box"] = prediction.box
        values["probabilities"] = [round(float(probability), 6) for probability in prediction.probabilities]
        if prediction.note:
            values["note"] = prediction.note
        if prediction.row:
            values["row"] = asdict(prediction.row) | {"confidence": round(prediction.row.confidence, 6)}
        yield json.dumps(values, sort_keys=True, allow_nan=False)


def csv_lines(answers: Answers, classes: int) -> Iterator[str]:
    """Write comma-separated values, quoted as in RFC 4180, below a header; p0, p1, ... are probabilities.

    The digit and the box are empty without ink.
    """
    yield _csv_line([*COLUMNS, *(f"p{digit}" for digit in range(classes))])
    for name, prediction in answers:
        values = _values(name, prediction)
        values["sure"] = json.dumps(prediction.sure)
        box = prediction.box or ("",) * 4
        probabilities = [f"{probability:.6f}" for probability in prediction.probabilities]
        yield _csv_line([*values.values(), *box, *probabilities])


def percent(share: float) -> str:
    """Return `share` in percent; less than 1 is never shown as 100."""
    return "100.0%" if share == 1 else f"{min(100 * share, 99.9):.1f}%"


def _blocks(encoding: str) -> tuple[str, str]:
    try:
        "█░".encode(encoding)
    except UnicodeEncodeError:
        return "#", "."
    return "█", "░"


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


def _place(box: tuple[int, int, int, int] | None) -> str:
    if box is None:
        return "-"
    left, top, right, bottom = box
    return f"{right - left}x{bottom - top}+{left}+{top}"
