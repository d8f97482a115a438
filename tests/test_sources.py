"""The raw arrays come from the first source that has the right ones, whichever that is."""

import errno
import gzip
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

from digits.data.datasets import Folder, PackedFile, read_dataset
from digits.data.sources import FetchParams, fetch
from digits.errors import DigitsError, short
from digits.files import write_arrays
from digits.params import Params
from stages.fetch import main
from tests.pipeline import REPOSITORY
from tests.tiny_dataset import (
    ARRAYS,
    NOWHERE,
    assert_complete,
    dataset_from,
    failure,
    idx_files,
    write_files,
)


def test_an_npz_of_the_datasets_name_is_read(tmp_path: Path) -> None:
    write_arrays(tmp_path / "tiny.npz", ARRAYS)

    assert_complete(fetch(dataset_from(), [str(tmp_path)]))


def test_the_four_idx_files_are_read(tmp_path: Path) -> None:
    assert_complete(fetch(dataset_from(), [write_files(tmp_path, idx_files())]))


def test_the_four_idx_files_are_read_gzipped(tmp_path: Path) -> None:
    zipped = {f"{name}.gz": gzip.compress(content) for name, content in idx_files().items()}

    assert_complete(fetch(dataset_from(), [write_files(tmp_path, zipped)]))


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_files(tmp_path / "mine", idx_files())

    assert_complete(fetch(dataset_from(), ["~/mine"]))


def test_arrays_in_fortran_order_come_out_in_c_order(tmp_path: Path) -> None:
    write_arrays(tmp_path / "tiny.npz", {name: np.asfortranarray(array) for name, array in ARRAYS.items()})

    assert_complete(fetch(dataset_from(), [str(tmp_path)]))


def test_a_folder_named_like_a_file_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    dotted = {name.replace("-idx", ".idx"): content for name, content in idx_files().items()}

    assert_complete(fetch(dataset_from(), [write_files(tmp_path, dotted)]))


def test_an_empty_folder_says_which_files_are_missing(tmp_path: Path) -> None:
    expected = (
        "no train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
        "t10k-labels-idx1-ubyte, plain or gzipped"
    )
    assert expected == failure(dataset_from(), str(tmp_path))


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    files = idx_files()
    files["t10k-labels-idx1-ubyte"] = files["t10k-labels-idx1-ubyte"][:-1]
    expected = "t10k-labels-idx1-ubyte: damaged IDX file (cannot reshape array of size 2 into shape (3,))"

    assert expected == failure(dataset_from(), write_files(tmp_path, files))


def test_one_altered_pixel_is_noticed_and_its_array_named(tmp_path: Path) -> None:
    altered = ARRAYS["x_test"].copy()
    altered[2, 27, 27] ^= 1
    folder = write_files(tmp_path, idx_files({"x_test": altered}))

    assert failure(dataset_from(), folder).startswith("x_test has the SHA-256 ")


def test_another_shape_is_named_even_if_the_bytes_are_right(tmp_path: Path) -> None:
    folder = write_files(tmp_path, idx_files({"x_test": ARRAYS["x_test"].reshape(3, 14, 56)}))
    expected = "x_test is uint8 of shape (3, 14, 56); expected uint8 of shape (3, 28, 28)"

    assert expected == failure(dataset_from(), folder)


def test_another_type_is_named(tmp_path: Path) -> None:
    write_arrays(tmp_path / "tiny.npz", ARRAYS | {"y_test": ARRAYS["y_test"].astype(np.int64)})

    expected = "y_test is int64 of shape (3,); expected uint8 of shape (3,)"
    assert expected == failure(dataset_from(), str(tmp_path))


def test_no_source_is_tried_after_the_first_that_has_the_arrays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write_files(tmp_path / "bad", idx_files({"y_test": np.array([7, 2, 1, 0], np.uint8)}))
    good = write_files(tmp_path / "good", idx_files())

    assert_complete(fetch(dataset_from(), [bad, good, bad]))
    expected = [
        f"{bad}: reading",
        f"{bad}: failed (y_test is uint8 of shape (4,); expected uint8 of shape (3,))",
        f"{good}: reading",
        f"{good}: complete, every checksum is right",
    ]
    assert expected == capsys.readouterr().out.splitlines()


