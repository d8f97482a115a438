"""The processes behind `digits app`: what exceeds a limit is refused, and the next picture is answered."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from digits.app.workers import Read, Workers, is_quick
from digits.errors import DigitsError
from tests.serving import png, serving, stand_in


def read(content: bytes) -> dict[str, Any]:
    from digits.app.server import as_json

    if content == b"endless":
        while True:
            pass
    if content == b"greedy":
        bytearray(2**30)
    if content == b"killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return as_json(stand_in(content))


def load() -> Read:
    return read


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    workers = Workers(load)
    yield workers
    workers.close()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"endless", "picture: takes more than 2 s to read"),
        (b"greedy", "picture: needs too much memory to decode"),
        (b"killed", "picture: the process that read it ended (-9)"),
        (b"no picture", "picture: not a readable image"),
    ],
)
def test_a_picture_beyond_a_limit_is_refused_and_the_next_is_answered(
    workers: Workers, content: bytes, line: str
) -> None:
    with serving(submit=workers.submit, is_quick=is_quick) as served:
        assert (422, f"{line}\n") == served.predict(content)
        assert 200 == served.predict(png())[0]
        assert [] == served.logged


def test_a_picture_that_takes_long_delays_no_quick_one(workers: Workers) -> None:
    slow = [workers.submit(b"endless") for _ in range(3)]
    quick = workers.submit(png())

    assert 7 == quick.result(60)["digit"]
    assert not slow[-1].done()
    with pytest.raises(DigitsError):
        slow[0].result(60)


def test_a_header_tells_which_pictures_are_quick() -> None:
    small, large = png(), png(size=(2000, 2000))

    assert is_quick(small)
    assert not is_quick(large)
    assert not is_quick(small + bytes(2**20))
    assert not is_quick(b"RIFF\0\0\0\0WEBP")
    assert not is_quick(b"\xff\xd8" + b"\xff\xfe\0\2" * 10_000)
