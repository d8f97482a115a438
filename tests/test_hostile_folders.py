"""Folders that no dataset can be made of: one line that says what and where, and nothing is written."""

import errno
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digits.cli import main
from digits.packing import gathering, keeping, reading
from tests.test_packing import SIZE, fill, picture

Change = Callable[[Path], object]


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    fill(tmp_path / "flowers/rose", 6)
    fill(tmp_path / "flowers/tulip", 6, first=100)
    return tmp_path / "flowers"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(repository: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Run `digits dataset`, which must fail and write nothing, and return its one line."""
    before = everything(repository)
    monkeypatch.setattr("sys.argv", ["digits", "dataset", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    line = str(caught.value.code)

    assert line.startswith("digits: ")
    assert 1 == len(line.splitlines())
    assert before == everything(repository)
    return line.removeprefix("digits: ")


def put(name: str, content: bytes) -> Change:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return change


def bomb() -> bytes:
    """Return a PNG of 20,000 by 20,000 pixels in few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        length, sum_ = len(content).to_bytes(4, "big"), zlib.crc32(kind + content).to_bytes(4, "big")
        return length + kind + content + sum_

    header = (20_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    pixels = zlib.compress(bytes(20_001) * 20)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def broken(folder: Path) -> None:
    picture(7, 40, 40).save(folder / "rose/broken.png")
    content = (folder / "rose/broken.png").read_bytes()
    (folder / "rose/broken.png").write_bytes(content[: len(content) // 2])


def in_parts(folder: Path) -> None:
    for part in ("train", "test"):
        fill(folder / part / "rose", 6, first=0 if part == "train" else 50)
        fill(folder / part / "tulip", 6, first=100 if part == "train" else 150)
    for name in ("rose", "tulip"):
        for path in (folder / name).iterdir():
            path.unlink()
        (folder / name).rmdir()


def only_in_test(folder: Path) -> None:
    in_parts(folder)
    fill(folder / "test/daisy", 3, first=300)


def same_under_two_labels(folder: Path) -> None:
    picture(3).save(folder / "tulip/other name.bmp")


def one_file_each(folder: Path) -> None:
    fill(folder / "daisy", 1, first=300)


def few_in_train(folder: Path) -> None:
    in_parts(folder)
    fill(folder / "train/daisy", 1, first=300)
    fill(folder / "test/daisy", 1, first=301)


UNREADABLE = "; --skip-unreadable leaves out what cannot be read"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "daisy").mkdir(), "{folder}/daisy: the class 'daisy' has no picture"),
        (put("daisy/.DS_Store", b"x"), "{folder}/daisy: the class 'daisy' has no picture"),
        (
            one_file_each,
            "the class 'daisy' has 1 different picture that can be read; needed: one each to train, to "
            "validate and to test",
        ),
        (only_in_test, "{folder}: the class 'daisy' is in test/ and not in train/"),
        (
            few_in_train,
            "the class 'daisy' has 1 different picture in train/ that can be read; needed: 2 at least",
        ),
        (
            put("rose/notes.txt", b"where they are from"),
            "rose/notes.txt: no picture that can be read; allowed: PNG, JPEG, GIF, BMP, TIFF, WEBP, PPM, AVIF"
            + UNREADABLE,
        ),
        (put("rose/empty.png", b""), "rose/empty.png: empty, expected a picture" + UNREADABLE),
        (
            put("rose/bomb.png", bomb()),
            "rose/bomb.png: more pixels than are read (",
        ),
        (broken, "rose/broken.png: damaged, or of a kind that cannot be read ("),
        (
            lambda folder: (folder / "rose/again").symlink_to(folder / "rose"),
            "{folder}/rose/again: a link back to a folder that it stands in",
        ),
        (
            lambda folder: (folder / "rose/all").symlink_to(".."),
            "{folder}/rose/all: a link back to a folder that it stands in",
        ),
        (
            lambda folder: (folder / "rose/self").symlink_to("self"),
            "rose/self: Too many levels of symbolic links" + UNREADABLE,
        ),
        (
            lambda folder: (folder / "rose/gone.png").symlink_to("nowhere"),
            "rose/gone.png: No such file or directory" + UNREADABLE,
        ),
        (lambda folder: os.mkfifo(folder / "rose/pipe"), "rose/pipe: not a regular file" + UNREADABLE),
        (
            lambda folder: fill(folder / "Rose", 6, first=300),
            "{folder}: the classes 'Rose' and 'rose' differ by case only",
        ),
        (
            same_under_two_labels,
            "rose/3.png and tulip/other name.bmp are the same picture under two labels, 'rose' and 'tulip'",
        ),
        (lambda folder: (folder / "train").mkdir(), "{folder}: there is no test/ beside train/"),
        (
            lambda folder: [(folder / part).mkdir() for part in ("train", "test")],
            "{folder}: rose/ stands beside train/ and test/; allowed: only those",
        ),
        (put("line\nbreak/1.png", b""), "{folder}: 'line\\nbreak' cannot be the name of a class; expected "),
        (put("labels.csv", b"name,class\n"), "{folder}/labels.csv: no column 'file'; expected the columns "),
        (put("labels.csv", b""), "{folder}/labels.csv: no column 'file'; expected the columns file, class"),
        (put("labels.csv", b"\xff\xfe"), "{folder}/labels.csv: not a table in UTF-8 ("),
        (put("labels.csv", b"file,class\nrose/1.png\n"), "{folder}/labels.csv: row 2 lacks its class"),
        (
            put("labels.csv", b"file,class\n../x.png,a\n"),
            "{folder}/labels.csv: '../x.png' in row 2 is no path in the folder",
        ),
        (
            put("labels.csv", b"file,class\nrose/1.png,a\nrose/2.png,b\n./rose/1.png,b\n"),
            "{folder}/labels.csv: './rose/1.png' in row 4 is of the class 'b', and of another before",
        ),
        (
            put("labels.csv", b"file,class\nrose/1.png,a\nrose/2.png,a\n"),
            "{folder}: the class 'a' only; expected 2 to 1000: a folder for each, or train/ and test/ with ",
        ),
        (
            put("labels.csv", b"file,class\nrose/none.png,a\nrose/2.png,b\n"),
            "rose/none.png: No such file or directory" + UNREADABLE,
        ),
    ],
)
def test_one_line_says_what_is_wrong_and_nothing_is_written(
    repository: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch, change: Change, message: str
) -> None:
    change(flowers)
    line = refusal(repository, monkeypatch, "flowers", str(flowers), *SIZE)

    assert line.startswith(message.format(folder=flowers)), line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("flowers", "nowhere", *SIZE), "nowhere: no such folder"),
        (("flowers", "params.yaml", *SIZE), "params.yaml: no such folder"),
        (("flowers", "empty", *SIZE), "empty: 0 classes; expected 2 to 1000: a folder for each, "),
        (("flowers", "."), "--height is missing: the images of a dataset have one size"),
        (("flowers", ".", "--height=9"), "--width is missing"),
        (("flowers", ".", "--height=0", "--width=9"), "--height 0: expected 1 to 4096"),
        (("flowers", ".", "--height=9", "--width=5000"), "--width 5000: expected 1 to 4096"),
        (("flowers", ".", *SIZE, "--test-share=1"), "--test-share 1: expected more than 0 and less than 1"),
        (("flowers", ".", *SIZE, "--test-share=nan"), "--test-share nan: expected more than 0 "),
        (("../x", ".", *SIZE), "'../x' cannot be the name of a dataset; allowed: letters, digits, - and _"),
        (("2024", ".", *SIZE), "'2024' cannot be the name of a dataset"),
        (("no", ".", *SIZE), "'no' cannot be the name of a dataset"),
        (("", ".", *SIZE), "'' cannot be the name of a dataset"),
        (
            ("mnist", ".", *SIZE),
            "datasets/mnist.yaml is there, of another source; choose another name",
        ),
    ],
)
def test_wrong_arguments_are_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    described = Path(__file__).parent.parent / "datasets/mnist.yaml"
    for name in ("datasets", "empty"):
        (repository / name).mkdir()
    (repository / "datasets/mnist.yaml").write_bytes(described.read_bytes())

    assert refusal(repository, monkeypatch, *arguments).startswith(message)


