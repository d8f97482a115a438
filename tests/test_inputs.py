"""What the arguments of `digits predict` stand for, and what of a folder is skipped."""

import sys
from pathlib import Path

import pytest

from digits.prediction.inputs import gather


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans/deeper").mkdir(parents=True)
    (tmp_path / "scans/1.png").touch()
    return tmp_path / "scans"


def skipped(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).touch()
    return gather([folder.name])[1]


def test_files_of_a_folder_that_are_no_pictures_are_named_in_one_line(folder: Path) -> None:
    lines = skipped(folder, "a.txt", "deeper/b.docx", "png")

    assert ["scans: skipped 3 files that are no pictures: a.txt, png, deeper/b.docx"] == lines


def test_of_many_skipped_files_the_first_are_named_and_all_are_counted(folder: Path) -> None:
    (line,) = skipped(folder, *(f"{number}.txt" for number in range(1200)))

    assert (
        "scans: skipped 1,200 files that are no pictures: 0.txt, 1.txt, 10.txt, 100.txt, 1000.txt, …" == line
    )


def test_what_systems_leave_behind_and_hidden_files_are_passed_over_in_silence(folder: Path) -> None:
    assert [] == skipped(folder, "Thumbs.db", "desktop.ini", ".DS_Store", ".hidden.txt")


def test_heic_is_skipped_with_the_way_to_read_it_where_its_library_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (line,) = skipped(folder, "photo.HEIC", "a.txt")

    assert line.startswith(
        "scans: skipped 1 file that is no picture: a.txt; and 1 HEIC picture (to read it, "
    )
    assert "install pillow-heif" in line and "heif-convert" in line
    assert line.endswith(": photo.HEIC")
    assert ["scans/1.png"] == [source.name for source in gather(["scans"])[0]]


def test_heic_is_read_where_its_library_is_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", sys)
    lines = skipped(folder, "photo.HEIC")

    assert [] == lines
    assert ["scans/1.png", "scans/photo.HEIC"] == [source.name for source in gather(["scans"])[0]]


def test_a_name_that_would_break_the_line_is_escaped(folder: Path) -> None:
    (line,) = skipped(folder, "a\nb.txt")

    assert r"a\nb.txt" in line and "\n" not in line


def test_each_folder_has_a_line_of_its_own(folder: Path) -> None:
    (folder / "deeper/1.png").touch()
    (folder / "deeper/a.txt").touch()

    assert 2 == len(gather(["scans", "scans/deeper"])[1])
