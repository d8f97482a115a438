"""`digits predict`, as people and programs start it."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from digits.prediction import command as predict_command
from digits.prediction.inputs import Source
from tests.drawing import drawn
from tests.pipeline import REPOSITORY

ANSWERED, UNREADABLE, WRONG_ARGUMENTS, CLOSED_PIPE = 0, 1, 2, 141

Answer = subprocess.CompletedProcess[bytes]
Predict = Callable[..., Answer]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder outside any repository, with pictures of digits and another file."""
    for name, text in {"b3.png": "3", "a7.png": "7", "deeper/c1.JPG": "1", "line.png": "4 0 2"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        drawn(text, 50).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    return tmp_path


@pytest.fixture
def command(classifier_files: Path) -> list[str]:
    model = str(classifier_files / "model.tflite")
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from digits.cli import main; main()"
    return [sys.executable, "-c", code, "predict", "--model", model]


@pytest.fixture
def predict(command: list[str], folder: Path) -> Predict:
    """Return a function that runs the command in the folder, with bytes for its standard input."""

    def predict(*arguments: str, given: bytes = b"") -> Answer:
        return subprocess.run(
            [*command, *arguments], cwd=folder, input=given, capture_output=True, check=False
        )

    return predict


def lines(answer: Answer) -> list[str]:
    return answer.stdout.decode().splitlines()


def objects(answer: Answer) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines(answer)]


def digits(answer: Answer) -> dict[object, object]:
    """Return the digit of each file, from an answer in JSON."""
    return {values["file"]: values["digit"] for values in objects(answer)}


def test_people_see_file_digit_confidence_and_a_bar(predict: Predict) -> None:
    answer = predict("a7.png", "deeper/c1.JPG")
    head, *rows = lines(answer)
    seven, one = (row.split() for row in rows)

    assert (ANSWERED, b"") == (answer.returncode, answer.stderr)
    assert ["file", "digit", "confidence"] == head.split()
    assert (["a7.png", "7"], ["deeper/c1.JPG", "1"]) == (seven[:2], one[:2])
    assert seven[2].endswith("%") and seven[3].startswith("█")
    assert 1 == len({row.index("█") for row in rows})


def test_a_blank_page_is_unsure_without_a_digit(predict: Predict, folder: Path) -> None:
    Image.new("L", (60, 60), 255).save(folder / "blank.png")
    answer = predict("blank.png")
    (values,) = objects(predict("--json", "--many", "blank.png"))

    assert ANSWERED == answer.returncode
    assert ["blank.png", "-", "-", "unsure: no ink found"] == lines(answer)[1].split(maxsplit=3)
    assert (None, None, "no ink found") == (values["digit"], values["box"], values["reason"])


def test_programs_read_one_json_object_per_line(predict: Predict) -> None:
    answer = predict("--json", "a7.png", "b3.png")
    first = objects(answer)[0]

    assert {"a7.png": 7, "b3.png": 3} == digits(answer)
    assert "box confidence digit file label probabilities reason score sure" == " ".join(first)
    assert (10, True, "") == (len(str(first["probabilities"]).split(",")), first["sure"], first["reason"])


