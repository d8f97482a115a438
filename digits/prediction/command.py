"""`digits predict`: tells what pictures show, a digit for instance, and how sure the network is."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from digits.errors import DigitsError, reported_as

if TYPE_CHECKING:
    from typing import TextIO

    from tqdm import tqdm

    from digits.classifier.classifier import Classifier
    from digits.prediction.inputs import Source
    from digits.prediction.output import Answers
    from digits.prediction.predict import Prediction

SUMMARY = "tell the digit in a picture, or what else the model knows, and how sure the answer is"
DESCRIPTION = """\
Tell which digit each picture shows, or which class of the dataset that the model was trained on, and how
sure the answer is. A picture may be a photograph, a scan or a drawing of any size; a digit may be dark on
light or light on dark. An answer is `unsure`, with the reason, if the picture hardly looks like one of the
classes, or could be one or another.
"""
EPILOG = """\
PATH is
  a file       an image: PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF, PPM
  a folder     the images in it and in its subfolders, chosen by their extensions; a line names the others
  a pattern    such as 'scans/*.png' or 'scans/**/*.jpg', quoted or where the shell does not expand it
  -            standard input: one image

exit status
  0    every picture was read, whether its answer is sure or unsure
  1    a picture or the model could not be read; the other pictures were answered
  2    wrong arguments
  130  interrupted
  141  the program that reads the output closed it, as `| head` does

examples
  digits predict photograph.jpg               file, digit, confidence
  digits predict scans/ --csv > answers.csv   for a spreadsheet
  digits predict --many telephone.png         several digits in one picture
  digits predict --json *.png | jq 'select(.sure) | .label'
  digits predict --explain steps.png 7.jpg    the steps from the picture to what the network sees
  digits predict --model flowers.tflite rose.jpg    with another model
  curl -s https://example.org/7.png | digits predict -
"""

# What shells report for a process that SIGPIPE ended.
CLOSED_PIPE = 141
# Seconds of work after which a terminal shows a progress bar.
LONG_WORK = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `digits predict`, and the function that runs it."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, pattern, or - (see below)")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print one JSON object per line")
    forms.add_argument("--csv", action="store_true", help="print comma-separated values, with a header")
    parser.add_argument("--many", action="store_true", help="find several digits, and say where each one is")
    parser.add_argument(
        "--explain", metavar="FILE.png", type=Path, help="draw the steps from one picture to its answer"
    )
    parser.add_argument("--model", metavar="FILE", help="model to use (default: data/model.tflite)")
    parser.add_argument(
        "--engine",
        choices=["litert", "keras"],
        help="litert, which starts at once, or keras (default: by the extension of the model)",
    )
    parser.set_defaults(run=predict, error=parser.error)


def predict(arguments: argparse.Namespace) -> int:
    """Print the answers about all pictures, line by line, and return the exit status."""
    from digits.decoding import limits
    from digits.prediction.inputs import gather
    from digits.prediction.predict import check_finds_digits, load_model

    # It gets ready while the model is loaded.
    limits.start()
    sources, skipped = gather(arguments.paths)
    if arguments.explain and len(sources) != 1:
        arguments.error(f"--explain: expected one picture, found {len(sources)}")
    if arguments.explain and arguments.explain.suffix.lower() != ".png":
        arguments.error(f"--explain: {arguments.explain}: expected a name that ends in .png")
    model = load_model(arguments.model, arguments.engine)
    # A file name may contain characters that the output's encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if arguments.many:
        try:
            check_finds_digits(model)
        except DigitsError as error:
            raise DigitsError(f"--many: {error}") from error
    for line in skipped:
        _say(f"digits: {line}", sys.stderr)
    try:
        return _answer(sources, model, arguments)
    except BrokenPipeError:
        # Python flushes standard output once more when it exits, which would print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE


def _answer(sources: list[Source], model: Classifier, arguments: argparse.Namespace) -> int:
    status = 0

    def answers() -> Iterator[tuple[str, Prediction]]:
        nonlocal status
        for source in pictures:
            try:
                predictions = _read(source, model, arguments.many)
                if arguments.explain:
                    _explain(arguments.explain, source.name, predictions)
            except DigitsError as error:
                say(f"digits: {_where(source)}{error}", sys.stderr)
                status = 1
                continue
            for prediction in predictions:
                yield source.name, prediction

    with _progress(sources) as (pictures, say):
        for line in _lines(answers(), sources, model.classes, arguments):
            say(line, sys.stdout)
    return status


def _read(source: Source, model: Classifier, many: bool) -> list[Prediction]:
    from digits.prediction.predict import find_digits, predict_label

    picture = source.picture()
    # Without separate digits, the prediction for the whole picture holds the reason.
    return (find_digits(picture, model) if many else []) or [predict_label(picture, model)]


def _where(source: Source) -> str:
    """Return a prefix for errors about standard input; errors about a file name it themselves."""
    return "-: " if source.name == "-" else ""


def _explain(path: Path, name: str, predictions: list[Prediction]) -> None:
    from digits.figures.style import write_figure
    from digits.prediction.explanation import explanation

    with reported_as(f"{path}: cannot be drawn"):
        write_figure(path, explanation(name, predictions))


def _lines(
    answers: Answers, sources: list[Source], classes: tuple[str, ...], arguments: argparse.Namespace
) -> Iterator[str]:
    from digits.prediction.output import csv_lines, json_lines, table

    if arguments.json:
        return json_lines(answers)
    if arguments.csv:
        return csv_lines(answers, classes)
    names = [source.name for source in sources]
    return table(answers, names, classes, arguments.many, getattr(sys.stdout, "encoding", "ascii"))


@contextmanager
def _progress(sources: list[Source]) -> Iterator[tuple[Iterable[Source], Callable[[str, TextIO], None]]]:
    """Yield `sources`, with a progress bar if they take long, and a function that prints beside the bar."""
    if len(sources) == 1 or sys.stderr is None or not sys.stderr.isatty():
        yield sources, _say
        return
    from tqdm import tqdm

    with tqdm(sources, unit="picture", delay=LONG_WORK, leave=False) as bar:
        yield bar, lambda line, stream: _say_beside(bar, line, stream)


def _say(line: str, stream: TextIO | None) -> None:
    """Write `line` and flush: whoever waits for it should not have to wait for the next one too."""
    # A stream that was closed before Python started is None, which `print` takes for standard output.
    if stream is not None:
        print(line, file=stream, flush=True)


def _say_beside(bar: tqdm[Source], line: str, stream: TextIO) -> None:
    with bar.external_write_mode(file=stream):
        _say(line, stream)
