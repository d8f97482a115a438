"""The check of the installed libraries against the locked ones, before a stage starts."""

from importlib.metadata import version
from pathlib import Path

import pytest

from digits.environment import check, differences, locked_versions
from tests.pipeline import REPOSITORY, Project

NUMPY = version("numpy")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lock(folder: Path, text: str) -> Path:
    (folder / "environment.yaml").write_text(text, encoding="utf-8")
    return folder / "environment.yaml"


def test_comments_and_blank_lines_of_the_lock_are_skipped(folder: Path) -> None:
    path = lock(folder, '# a comment\nnumpy: "2.4.6"\n\nscikit-learn: "1.9.1"\n')

    assert {"numpy": "2.4.6", "scikit-learn": "1.9.1"} == locked_versions(path)


def test_the_environment_of_the_tests_is_the_locked_one() -> None:
    assert [] == differences(locked_versions(REPOSITORY / "environment.yaml"))


def test_the_locked_environment_prints_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock(folder, f'numpy: "{NUMPY}"\n')
    check()

    assert ("", "") == capsys.readouterr()


def test_each_library_of_another_version_is_named_and_a_missing_one_stops_the_stage(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(folder, f'numpy: "1.0.0"\npillow: "{version("pillow")}"\nno-such-library: "2.0"\n')
    with pytest.raises(SystemExit, match="run `make`"):
        check()

    assert [
        f"numpy {NUMPY} is installed, the lock says 1.0.0",
        "no-such-library (none) is installed, the lock says 2.0",
    ] == capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("text", [None, "garbage\n"])
def test_a_lock_that_cannot_be_read_is_named_in_one_line(folder: Path, text: str | None) -> None:
    if text is not None:
        lock(folder, text)
    with pytest.raises(SystemExit) as caught:
        check()

    assert str(caught.value).startswith("environment.yaml: ")
    assert 1 == len(str(caught.value).splitlines())


def test_a_stage_names_another_version_and_does_its_work(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project", without=[".dvc", ".git"])
    lock(project.folder, 'numpy: "1.0.0"\n')
    result = project.stage("fetch")

    assert 0 == result.returncode
    assert f"numpy {NUMPY} is installed, the lock says 1.0.0\n" == result.stderr