def test_spreadsheets_read_comma_separated_values(predict: Predict, folder: Path) -> None:
    (folder / "a7.png").rename(folder / 'a, "b".png')
    answer = predict("--csv", 'a, "b".png', "b3.png")
    rows = [*csv.DictReader(io.StringIO(answer.stdout.decode()))]

    assert ['a, "b".png', "b3.png"] == [row["file"] for row in rows]
    assert ["7", "3"] == [row["digit"] for row in rows]
    assert ["true", "true"] == [row["sure"] for row in rows]
    assert 1 == pytest.approx(sum(float(rows[0][f"p{digit}"]) for digit in range(10)), abs=1e-5)
    assert int(rows[0]["left"]) < int(rows[0]["right"])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--json", "--csv", "a7.png"], "argument --csv: not allowed with argument --json"),
        (["--engine", "abacus", "a7.png"], "argument --engine: invalid choice: 'abacus'"),
        (["--explain", "steps.png", "a7.png", "b3.png"], "--explain: expected one picture, found 2"),
        (["--explain", "steps.pdf", "a7.png"], "--explain: steps.pdf: expected a name that ends in .png"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_answered(
    arguments: list[str], error: str, predict: Predict, folder: Path
) -> None:
    answer = predict(*arguments)

    assert (WRONG_ARGUMENTS, b"") == (answer.returncode, answer.stdout)
    assert f"digits predict: error: {error}" in answer.stderr.decode()
    assert [] == [*folder.glob("steps.*")]


def test_a_folder_stands_for_the_pictures_in_it_and_in_its_subfolders(predict: Predict) -> None:
    answer = predict("--json", ".")

    assert ["./a7.png", "./b3.png", "./line.png", "./deeper/c1.JPG"] == [*digits(answer)]
    assert ANSWERED == answer.returncode


def test_links_that_form_a_circle_are_skipped(predict: Predict, folder: Path) -> None:
    (folder / "deeper" / "up").symlink_to("..")
    (folder / "deeper" / "loop.png").symlink_to("loop.png")
    answer = predict("--json", "deeper")

    assert {"deeper/c1.JPG": 1} == digits(answer)
    assert UNREADABLE == answer.returncode
    assert answer.stderr.startswith(b"digits: deeper/loop.png: ")
    assert 1 == answer.stderr.count(b"\n")


def test_a_pattern_that_the_shell_did_not_expand_stands_for_its_files(predict: Predict) -> None:
    answer = predict("--json", "[ab]?.png", "**/*.JPG")

    assert {"a7.png": 7, "b3.png": 3, "deeper/c1.JPG": 1} == digits(answer)


def test_a_file_whose_name_looks_like_a_pattern_is_read(predict: Predict, folder: Path) -> None:
    (folder / "a7.png").rename(folder / "[ab]?.png")

    assert {"[ab]?.png": 7} == digits(predict("--json", "[ab]?.png"))


def test_what_cannot_be_read_is_one_line_each_and_the_other_pictures_are_answered(
    predict: Predict, folder: Path
) -> None:
    (folder / "folder").mkdir()
    (folder / "folder" / ".hidden.png").touch()
    (folder / "bad.png").write_text("no picture", encoding="utf-8")
    (folder / "cut.png").write_bytes((folder / "a7.png").read_bytes()[:200])
    (folder / "empty.png").touch()
    bad = ["folder", "*.bmp", "-", "bad.png", "cut.png", "nowhere.png", "empty.png"]
    answer = predict("--json", *bad[:4], "a7.png", *bad[4:], "b3.png")
    errors = answer.stderr.decode().splitlines()

    assert UNREADABLE == answer.returncode
    assert {"a7.png": 7, "b3.png": 3} == digits(answer)
    assert [["digits", name] for name in bad] == [line.split(": ")[:2] for line in errors]
    assert ["no picture in this folder", "no file matches this pattern"] == [
        line.split(": ")[2] for line in errors[:2]
    ]


def test_a_closed_stream_does_not_divert_errors_to_the_output(command: list[str], folder: Path) -> None:
    without_errors = ["sh", "-c", 'exec "$0" "$@" 2>&-', *command, "--json", "nowhere.png", "a7.png"]
    answer = subprocess.run(without_errors, cwd=folder, capture_output=True, check=False)

    assert UNREADABLE == answer.returncode
    assert {"a7.png": 7} == digits(answer)


def test_several_digits_are_shown_each_with_its_place(predict: Predict) -> None:
    answer = predict("--many", "line.png", "a7.png")
    rows = [row.split() for row in lines(answer)[1:]]
    boxes = [values["box"] for values in objects(predict("--many", "--json", "line.png"))]

    assert ["4", "0", "2", "7"] == [row[1] for row in rows]
    left, top, right, bottom = boxes[0]  # type: ignore[misc]
    assert f"{right - left}x{bottom - top}+{left}+{top}" == rows[0][3]


@pytest.mark.parametrize("many", [[], ["--many"]])
def test_an_explanation_is_drawn_in_addition_to_the_answer(
    many: list[str], predict: Predict, folder: Path
) -> None:
    answer = predict("--explain", "steps.png", "line.png", *many)

    assert (ANSWERED, b"") == (answer.returncode, answer.stderr)
    assert (4 if many else 2) == len(lines(answer))
    with Image.open(folder / "steps.png") as image:
        assert ("PNG", 994) == (image.format, image.width)


def test_keras_answers_too(predict: Predict, classifier_files: Path) -> None:
    model = str(classifier_files / "calibrated.keras")
    answer = predict("--json", "--engine", "keras", "--model", model, "a7.png", "b3.png")

    assert {"a7.png": 7, "b3.png": 3} == digits(answer)
    assert b"" == answer.stderr


def test_a_missing_model_is_one_line_with_the_command_that_makes_it(predict: Predict) -> None:
    answer = predict("--model", "data/m.tflite", "a7.png")

    assert (UNREADABLE, b"") == (answer.returncode, answer.stdout)
    assert (
        b"digits: data/m.tflite: no such file; in the repository, `make` or `dvc repro` makes it\n"
        == answer.stderr
    )


def test_an_answer_is_printed_before_the_next_picture_is_read_from_standard_input(
    command: list[str], folder: Path
) -> None:
    with subprocess.Popen([*command, "--json", "a7.png", "-"], cwd=folder, stdin=-1, stdout=-1) as process:
        assert process.stdin and process.stdout
        first = process.stdout.readline()
        process.stdin.write((folder / "b3.png").read_bytes())
        process.stdin.close()
        rest = process.stdout.read()

    answers = [json.loads(line) for line in (first, rest)]
    assert [("a7.png", 7), ("-", 3)] == [(answer["file"], answer["digit"]) for answer in answers]


def test_a_reader_that_closes_the_output_ends_the_command_without_an_error(
    command: list[str], folder: Path
) -> None:
    arguments = [*command, "a7.png", "-", "b3.png"]
    with subprocess.Popen(arguments, cwd=folder, stdin=-1, stdout=-1, stderr=-1) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write((folder / "b3.png").read_bytes())
        process.stdin.close()
        errors = process.stderr.read()

    assert (CLOSED_PIPE, b"") == (process.returncode, errors)


def test_control_characters_in_a_file_name_are_escaped(predict: Predict, folder: Path) -> None:
    (folder / "a7.png").rename(folder / "a\n\x1b[2J7.png")
    answer = predict("a\n\x1b[2J7.png")

    assert ["file", r"a\n\x1b[2J7.png"] == [line.split()[0] for line in lines(answer)]


def test_an_encoding_without_block_characters_gets_a_bar_of_ascii(
    predict: Predict, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    (folder / "a7.png").rename(folder / "ä7.png")
    answer = predict("ä7.png")

    assert (ANSWERED, b"") == (answer.returncode, answer.stderr)
    assert lines(answer)[1].startswith(r"\xe47.png")
    assert "####" in lines(answer)[1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "names", "end"),
    [(Terminal(), ["a", "b"], "/2"), (Terminal(), ["a"], ""), (io.StringIO(), ["a", "b"], "")],
    ids=["several pictures on a terminal", "one picture", "several to a file"],
)
def test_several_pictures_that_take_long_show_a_progress_bar_on_a_terminal(
    stream: io.StringIO, names: list[str], end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict_command, "LONG_WORK", 0)
    monkeypatch.setattr(sys, "stderr", stream)
    output = io.StringIO()
    with predict_command._progress([Source(name) for name in names]) as (sources, say):
        for source in sources:
            say(source.name, output)
        bar = stream.getvalue()

    assert names == output.getvalue().split()
    assert (end in bar) if end else ("" == bar)


def test_help_shows_examples_and_every_exit_status(predict: Predict) -> None:
    answer = predict("--help")
    shown = answer.stdout.decode()

    assert (ANSWERED, b"") == (answer.returncode, answer.stderr)
    assert "digits predict scans/ --csv > answers.csv" in shown
    statuses = [line.split()[0] for line in shown.partition("exit status\n")[2].splitlines()[:5]]
    assert ["0", "1", "2", "130", "141"] == statuses


def test_help_imports_no_library() -> None:
    code = "import sys; sys.argv = ['digits', 'predict', '--help']; import digits.cli; "
    code += "print({'numpy', 'PIL', 'pydantic', 'tensorflow', 'tqdm'} & set(sys.modules))"
    command = [sys.executable, "-c", code]

    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert "set()\n" == answer.stdout
