"""`digits predict`: which digits are in these pictures, and how sure the network is."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from digits.errors import DigitsError

if TYPE_CHECKING:
    from typing import TextIO

    from tqdm import tqdm

    from digits.classifier.classifier import Classifier
    from digits.prediction.inputs import Source
    from digits.prediction.output import Listing
    from digits.prediction.predict import Prediction

SUMMARY = "say which digit a picture shows, and how sure that is"
DESCRIPTION = """\
Say which digit each picture shows, and how sure that is. Any size, dark on light or light on dark,
a photograph, a scan or a drawing. What is no digit, or hardly one, is `unsure`, with the reason.
"""
EPILOG = """\
PATH is
  a file       an image: PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF, PPM
  a folder     the images in it and in the folders below it, by their endings
  a pattern    such as 'scans/*.png' or 'scans/**/*.jpg', where the shell left it as it is
  -            standard input, one image

exit status
  0    every picture was read, whether its answer is sure or unsure
  1    a picture, or the model, could not be read; the other pictures were answered
  2    wrong arguments
  130  interrupted
  141  the reader of the output closed it, as `| head` does

examples
  digits predict photograph.jpg               file, digit, confidence
  digits predict scans/ --csv > answers.csv   for a spreadsheet
  digits predict --many telephone.png         several digits in one picture
  digits predict --json *.png | jq 'select(.sure) | .digit'
  digits predict --explain steps.png 7.jpg    how the picture became what the network sees
  curl -s https://example.org/7.png | digits predict -
"""

# The status of a process that SIGPIPE ended, as shells give it.
CLOSED_PIPE = 141
# Seconds of work after which a terminal shows how far it is.
LONG_WORK = 1.0


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `predict`."""
    parser = commands.add_parser(
        "predict",
        help=SUMMARY,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, pattern, or - (see below)")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print one JSON object to a line")
    forms.add_argument("--csv", action="store_true", help="print comma-separated values, with a header")
    parser.add_argument("--many", action="store_true", help="find several digits, and say where each one is")
    parser.add_argument(
        "--explain", metavar="FILE.png", type=Path, help="draw the steps from one picture to its answer"
    )
    parser.add_argument("--model", metavar="FILE", help="the model (default: data/model.tflite)")
    parser.add_argument(
        "--engine",
        choices=["litert", "keras"],
        help="what computes: litert, which is instant, or keras (default: by the model's ending)",
    )
    parser.set_defaults(run=predict, error=parser.error)


def predict(arguments: argparse.Namespace) -> int:
    """Answer about every picture, line by line, and give the exit status."""
    from digits.prediction.inputs import gather
    from digits.prediction.predict import load_model

    sources = gather(arguments.paths)
    if arguments.explain and len(sources) != 1:
        arguments.error(f"--explain: expected one picture, found {len(sources)}")
    if arguments.explain and arguments.explain.suffix.lower() != ".png":
        arguments.error(f"--explain: {arguments.explain}: expected a name that ends in .png")
    model = load_model(arguments.model, arguments.engine)
    # A file's name may have letters that the output's encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _answer(sources, model, arguments)
    except BrokenPipeError:
        # Python flushes standard output once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE


def _answer(sources: list[Source], model: Classifier, arguments: argparse.Namespace) -> int:
    listing = _listing(sources, arguments)
    status = 0
    with _progress(sources) as (pictures, say):
        if head := listing.head():
            say(head, sys.stdout)
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
                say(listing.line(source.name, prediction), sys.stdout)
    return status


def _read(source: Source, model: Classifier, many: bool) -> list[Prediction]:
    from digits.prediction.predict import find_digits, predict_digit

    picture = source.picture()
    # Where nothing stands by itself, the picture as a whole says why.
    return (find_digits(picture, model) if many else []) or [predict_digit(picture, model)]


def _where(source: Source) -> str:
    """Name standard input, which is no more than bytes to who reads it; an error names a file by itself."""
    return "-: " if source.name == "-" else ""


def _explain(path: Path, name: str, predictions: list[Prediction]) -> None:
    from digits.figures.style import write_figure
    from digits.prediction.explanation import explanation

    write_figure(path, explanation(name, predictions))


def _listing(sources: list[Source], arguments: argparse.Namespace) -> Listing:
    from digits.prediction.output import Csv, JsonLines, Table

    if arguments.json:
        return JsonLines()
    if arguments.csv:
        return Csv()
    return Table(
        [source.name for source in sources], arguments.many, getattr(sys.stdout, "encoding", "ascii")
    )


@contextmanager
def _progress(sources: list[Source]) -> Iterator[tuple[Iterable[Source], Callable[[str, TextIO], None]]]:
    """Give `sources`, whose use moves a bar once the work is long, and what writes a line beside the bar."""
    if len(sources) == 1 or sys.stderr is None or not sys.stderr.isatty():
        yield sources, _say
        return
    from tqdm import tqdm

    with tqdm(sources, unit="picture", delay=LONG_WORK, leave=False) as bar:
        yield bar, lambda line, stream: _say_beside(bar, line, stream)


def _say(line: str, stream: TextIO | None) -> None:
    """Write `line` at once: who waits for it, a person or a program, need not wait for the next."""
    # A stream that was closed before Python started is None, which `print` would take for standard output.
    if stream is not None:
        print(line, file=stream, flush=True)


def _say_beside(bar: tqdm[Source], line: str, stream: TextIO) -> None:
    with bar.external_write_mode(file=stream):
        _say(line, stream)
