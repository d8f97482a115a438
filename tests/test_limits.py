"""A picture costs no more than so much time and memory, and what goes wrong with one is its line."""

import io
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits import predict_digit, predict_digits
from digits.classifier.classifier import load_classifier
from digits.decoding import limits
from digits.decoding.reading import MOST_SCANS, read_picture
from digits.errors import DigitsError
from digits.prediction import preprocessing


@pytest.fixture(autouse=True)
def new_processes() -> Iterator[None]:
    """Start each test without a process that waits for pictures, and leave none behind."""
    limits.close()
    yield
    limits.close()


def encoded(kind: str, size: tuple[int, int] = (20, 30), mode: str = "L", **options: object) -> bytes:
    content = io.BytesIO()
    Image.new(mode, size).save(content, kind, **options)
    return content.getvalue()


# A value of plain PGM after each comment, which Pillow reads byte by byte.
SLOW = b"P2\n2000 2000\n255\n" + b"#\n1 " * 500_000


def refusal(content: bytes) -> str:
    with pytest.raises(DigitsError) as caught:
        read_picture(content)
    return str(caught.value)


def test_a_picture_that_takes_too_long_is_refused_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.2)

    assert "picture: takes more than 0.2 s to decode" == refusal(SLOW)
    monkeypatch.undo()
    assert read_picture(encoded("PNG")) is not None


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [("PNG", "RGBA", {}), ("GIF", "L", {}), ("TIFF", "F", {"compression": "tiff_lzw"})],
)
def test_a_picture_that_needs_too_much_memory_is_refused_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch, kind: str, mode: str, options: dict[str, object]
) -> None:
    monkeypatch.setattr(limits, "MEMORY", 50 * 2**20)

    assert "picture: needs too much memory to decode" == refusal(encoded(kind, (8000, 8000), mode, **options))
    assert read_picture(encoded("PNG")) is not None


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded() -> None:
    few = encoded("JPEG", progressive=True)
    scans = few.count(b"\xff\xda") + MOST_SCANS

    assert f"picture: a JPEG of {scans} scans; at most {MOST_SCANS} are read" == refusal(
        few + b"\xff\xda" * MOST_SCANS
    )


def test_a_process_that_was_killed_is_replaced() -> None:
    read_picture(encoded("PNG"))
    process = limits._idle[0].process
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert read_picture(encoded("PNG")) is not None


def test_threads_decode_side_by_side_in_processes_that_stay_for_the_next_picture() -> None:
    together = threading.Barrier(2)

    def read() -> None:
        together.wait(60)
        for _ in range(5):
            read_picture(encoded("PNG"))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 <= len(limits._idle) <= 2


def test_a_file_beside_the_user_is_not_taken_for_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise AssertionError('imported')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert read_picture(encoded("PNG")) is not None


@pytest.mark.parametrize("error", [np.linalg.LinAlgError("Singular matrix"), MemoryError()])
def test_whatever_goes_wrong_with_a_picture_is_its_line(
    monkeypatch: pytest.MonkeyPatch, classifier_files: Path, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(preprocessing, "frame_digit", fail)
    model = load_classifier(classifier_files / "model.tflite", "litert")
    reason = str(error) or "MemoryError"

    with pytest.raises(DigitsError, match=rf"^picture: cannot be read \({reason}\)$"):
        predict_digit(np.zeros((50, 40), np.uint8), model)
    with pytest.raises(DigitsError, match=rf"^picture 0: picture: cannot be read \({reason}\)$"):
        predict_digits([np.zeros((50, 40), np.uint8)], model)
