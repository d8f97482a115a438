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
    """Give a folder, far from any repository, with pictures of one digit, and what is none."""
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
    """Give a function that runs the command in the folder, with bytes for its standard input."""

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
    """Give the digit of each file, of an answer in JSON."""
    return {each["file"]: each["digit"] for each in objects(answer)}


def test_people_see_file_digit_confidence_and_a_bar(predict: Predict) -> None:
    answer = predict("a7.png", "deeper/c1.JPG")
    head, *rows = lines(answer)
    seven, one = (row.split() for row in rows)

    assert (ANSWERED, b"") == (answer.returncode, answer.stderr)
    assert ["file", "digit", "confidence"] == head.split()
    assert (["a7.png", "7"], ["deeper/c1.JPG", "1"]) == (seven[:2], one[:2])
    assert seven[2].endswith("%") and seven[3].startswith("█")
    assert 1 == len({row.index("█") for row in rows})


def test_a_blank_page_is_unsure_and_no_digit_but_it_was_read(predict: Predict, folder: Path) -> None:
    Image.new("L", (60, 60), 255).save(folder / "blank.png")
    answer = predict("blank.png")

    assert ANSWERED == answer.returncode
    assert "blank.png      -           -" + " " * 24 + "unsure: no ink found" == lines(answer)[1]
    assert [None] == [each["digit"] for each in objects(predict("--json", "blank.png"))]


def test_programs_read_an_object_per_line(predict: Predict) -> None:
    answer = predict("--json", "a7.png", "b3.png")
    first = objects(answer)[0]

    assert {"a7.png": 7, "b3.png": 3} == digits(answer)
    assert [
        "box",
        "confidence",
        "digit",
        "file",
        "probabilities",
        "reason",
        "score",
        "sure",
    ] == list(first)
    assert (10, True, "") == (len(str(first["probabilities"]).split(",")), first["sure"], first["reason"])


def test_programs_read_comma_separated_values(predict: Predict, folder: Path) -> None:
    (folder / "a7.png").rename(folder / 'a, "b".png')
    answer = predict("--csv", 'a, "b".png', "b3.png")
    rows = [*csv.DictReader(io.StringIO(answer.stdout.decode()))]

    assert ['a, "b".png', "b3.png"] == [row["file"] for row in rows]
    assert ["7", "3"] == [row["digit"] for row in rows]
    assert ["true", "true"] == [row["sure"] for row in rows]
    assert 1 == pytest.approx(sum(float(rows[0][f"p{digit}"]) for digit in range(10)), abs=1e-5)
    assert int(rows[0]["left"]) < int(rows[0]["right"])


def test_json_and_csv_at_once_are_wrong_arguments(predict: Predict) -> None:
    assert WRONG_ARGUMENTS == predict("--json", "--csv", "a7.png").returncode


def test_a_folder_gives_its_pictures_by_name_and_those_of_deeper_ones(predict: Predict) -> None:
    answer = predict("--json", ".")

    assert ["./a7.png", "./b3.png", "./line.png", "./deeper/c1.JPG"] == [*digits(answer)]
    assert ANSWERED == answer.returncode


def test_a_folder_without_pictures_cannot_be_read(predict: Predict, folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "empty" / ".hidden.png").touch()
    answer = predict("empty", "a7.png")

    assert UNREADABLE == answer.returncode
    assert b"digits: empty: no picture in this folder\n" == answer.stderr
    assert 2 == len(lines(answer))


def test_links_that_lead_round_in_a_circle_are_passed_over(predict: Predict, folder: Path) -> None:
    (folder / "deeper" / "up").symlink_to("..")
    (folder / "deeper" / "loop.png").symlink_to("loop.png")
    answer = predict("--json", "deeper")

    assert {"deeper/c1.JPG": 1} == digits(answer)
    assert UNREADABLE == answer.returncode
    assert answer.stderr.startswith(b"digits: deeper/loop.png: ")
    assert 1 == answer.stderr.count(b"\n")