def test_when_all_fail_the_message_has_each_reason_and_a_way_out(tmp_path: Path) -> None:
    bad = write_files(tmp_path / "bad", idx_files({"y_test": np.array([7, 2, 1, 0], np.uint8)}))
    empty = write_files(tmp_path / "empty", {})
    with pytest.raises(DigitsError) as caught:
        fetch(dataset_from(), [bad, empty])

    expected = [
        "no source gave the arrays of tiny:",
        f"  {bad}: y_test is uint8 of shape (4,); expected uint8 of shape (3,)",
        f"  {empty}: no train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, plain or gzipped",
        "  nowhere: no such folder",
        "Put tiny.npz or the IDX files train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (plain or .gz)",
        "into a folder and set fetch.folders: [FOLDER] in params.yaml.",
    ]
    assert expected == str(caught.value).splitlines()


def test_a_folder_that_cannot_be_read_is_a_source_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)

    assert f"[Errno 13] Permission denied: '{tmp_path}'" == failure(dataset_from(), str(tmp_path))


@pytest.mark.parametrize("name", ["keras", "no/folder", "~nobody-here/x", "x" * 300, "~\0", ""])
def test_what_is_no_folder_stops_before_any_source_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    good = write_files(tmp_path, idx_files())
    with pytest.raises(DigitsError) as caught:
        fetch(dataset_from(), [good, name])

    assert f"params.yaml: fetch.folders: {short(name)} is no existing folder" == str(caught.value)
    assert "" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data", "fetch.folders: 'data' is not allowed; expected a valid list"),
        ("[data, 3]", "fetch.folders.1: 3 is not allowed; expected a valid string"),
    ],
)
def test_the_params_hold_a_list_of_folders(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"fetch:\n  folders: {text}\n")
    with pytest.raises(DigitsError) as caught:
        Params(path).section("fetch", FetchParams)

    assert str(caught.value).startswith(f"{path}: {expected}")


def test_the_datasets_own_folder_is_tried_after_those_of_the_params(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = write_files(tmp_path / "own", idx_files())
    empty = write_files(tmp_path / "empty", {})

    assert_complete(fetch(dataset_from(Folder(kind="folder", name="debian", path=own)), [empty]))
    assert "debian: complete, every checksum is right" == capsys.readouterr().out.splitlines()[-1]


def test_a_folder_that_this_machine_lacks_is_a_source_that_fails() -> None:
    assert "no such folder" == failure(dataset_from(NOWHERE))


def test_packed_arrays_are_beside_the_description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_arrays(Path("datasets/tiny.npz"), ARRAYS)

    assert_complete(fetch(dataset_from(PackedFile(kind="packed", name="packed", test_share=0.2)), []))


def test_packed_arrays_that_are_not_here_are_had_from_dvc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    expected = "datasets/tiny.npz: no such file; to get it: dvc pull datasets/tiny.npz.dvc"
    assert expected == failure(dataset_from(PackedFile(kind="packed", name="packed", test_share=0.2)))


def test_the_digits_of_scikit_learn_need_no_network() -> None:
    digits = read_dataset("scikit-digits", REPOSITORY / "datasets")
    arrays = fetch(digits, [])

    # The values are from 0 to 16.
    expected = load_digits()
    images = np.concatenate([arrays["x_train"], arrays["x_test"]])
    assert np.array_equal(np.rint(expected.images * 255 / 16), images)
    assert expected.target.tolist() == [*arrays["y_train"], *arrays["y_test"]]
    assert 360 == len(arrays["x_test"])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    (project / "datasets").mkdir(parents=True)
    (project / "params.yaml").write_text("dataset: tiny\nfetch:\n  folders: [../idx, ../npz]\n")
    values = dataset_from().model_dump(exclude={"name"})
    (project / "datasets/tiny.yaml").write_text(yaml.safe_dump(values))
    (tmp_path / "idx").mkdir()
    (tmp_path / "npz").mkdir()
    monkeypatch.chdir(project)
    return project


def test_every_source_gives_the_same_file(project: Path, tmp_path: Path) -> None:
    write_arrays(tmp_path / "npz" / "tiny.npz", {name: ARRAYS[name] for name in reversed(ARRAYS)})
    main()
    from_npz = (project / "data/arrays/tiny.npz").read_bytes()
    write_files(tmp_path / "idx", idx_files())
    main()

    assert from_npz == (project / "data/arrays/tiny.npz").read_bytes()


def test_a_failure_leaves_the_arrays_that_were_there(project: Path) -> None:
    write_arrays(project / "data/arrays/tiny.npz", ARRAYS)
    before = (project / "data/arrays/tiny.npz").read_bytes()
    with pytest.raises(DigitsError):
        main()

    assert before == (project / "data/arrays/tiny.npz").read_bytes()
    assert ["tiny.npz"] == [path.name for path in (project / "data/arrays").iterdir()]
