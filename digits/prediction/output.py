"""The answers of `digits predict` as lines: a table for people, JSON and CSV for programs.

Each function writes a line as soon as its answer comes out of `answers`: the name of a picture with one
prediction. Lines have no line end.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from digits.classifier.metadata import are_digits
from digits.decoding.reading import printable

if TYPE_CHECKING:
    from digits.prediction.predict import Prediction

    Answers: TypeAlias = Iterable[tuple[str, Prediction]]

BAR = 20
# A longer name of a file shifts only the columns of its own line; that of a class is cut.
WIDEST_NAME, WIDEST_LABEL = 48, 32

BEFORE, AFTER = ("file",), ("confidence", "score", "sure", "reason", "left", "top", "right", "bottom")


def table(
    answers: Answers, names: Iterable[str], classes: tuple[str, ...], boxes: bool, encoding: str
) -> Iterator[str]:
    """Write aligned columns: file, digit or label, confidence, a bar, and why an answer is unsure.

    Args:
        answers: names and predictions; without ink, the class and the confidence are shown as `-`.
        names: the names of all pictures to come, for the width of their column.
        classes: the names of all classes, for the same.
        boxes: whether each digit's place is shown, as WIDTHxHEIGHT+LEFT+TOP.
        encoding: that of the output; if it lacks block characters, the bar is made of `#`.
    """
    digits = are_digits(classes)
    kind = "digit" if digits else "label"
    width = min(max([len("file"), *(cells_of(printable(name)) for name in names)]), WIDEST_NAME)
    label_width = max([len(kind), *(cells_of(_shortened(name)) for name in classes)])
    full, empty = _blocks(encoding)

    def row(name: str, label: str, confidence: str, place: str, bar: str = "", doubt: str = "") -> str:
        label = label.rjust(label_width) if digits else _left(label, label_width)
        cells = [_left(name, width), label, confidence.rjust(10)]
        cells += [place.ljust(19)] if boxes else []
        return "  ".join([*cells, bar.ljust(BAR), doubt]).rstrip()

    yield row("file", kind, "confidence", "place")
    for name, prediction in answers:
        label, confidence, bar = "-", "-", ""
        if prediction.box is not None:
            label, confidence = _shortened(prediction.label), percent(prediction.confidence)
            filled = round(BAR * prediction.confidence)
            bar = full * filled + empty * (BAR - filled)
        doubt = f"unsure: {prediction.reason}" if prediction.reason else ""
        remark = " ".join(part for part in (doubt, prediction.note and f"({prediction.note})") if part)
        yield row(printable(name), label, confidence, _place(prediction.box), bar, remark)


def json_lines(answers: Answers) -> Iterator[str]:
    """Write everything known of each answer as a JSON object; `label` and `box` are null without ink.

    Where all classes are digits, there is `digit` too, and `probabilities` is a list; otherwise it has the
    names of the classes.
    A digit of several has the `row` that it stands in: its digits, the confidence of all of them together,
    whether that is sure, and the boxes of `other` marks.
    """
    for name, prediction in answers:
        values = _values(name, prediction)
        values["label"] = None if prediction.box is None else prediction.label
        values["box"] = prediction.box
        probabilities = [round(float(probability), 6) for probability in prediction.probabilities]
        values["probabilities"] = (
            probabilities
            if are_digits(prediction.classes)
            else dict(zip(prediction.classes, probabilities, strict=True))
        )
        if prediction.note:
            values["note"] = prediction.note
        if prediction.row:
            values["row"] = asdict(prediction.row) | {"confidence": round(prediction.row.confidence, 6)}
        yield json.dumps(values, sort_keys=True, allow_nan=False)


def csv_lines(answers: Answers, classes: tuple[str, ...]) -> Iterator[str]:
    """Write comma-separated values, quoted as in RFC 4180, below a header.

    The column `digit`, or `label` where the classes are anything else, and the box are empty without ink.
    The probabilities are in p0, p1, ..., or in p_ and the name of the class.
    """
    kind, prefix = ("digit", "p") if are_digits(classes) else ("label", "p_")
    yield _csv_line([*BEFORE, kind, *AFTER, *(f"{prefix}{name}" for name in classes)])
    for name, prediction in answers:
        values = _values(name, prediction)
        values["sure"] = json.dumps(prediction.sure)
        box = prediction.box or ("",) * 4
        probabilities = [f"{probability:.6f}" for probability in prediction.probabilities]
        yield _csv_line([*values.values(), *box, *probabilities])


def percent(share: float) -> str:
    """Return `share` in percent; less than 1 is never shown as 100."""
    return "100.0%" if share == 1 else f"{min(100 * share, 99.9):.1f}%"


def cells_of(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for a wide letter, none for an accent apart."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.category(letter) in ("Mn", "Me", "Cf") for letter in text)


def _left(text: str, width: int) -> str:
    """Fill a text with spaces to so many cells."""
    return text + " " * (width - cells_of(text))


def _shortened(label: str) -> str:
    """Return the name of a class on one line and in at most `WIDEST_LABEL` cells."""
    label = printable(label)
    if cells_of(label) <= WIDEST_LABEL:
        return label
    while cells_of(label) >= WIDEST_LABEL:
        label = label[:-1]
    return f"{label}…"


def _blocks(encoding: str) -> tuple[str, str]:
    try:
        "█░".encode(encoding)
    except UnicodeEncodeError:
        return "#", "."
    return "█", "░"


def _values(name: str, prediction: Prediction) -> dict[str, Any]:
    digits = are_digits(prediction.classes)
    answer = prediction.digit if digits else prediction.label
    return {
        "file": name,
        "digit" if digits else "label": None if prediction.box is None else answer,
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