def test_a_pattern_that_the_shell_left_is_resolved(predict: Predict) -> None:
    assert {"a7.png": 7, "b3.png": 3} == digits(predict("--json", "[ab]?.png"))
    assert {"deeper/c1.JPG": 1} == digits(predict("--json", "**/*.JPG"))


def test_a_file_whose_name_looks_like_a_pattern_is_itself(predict: Predict, folder: Path) -> None:
    (folder / "a7.png").rename(folder / "[ab]?.png")

    assert {"[ab]?.png": 7} == digits(predict("--json", "[ab]?.png"))


def test_a_pattern_without_a_file_cannot_be_read(predict: Predict) -> None:
    answer = predict("*.bmp")

    assert (UNREADABLE, b"digits: *.bmp: no file has such a name\n") == (answer.returncode, answer.stderr)


def test_a_dash_is_the_picture_on_standard_input(predict: Predict, folder: Path) -> None:
    answer = predict("--json", "-", "b3.png", given=(folder / "a7.png").read_bytes())

    assert {"-": 7, "b3.png": 3} == digits(answer)


def test_an_empty_standard_input_cannot_be_read(predict: Predict) -> None:
    answer = predict("-")

    assert UNREADABLE == answer.returncode
    assert answer.stderr.startswith(b"digits: -: ")
    assert 1 == answer.stderr.count(b"\n")


def test_a_closed_stream_moves_nothing_to_the_other(command: list[str], folder: Path) -> None:
    closed = 'exec "$0" "$@" 2>&-'
    answer = subprocess.run(
        ["sh", "-c", closed, *command, "--json", "nowhere.png", "a7.png"],
        cwd=folder,
        capture_output=True,
        check=False,
    )

    assert UNREADABLE == answer.returncode
    assert {"a7.png": 7} == digits(answer)


def test_bad_files_are_told_one_line_each_and_the_others_answered(predict: Predict, folder: Path) -> None:
    (folder / "bad.png").write_text("no picture", encoding="utf-8")
    (folder / "cut.png").write_bytes((folder / "a7.png").read_bytes()[:200])
    (folder / "empty.png").touch()
    answer = predict("--json", "bad.png", "a7.png", "cut.png", "nowhere.png", "b3.png", "empty.png")
    told = answer.stderr.decode().splitlines()

    assert UNREADABLE == answer.returncode
    assert {"a7.png": 7, "b3.png": 3} == digits(answer)
    assert ["bad.png", "cut.png", "nowhere.png", "empty.png"] == [line.split(": ")[1] for line in told]
    assert all(line.startswith("digits: ") for line in told)


def test_many_digits_are_shown_each_with_its_place(predict: Predict) -> None:
    answer = predict("--many", "line.png", "a7.png")
    rows = [row.split() for row in lines(answer)[1:]]
    boxes = [each["box"] for each in objects(predict("--many", "--json", "line.png"))]

    assert ["4", "0", "2", "7"] == [row[1] for row in rows]
    left, top, right, bottom = boxes[0]  # type: ignore[misc]
    assert f"{right - left}x{bottom - top}+{left}+{top}" == rows[0][3]


def test_many_digits_on_a_blank_page_are_one_unsure_line(predict: Predict, folder: Path) -> None:
    Image.new("L", (200, 60), 255).save(folder / "blank.png")

    assert ["no ink found"] == [each["reason"] for each in objects(predict("--many", "--json", "blank.png"))]


@pytest.mark.parametrize("many", [[], ["--many"]])
def test_an_explanation_is_drawn_beside_the_answer(many: list[str], predict: Predict, folder: Path) -> None:
    answer = predict("--explain", "steps.png", "line.png", *many)

    assert (ANSWERED, b"") == (answer.returncode, answer.stderr)
    assert 2 if not many else 4 == len(lines(answer))
    with Image.open(folder / "steps.png") as image:
        assert ("PNG", 1700) == (image.format, image.width)


