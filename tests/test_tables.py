"""Tables are short, readable, and come back as they were written."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.errors import DigitsError
from digits.files import read_table, shortest, write_table

NUMBERS = st.floats(-1e6, 1e6) | st.floats(-1, 1) | st.integers(-(10**9), 10**9)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (3, "3"),
        (3.0, "3"),
        (-7, "-7"),
        (60_000, "60000"),
        (0.5, "0.5"),
        (-0.25, "-0.25"),
        (0.12345678, "0.123457"),
        (0.9999999, "1"),
        (2.00000001, "2"),
        (0.001, "0.001"),
        (0.0005, "0.0005"),
        (0.000123456789, "0.000123457"),
        (1e-7, "1e-07"),
        (np.float32(0.1), "0.1"),
        (np.uint8(9), "9"),
        (np.int64(12), "12"),
        (np.float64(0.001), "0.001"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_is_written_as_short_as_can_be(value: float, text: str) -> None:
    assert text == shortest(value)


@given(value=NUMBERS)
def test_a_number_comes_back_to_six_decimals_or_six_digits(value: float) -> None:
    back = float(shortest(value))

    assert abs(back - value) <= (5.01e-7 if abs(value) >= 0.001 else 5.01e-6 * abs(value))


@given(value=NUMBERS)
def test_a_number_that_came_back_is_written_alike(value: float) -> None:
    assert shortest(value) == shortest(float(shortest(value)))


@given(rows=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=9))
def test_a_table_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "table.csv"
    columns = {"first": [row[0] for row in rows], "second": [row[1] for row in rows]}
    write_table(path, columns)
    back = read_table(path, ("first", "second"))

    for name, values in columns.items():
        assert [float(shortest(value)) for value in values] == back[name]


def test_a_table_has_a_header_and_a_line_per_row(tmp_path: Path) -> None:
    write_table(tmp_path / "table.csv", {"epoch": [1, 2], "loss": np.array([0.5, 0.25])})

    assert b"epoch,loss\n1,0.5\n2,0.25\n" == (tmp_path / "table.csv").read_bytes()


def test_columns_of_different_lengths_are_refused_and_the_old_table_stays(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="shorter"):
        write_table(path, {"epoch": [1, 2], "loss": [0.5]})

    assert "old" == path.read_text(encoding="utf-8")


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("epoch,note,loss\r\n1,good,0.5\r\n2,bad,1e-3\r\n", encoding="utf-8")

    assert {"loss": [0.5, 0.001], "epoch": [1, 2]} == read_table(tmp_path / "table.csv", ("loss", "epoch"))


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_table(tmp_path / "table.csv", {"class": ("T-shirt/top", "a, b"), "f1": [0.5, 1]})

    assert 'class,f1\nT-shirt/top,0.5\n"a, b",1\n' == (tmp_path / "table.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "no rows"),
        (b"epoch,loss\n", "no rows"),
        (b"epoch,los\n1,2\n", "no column 'loss'; expected epoch, loss"),
        (b"epoch,loss\n1,much\n", "not a table of numbers"),
        (b"epoch,loss\n1\n", "not a table of numbers"),
        (b"epoch,loss\n1,\n", "not a table of numbers"),
        (b"epoch,loss\n1,\xff\n", "not a table of numbers"),
        (b"epoch,loss\n1,0\x005\n", "not a table of numbers"),
    ],
)
def test_a_damaged_table_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DigitsError) as caught:
        read_table(path, ("epoch", "loss"))

    assert str(caught.value).startswith(f"{path}: {message}")
    assert 1 == len(str(caught.value).splitlines())
