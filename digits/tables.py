"""Tables of numbers in `.csv` files, one name per column."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from digits.errors import DigitsError
from digits.files import write_text

Table = dict[str, list[float]]


def write_table(path: Path, columns: Mapping[str, Sequence[float]]) -> None:
    """Write columns of equal length, rounded to six decimals: a seventh means nothing on 10,000 images.

    A learning rate is no measurement, so numbers below 0.001 keep six significant digits instead.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([shortest(value) for value in row])
    write_text(path, text.getvalue())


def shortest(value: float) -> str:
    """Give the decimals that a table shows of `value`: 3 as '3', 0.12345678 as '0.123457'."""
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.6g}" if abs(value) < 0.001 else f"{value:.6f}".rstrip("0").rstrip(".")


def read_table(path: Path, names: tuple[str, ...]) -> Table:
    """Read the columns called `names`, and no others.

    Raises:
        DigitsError: the file is missing, has no row, lacks a column, or holds what is no number.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        columns = {name: [float(row[name]) for row in rows] for name in names}
    except FileNotFoundError:
        raise DigitsError(f"{path}: no such file") from None
    except KeyError as error:
        raise DigitsError(f"{path}: no column {error}; expected {', '.join(names)}") from error
    except (TypeError, ValueError, csv.Error) as error:
        raise DigitsError(f"{path}: not a table of numbers ({error})") from error
    if not rows:
        raise DigitsError(f"{path}: no rows")
    return columns