@pytest.mark.parametrize("arguments", [["steps.png", "a7.png", "b3.png"], ["steps.pdf", "a7.png"]])
def test_an_explanation_is_of_one_picture_and_a_png(
    arguments: list[str], predict: Predict, folder: Path
) -> None:
    answer = predict("--explain", *arguments)

    assert WRONG_ARGUMENTS == answer.returncode
    assert b"digits predict: error: --explain: " in answer.stderr
    assert not (folder / arguments[0]).exists()


def test_keras_answers_too(predict: Predict, classifier_files: Path) -> None:
    model = str(classifier_files / "calibrated.keras")
    answer = predict("--json", "--engine", "keras", "--model", model, "a7.png", "b3.png")

    assert {"a7.png": 7, "b3.png": 3} == digits(answer)
    assert b"" == answer.stderr


def test_an_unknown_engine_is_a_wrong_argument(predict: Predict) -> None:
    assert WRONG_ARGUMENTS == predict("--engine", "abacus", "a7.png").returncode


def test_without_a_model_a_line_says_how_to_make_it(command: list[str], folder: Path) -> None:
    answer = subprocess.run([*command[:4], "a7.png"], cwd=folder, capture_output=True, check=False)

    expected = b"digits: data/model.tflite: no such file; in the repository, `make` or `dvc repro` makes it\n"
    assert (UNREADABLE, expected, b"") == (answer.returncode, answer.stderr, answer.stdout)


def test_an_answer_is_there_before_the_next_picture_is_read(command: list[str], folder: Path) -> None:
    with subprocess.Popen(
        [*command, "--json", "a7.png", "-"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        first = process.stdout.readline()
        process.stdin.write((folder / "b3.png").read_bytes())
        process.stdin.close()
        rest = process.stdout.read()

    assert [7, 3] == [json.loads(line)["digit"] for line in (first, rest)]


def test_a_reader_who_has_enough_ends_the_command_without_a_word(command: list[str], folder: Path) -> None:
    with subprocess.Popen(
        [*command, "a7.png", "-", "b3.png"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write((folder / "b3.png").read_bytes())
        process.stdin.close()
        said = process.stderr.read()

    assert (CLOSED_PIPE, b"") == (process.returncode, said)


def test_a_name_cannot_move_the_cursor_of_the_terminal(predict: Predict, folder: Path) -> None:
    (folder / "a7.png").rename(folder / "a\n\x1b[2J7.png")
    answer = predict("a\n\x1b[2J7.png")

    assert ["file", r"a\n\x1b[2J7.png"] == [line.split()[0] for line in lines(answer)]


def test_an_encoding_without_blocks_gets_a_bar_of_letters(
    command: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    (folder / "a7.png").rename(folder / "ä7.png")
    answer = subprocess.run([*command, "ä7.png"], cwd=folder, capture_output=True, check=False)

    assert (ANSWERED, b"") == (answer.returncode, answer.stderr)
    assert lines(answer)[1].startswith(r"\xe47.png") or lines(answer)[1].startswith("\\xe47.png")
    assert "####" in lines(answer)[1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_shows_on_a_terminal_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict_command, "LONG_WORK", 0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    out = io.StringIO()
    with predict_command._progress([Source("a"), Source("b")]) as (sources, say):
        for source in sources:
            say(f"read {source.name}", out)
        shown = sys.stderr.getvalue()

    assert "read a\nread b\n" == out.getvalue()
    assert "2/2" in shown or "/2" in shown


def test_short_work_and_a_stream_that_is_no_terminal_show_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, file = Terminal(), io.StringIO()
    for stream, sources in ((screen, [Source("a")]), (file, [Source("a"), Source("b")])):
        monkeypatch.setattr(sys, "stderr", stream)
        with predict_command._progress(sources) as (pictures, say):
            for source in pictures:
                say(source.name, io.StringIO())

    assert ("", "") == (screen.getvalue(), file.getvalue())


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
