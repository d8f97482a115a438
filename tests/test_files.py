"""A file is whole or not there, and a fingerprint tells inputs apart."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.errors import DigitsError
from digits.files import fingerprint, whole_file, write_json, write_text


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_appears_with_its_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "one/two/file.txt", "ä\n")

    assert "ä\n".encode() == (tmp_path / "one/two/file.txt").read_bytes()
    assert ["file.txt"] == names_in(tmp_path / "one/two")


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old", encoding="utf-8")
    with whole_file(path) as partial:
        partial.write_text("new", encoding="utf-8")

        assert "old" == path.read_text(encoding="utf-8")
    assert "new" == path.read_text(encoding="utf-8")
    assert ["file.txt"] == names_in(tmp_path)


def test_the_temporary_file_stands_beside_and_ends_alike(tmp_path: Path) -> None:
    """A rename between disks would not be atomic, and writers choose a format by the ending."""
    with whole_file(tmp_path / "model.keras") as partial:
        partial.touch()

        assert (tmp_path, ".keras") == (partial.parent, partial.suffix)


@pytest.mark.parametrize("problem", [ValueError("no"), KeyboardInterrupt(), DigitsError("no")])
def test_whatever_happens_the_old_file_stays_and_nothing_lies_about(
    tmp_path: Path, problem: BaseException
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(type(problem)), whole_file(path) as partial:
        partial.write_text("ne", encoding="utf-8")
        raise problem

    assert "old" == path.read_text(encoding="utf-8")
    assert ["file.txt"] == names_in(tmp_path)


def test_a_refusal_of_the_system_names_the_file_that_was_wanted(tmp_path: Path) -> None:
    with (
        pytest.raises(DigitsError, match=r"file\.txt: cannot be written: No space left on device$"),
        whole_file(tmp_path / "file.txt"),
    ):
        raise OSError(28, os.strerror(28), "another file")

    assert [] == names_in(tmp_path)


def test_a_folder_in_the_files_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file.txt").mkdir()
    with pytest.raises(DigitsError, match=r"file\.txt: cannot be written: Is a directory$"):
        write_text(tmp_path / "file.txt", "new")

    assert ["file.txt"] == names_in(tmp_path)


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").touch()
    with pytest.raises(DigitsError, match=r"folder/file\.txt: cannot be written: "):
        write_text(tmp_path / "folder/file.txt", "new")


def test_the_file_has_the_permissions_that_the_user_wants(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "file.txt", "new")
    finally:
        os.umask(before)

    assert 0o640 == (tmp_path / "file.txt").stat().st_mode & 0o777


def test_json_has_sorted_keys_and_a_newline_at_the_end(tmp_path: Path) -> None:
    write_json(tmp_path / "file.json", {"b": {"d": 1, "c": [0.5, True]}, "a": "ä"})

    expected = (
        '{\n  "a": "\\u00e4",\n  "b": {\n    "c": [\n      0.5,\n      true\n    ],\n    "d": 1\n  }\n}\n'
    )
    assert expected == (tmp_path / "file.json").read_text(encoding="utf-8")


def test_json_holds_no_number_that_json_has_not(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nan"):
        write_json(tmp_path / "file.json", {"loss": float("nan")})

    assert [] == names_in(tmp_path)


@pytest.fixture
def two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        Path(name).write_text(name, encoding="utf-8")
    return [Path("one"), Path("two")]


def test_equal_inputs_have_one_fingerprint(two_files: list[Path]) -> None:
    one, two = two_files

    assert fingerprint([one, two], {"a": 1, "b": 2}, 3) == fingerprint([two, one], {"b": 2, "a": 1}, 3)


def test_another_content_name_or_value_has_another_fingerprint(two_files: list[Path]) -> None:
    one, two = two_files
    fingerprints = [
        fingerprint([one, two], 1),
        fingerprint([one], 1),
        fingerprint([two], 1),
        fingerprint([one, two], 2),
    ]
    one.write_text("onE", encoding="utf-8")
    fingerprints.append(fingerprint([one, two], 1))
    one.write_text("two", encoding="utf-8")
    two.write_text("one", encoding="utf-8")
    fingerprints.append(fingerprint([one, two], 1))

    assert 6 == len(set(fingerprints))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@given(one=VALUES, two=VALUES)
def test_different_values_have_different_fingerprints(one: Any, two: Any) -> None:
    def typed(value: Any) -> str:
        """Tell 1, 1.0 and True apart, which Python holds to be equal."""
        if isinstance(value, dict):
            return f"{{{sorted((key, typed(inner)) for key, inner in value.items())}}}"
        return str([typed(inner) for inner in value]) if isinstance(value, list) else repr(value)

    assert (typed(one) == typed(two)) == (fingerprint([], one) == fingerprint([], two))
