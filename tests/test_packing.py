"""A folder of pictures becomes a dataset: its arrays, its description, and what is told of it."""

import argparse
import csv
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from digits.data.datasets import DATASETS, Dataset, read_dataset
from digits.data.preparation import check_raw, split
from digits.data.sources import fetch
from digits.files import Arrays, Stream, read_arrays, read_stream, write_arrays, write_streams
from digits.packing import command, pack, reading
from digits.packing.gathering import natural
from digits.packing.splitting import tests_by_content as chosen_to_test
from tests.pipeline import Project

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
SIZE = ("--height", "12", "--width", "10", "--color")

MakeDataset = Callable[..., Dataset]


@pytest.fixture
def make(repository: Path) -> MakeDataset:
    """Return a function that runs `digits dataset flowers` on a folder, and returns the dataset."""

    def make(folder: Path, *options: str) -> Dataset:
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        arguments = parser.parse_args(["flowers", str(folder), *(options or SIZE)])

        assert 0 == arguments.run(arguments)
        return read_dataset("flowers", DATASETS)

    return make


def picture(seed: int, height: int = 12, width: int = 10) -> Image.Image:
    """Return a picture of noise."""
    random = np.random.Generator(np.random.PCG64(seed))
    return Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))


def fill(folder: Path, count: int, first: int = 0) -> Path:
    """Write `count` different pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        picture(seed).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """Return a folder with 30 roses and 20 tulips."""
    fill(tmp_path / "flowers/rose", 30)
    fill(tmp_path / "flowers/tulip", 20, first=100)
    return tmp_path / "flowers"


def arrays_of(name: str = "flowers") -> Arrays:
    return read_arrays(DATASETS / f"{name}.npz", ARRAYS)


def images_of(part: str) -> set[bytes]:
    return {image.tobytes() for image in arrays_of()[f"x_{part}"]}


def test_what_is_packed_is_what_the_pipeline_fetches(flowers: Path, make: MakeDataset) -> None:
    dataset = make(flowers)
    arrays = fetch(dataset, [])

    assert ["rose", "tulip"] == dataset.classes
    assert (12, 10, 3) == dataset.image_shape
    assert 50 == dataset.train + dataset.test
    check_raw(arrays, dataset)
    assert 3 == len(split(arrays, 0.2, dataset.validation))
    expected = {np.asarray(picture(seed)).tobytes(): 0 for seed in range(30)}
    expected |= {np.asarray(picture(seed)).tobytes(): 1 for seed in range(100, 120)}
    found = {
        image.tobytes(): int(label)
        for part in ("train", "test")
        for image, label in zip(arrays[f"x_{part}"], arrays[f"y_{part}"], strict=True)
    }
    assert expected == found


def test_the_description_says_what_is_not_known(flowers: Path, make: MakeDataset) -> None:
    dataset = make(flowers)

    assert "the folder flowers, given by its user" == dataset.origin
    assert "not stated" == dataset.licence
    assert ("fit", "any", "stratified") == (dataset.framing, dataset.ground, dataset.validation)
    assert not dataset.mirrored
    assert not dataset.characters
    largest = np.bincount(arrays_of()["y_test"]).max() / dataset.test
    assert largest - 0.001 < dataset.accuracy_above <= largest


def test_options_say_what_is_true_of_the_dataset(flowers: Path, make: MakeDataset) -> None:
    options = ("--mirrored", "--characters", "--framing=crop", "--ground=dark", "--origin=me")
    dataset = make(flowers, "--height=8", "--width=8", "--test-share=0.4", "--licence=CC0", *options)

    assert (dataset.mirrored, dataset.characters, dataset.framing) == (True, True, "crop")
    assert ("dark", "me", "CC0", 1) == (dataset.ground, dataset.origin, dataset.licence, dataset.channels)
    assert 0.2 < dataset.test / 50 < 0.6
    assert (dataset.train, 8, 8) == arrays_of()["x_train"].shape


def test_neither_names_nor_order_nor_times_of_files_change_a_byte(
    flowers: Path, tmp_path: Path, make: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(flowers)
    before = (DATASETS / "flowers.npz").read_bytes()
    other = tmp_path / "other"
    for number, path in enumerate(sorted(flowers.rglob("*.png"), reverse=True)):
        place = other / path.parent.name / "deep" / f"Bild {number} ä.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
        os.utime(place, (number, number))
    (DATASETS / "flowers.yaml").unlink()
    monkeypatch.setattr(reading, "AHEAD", 1)
    make(other)

    assert before == (DATASETS / "flowers.npz").read_bytes()


def test_the_file_is_the_one_that_fetch_writes(flowers: Path, make: MakeDataset, tmp_path: Path) -> None:
    """DVC keeps both once."""
    make(flowers)
    write_arrays(tmp_path / "fetched.npz", arrays_of())

    assert (tmp_path / "fetched.npz").read_bytes() == (DATASETS / "flowers.npz").read_bytes()


def test_more_pictures_move_none_between_the_parts(flowers: Path, make: MakeDataset) -> None:
    make(flowers)
    before = images_of("train"), images_of("test")
    fill(flowers / "rose", 40, first=1000)
    make(flowers)
    after = images_of("train"), images_of("test")

    assert before[0] < after[0]
    assert before[1] < after[1]


def test_copies_of_a_picture_stand_in_one_part_and_are_told(
    flowers: Path, make: MakeDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, path in enumerate(sorted((flowers / "rose").iterdir())):
        Image.open(path).save(flowers / "rose" / f"copy of {number}.bmp")
    dataset = make(flowers)

    assert 80 == dataset.train + dataset.test
    assert not images_of("train") & images_of("test")
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("copies: ")]
    assert "copies: rose/0.png, rose/copy of 0.bmp" in told
    assert pack.NAMED == len(told)


def test_what_people_have_in_folders_is_left_aside(flowers: Path, make: MakeDataset) -> None:
    make(flowers)
    before = arrays_of()
    for name in (".DS_Store", "Thumbs.db", "rose/Thumbs.db", "rose/.hidden.png", "tulip/desktop.ini"):
        (flowers / name).write_bytes(b"nothing")
    (flowers / "__MACOSX").mkdir()
    (flowers / ".git").mkdir()
    (flowers / "notes.txt").write_text("where the pictures are from")
    make(flowers)

    assert all(np.array_equal(before[name], array) for name, array in arrays_of().items())


def test_classes_may_have_spaces_and_any_alphabet_and_stand_in_natural_order(
    tmp_path: Path, make: MakeDataset
) -> None:
    names = ["cl 2", "cl 10", "Äpfel", "δέντρο", "дом", "樹"]
    for number, name in enumerate(names):
        fill(tmp_path / "all" / name, 4, first=10 * number)
    dataset = make(tmp_path / "all")

    assert ["cl 2", "cl 10", "Äpfel", "δέντρο", "дом", "樹"] == dataset.classes
    assert 1 == (DATASETS / "flowers.yaml").read_text(encoding="utf-8").count("樹")


def test_a_name_that_a_file_system_took_apart_is_put_together(tmp_path: Path, make: MakeDataset) -> None:
    fill(tmp_path / "all" / "A\u0308pfel", 4)
    fill(tmp_path / "all" / "birne", 4, first=10)

    assert "Äpfel" in make(tmp_path / "all").classes


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "9", "1"], ["1", "9", "10"]),
        (["b", "A", "a", "B"], ["A", "a", "B", "b"]),
        (["x2y10", "x2y9", "x10"], ["x2y9", "x2y10", "x10"]),
        (["٣", "2", "a²"], ["2", "a²", "٣"]),
    ],
)
def test_natural_order(names: list[str], expected: list[str]) -> None:
    assert expected == sorted(names, key=natural)


def test_the_names_of_labels_are_texts_even_if_they_look_like_numbers(
    tmp_path: Path, make: MakeDataset
) -> None:
    for number, name in enumerate(("1", "no", "1e3", "a: b")):
        fill(tmp_path / "all" / name, 4, first=10 * number)

    assert ["1", "1e3", "a: b", "no"] == make(tmp_path / "all").classes


def test_train_and_test_are_kept_as_they_are(tmp_path: Path, make: MakeDataset) -> None:
    for part, count, first in (("train", 6, 0), ("test", 3, 500)):
        fill(tmp_path / "all" / part / "rose", count, first)
        fill(tmp_path / "all" / part / "tulip", count, first + 100)
    dataset = make(tmp_path / "all")

    assert (12, 6) == (dataset.train, dataset.test)
    expected = {np.asarray(picture(seed)).tobytes() for seed in (500, 501, 502, 600, 601, 602)}
    assert expected == images_of("test")
    assert "test_share: 0.0}" in (DATASETS / "flowers.yaml").read_text(encoding="utf-8")


def test_pictures_in_both_parts_are_told(
    tmp_path: Path, make: MakeDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "test"):
        fill(tmp_path / "all" / part / "rose", 4)
        fill(tmp_path / "all" / part / "tulip", 4, 100)
    make(tmp_path / "all")

    assert "8 pictures are in train/ and in test/: the test accuracy will flatter" in capsys.readouterr().out


def test_a_table_tells_the_classes(tmp_path: Path, make: MakeDataset) -> None:
    fill(tmp_path / "all/scans, old", 12)
    rows = [(f"scans, old/{number}.png", "even" if number % 2 == 0 else "odd") for number in range(12)]
    for mark, start in ((",", ""), (";", "\ufeff")):
        with (tmp_path / "all/labels.csv").open("w", encoding="utf-8", newline="") as file:
            file.write(start)
            csv.writer(file, delimiter=mark).writerows([("file", "class"), *rows])
        dataset = make(tmp_path / "all")

        assert ["even", "odd"] == dataset.classes
        assert 12 == dataset.train + dataset.test


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tif", "webp", "ppm", "avif"])
def test_every_format_is_read_whatever_its_name(tmp_path: Path, make: MakeDataset, ending: str) -> None:
    for name, level in (("dark", 40), ("light", 210)):
        (tmp_path / "all" / name).mkdir(parents=True)
        for number in range(4):
            image = Image.new("RGB", (60 + number, 50), (level + 5 * number,) * 3)
            image.save(tmp_path / "all" / name / f"{number}.{ending}")
            (tmp_path / "all" / name / f"{number}.{ending}").rename(tmp_path / "all" / name / f"{number}")
    make(tmp_path / "all")
    arrays = arrays_of()

    for image, label in zip(arrays["x_train"], arrays["y_train"], strict=True):
        assert (image.mean() > 128) == (label == 1)


def test_a_picture_is_turned_as_the_camera_was_held(tmp_path: Path, make: MakeDataset) -> None:
    fill(tmp_path / "all/other", 4)
    (tmp_path / "all/top").mkdir()
    for number in range(4):
        pixels = np.full((20, 20, 3), 10 * number, np.uint8)
        pixels[:, :10] = 250  # on the left as stored, on top as it is shown
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(pixels).save(tmp_path / f"all/top/{number}.png", exif=exif)
    make(tmp_path / "all", "--height=4", "--width=4")
    arrays = arrays_of()
    shown = arrays["x_train"][arrays["y_train"] == 1]

    assert (shown[:, 0] > 240).all()
    assert (shown[:, 3] < 60).all()


def test_the_report_says_sizes_modes_and_small_classes(
    flowers: Path, make: MakeDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(flowers / "daisy", 3, first=200)
    Image.new("L", (300, 200), 7).save(flowers / "rose/grey.png")
    make(flowers)
    lines = capsys.readouterr().out.splitlines()

    assert ["class", "train", "test"] == lines[0].split()
    assert [31, 20, 3, 54] == [
        sum(map(int, next(line for line in lines if line.startswith(name)).split()[1:]))
        for name in ("rose", "tulip", "daisy", "all")
    ]
    assert "sizes: 10x12 to 300x200, most often 10x12 (53 pictures)" in lines
    assert "modes: RGB (53), L (1)" in lines
    assert "near-empty: daisy has 3 pictures, too few to learn much from" in lines
    assert "unbalanced: rose has 10 times as many pictures as daisy" in lines


def test_the_smallest_class_has_pictures_in_every_part(flowers: Path, make: MakeDataset) -> None:
    for name, first in (("a", 300), ("b", 400), ("c", 500), ("d", 600), ("e", 700)):
        fill(flowers / name, 3, first)
    dataset = make(flowers)

    check_raw(arrays_of(), dataset)
    parts = split(arrays_of(), 0.2, "stratified")
    assert all(7 == len(set(part.labels.tolist())) for part in parts.values())


def test_running_again_keeps_settings_and_tells_what_was_added(
    flowers: Path, make: MakeDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    make(flowers, *SIZE, "--licence=CC0", "--test-share=0.3")
    path = DATASETS / "flowers.yaml"
    text = path.read_text(encoding="utf-8").replace("mirrored: false", "mirrored: true")
    path.write_text(re.sub("accuracy_above: .*", "accuracy_above: 0.9", text), encoding="utf-8")
    fill(flowers / "rose", 5, first=2000)
    fill(flowers / "daisy", 3, first=3000)
    (flowers / "tulip/100.png").unlink()
    capsys.readouterr()
    dataset = make(flowers, "--skip-unreadable")
    lines = capsys.readouterr().out.splitlines()

    assert ("CC0", True, (12, 10, 3)) == (dataset.licence, dataset.mirrored, dataset.image_shape)
    assert 0.9 == dataset.accuracy_above
    assert "added since the last time: daisy (3), rose (5)" in lines
    assert "gone since the last time: tulip (1)" in lines
    assert "test_share: 0.3}" in path.read_text(encoding="utf-8")
    make(flowers, "--skip-unreadable")
    assert "the same pictures as the last time" in capsys.readouterr().out.splitlines()


def test_nothing_is_compared_with_images_of_another_form(
    flowers: Path, make: MakeDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    make(flowers)
    make(flowers, "--width=16")

    assert "last time" not in capsys.readouterr().out
    assert (12, 16) == arrays_of()["x_test"].shape[1:3]


def test_the_contact_sheet_shows_each_class(flowers: Path, make: MakeDataset) -> None:
    make(flowers)
    with Image.open("reports/dataset.png") as sheet:
        colours = np.asarray(sheet.convert("RGB")).reshape(-1, 3)
    wanted = arrays_of()["x_train"][:1].reshape(-1, 3)

    assert {tuple(pixel) for pixel in wanted.tolist()} <= {tuple(pixel) for pixel in colours.tolist()}


def test_a_sheet_of_many_classes_is_no_taller_than_a_few_screens(tmp_path: Path, make: MakeDataset) -> None:
    for number in range(300):
        fill(tmp_path / "all" / f"class {number} with a name that is far too long", 3, first=3 * number)
    dataset = make(tmp_path / "all", "--height=12", "--width=10")

    assert 300 == len(dataset.classes)
    assert np.dtype("<u2") == arrays_of()["y_train"].dtype
    with Image.open("reports/dataset.png") as sheet:
        assert sheet.height < 10_000
        assert sheet.width < 1000


def test_streams_are_written_as_arrays_are(tmp_path: Path) -> None:
    arrays = {
        "x": np.arange(60, dtype=np.uint8).reshape(5, 3, 4),
        "y": np.arange(5, dtype=np.uint16),
    }
    write_arrays(tmp_path / "whole.npz", arrays)
    streams = {
        name: Stream(array.dtype, array.shape, [part.tobytes() for part in array])
        for name, array in arrays.items()
    }
    write_streams(tmp_path / "streamed.npz", streams)

    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "streamed.npz").read_bytes()
    blocks = [*read_stream(tmp_path / "streamed.npz", "x", 2)]
    assert [2, 2, 1] == [len(block) for block in blocks]
    assert np.array_equal(arrays["x"], np.concatenate(blocks))


def test_a_share_of_the_digests_tests() -> None:
    digests = np.array([hashlib.sha256(bytes([i % 256, i // 256])).digest() for i in range(5000)], "S32")
    keys = np.frombuffer(b"".join(bytes(digest).ljust(32, b"\0") for digest in digests), np.uint8)
    tests = chosen_to_test(keys.reshape(-1, 32), np.arange(5000) % 5, 0.2)

    assert 900 < tests.sum() < 1100


def test_dvc_keeps_the_arrays(tmp_path: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path / "kept", tmp_path / "home")
    project.folder.mkdir()
    project.home.mkdir()
    project.git("init", "--quiet")
    project.dvc("init", "--quiet")
    for name in ("dvc.yaml", "params.yaml"):
        (project.folder / name).write_text("stages: {}\n" if name == "dvc.yaml" else "{}\n")
    finished = project.run("python", "-m", "digits", "dataset", "flowers", str(flowers), *SIZE)

    assert 0 == finished.returncode, finished.stderr
    assert "wrote datasets/flowers.npz, datasets/flowers.npz.dvc, " in finished.stdout
    assert ["/flowers.npz"] == (project.folder / "datasets/.gitignore").read_text().splitlines()
    packed = project.folder / "datasets/flowers.npz"
    content = packed.read_bytes()
    packed.unlink()
    project.dvc("checkout", "datasets/flowers.npz.dvc")
    assert content == packed.read_bytes()
    assert [] == project.leftovers()
    described = yaml.safe_load((project.folder / "datasets/flowers.yaml").read_text(encoding="utf-8"))
    assert "packed" == described["sources"][0]["kind"]