def test_outside_of_a_pipeline_nothing_is_made(
    tmp_path: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    line = refusal(tmp_path / "elsewhere", monkeypatch, "flowers", str(flowers), *SIZE)

    assert "dvc.yaml: no such file; this command runs in the folder of the pipeline" == line


def test_a_folder_without_permission_is_named(
    repository: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made up, as an administrator may read everything."""
    scandir = os.scandir

    def refusing(folder: Path) -> object:
        if Path(folder).name == "rose":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(gathering.os, "scandir", refusing)
    line = refusal(repository, monkeypatch, "flowers", str(flowers), *SIZE)

    assert f"{flowers}/rose: Permission denied" == line


def test_a_file_without_permission_is_named(
    repository: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def refusing(path: Path, *arguments: str, **options: str) -> object:
        if path.name == "3.png":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refusing)
    line = refusal(repository, monkeypatch, "flowers", str(flowers), *SIZE)

    assert "rose/3.png: Permission denied" + UNREADABLE == line


def test_all_that_cannot_be_read_is_named_and_can_be_left_out(
    repository: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for change in (broken, put("rose/notes.txt", b"x"), put("tulip/bomb.png", bomb())):
        change(flowers)
    line = refusal(repository, monkeypatch, "flowers", str(flowers), *SIZE)

    assert "rose/broken.png: " in line
    assert " (and 2 more files cannot be read)" + UNREADABLE in line
    named = capsys.readouterr().out.splitlines()
    assert ["rose/broken.png:", "rose/notes.txt:", "tulip/bomb.png:"] == [line.split()[3] for line in named]

    monkeypatch.setattr(
        "sys.argv", ["digits", "dataset", "flowers", str(flowers), *SIZE, "--skip-unreadable"]
    )
    with pytest.raises(SystemExit) as caught:
        main()
    assert 0 == caught.value.code
    out = capsys.readouterr().out
    assert 3 == out.count("cannot be read: ")
    assert 12 == sum(map(int, next(line for line in out.splitlines() if line.startswith("all")).split()[1:]))


def test_an_interruption_leaves_the_last_dataset(
    repository: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["digits", "dataset", "flowers", str(flowers), *SIZE])
    with pytest.raises(SystemExit):
        main()
    before = everything(repository)
    fill(flowers / "rose", 3, first=500)

    def interrupted(content: bytes, *_: object) -> np.ndarray:
        raise KeyboardInterrupt

    for place, name in ((reading, "read_content"), (keeping, "packed_images")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, interrupted)
            with pytest.raises(SystemExit) as caught:
                main()
        assert 130 == caught.value.code
        assert before == everything(repository)


def test_a_full_disk_leaves_the_last_dataset(
    repository: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["digits", "dataset", "flowers", str(flowers), *SIZE])
    with pytest.raises(SystemExit):
        main()
    fill(flowers / "rose", 3, first=500)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("digits.files.np.lib.format.write_array_header_1_0", full)
    line = refusal(repository, monkeypatch, "flowers", str(flowers), *SIZE)

    assert "datasets/flowers.npz: cannot be written: No space left on device" == line


def test_what_dvc_says_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flowers: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).touch()
    monkeypatch.setattr("sys.argv", ["digits", "dataset", "flowers", str(flowers), *SIZE])
    with pytest.raises(SystemExit) as caught:
        main()
    line = str(caught.value.code)

    assert 1 == len(line.splitlines())
    assert line.startswith("digits: datasets/flowers.npz is packed, but DVC does not have it (you are not ")
    assert line.endswith("; to add it: dvc add datasets/flowers.npz")
