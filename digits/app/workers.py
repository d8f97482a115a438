"""Processes that read the pictures of `digits app`, limited in time and memory, ended and replaced beyond."""

from __future__ import annotations

import multiprocessing
import os
import signal
import struct
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pebble import ProcessExpired, ProcessPool

from digits.decoding import limits
from digits.errors import DigitsError

SECONDS = 2.0
"""Of one core, for one picture: to decode it, and to read it."""

WAITED = 15.0
"""Seconds after which a process is ended whatever it waits for."""

PROCESSES = 2
"""For quick pictures, and as many for others."""

QUICK_BYTES, QUICK_PIXELS, QUICK_SCANS = 2**20, 2_000_000, 20
"""A PNG or JPEG within these takes little time, as a drawing does, and does not wait for others."""

MOST_MARKERS = 100
"""Of a JPEG, before the one that has its size."""

TOO_LONG = f"picture: takes more than {SECONDS:g} s to read"

Read = Callable[[bytes], dict[str, Any]]

_read: Read | None = None


class Workers:
    """Two pools of processes, one for pictures that are quick to read, so that no other delays them.

    Args:
        load: returns the function that reads the bytes of a picture, in each process; it can be pickled.
    """

    def __init__(self, load: Callable[[], Read]) -> None:
        # Not forked: the server has threads.
        context = multiprocessing.get_context("spawn")
        self.pools = {
            quick: ProcessPool(PROCESSES, initializer=_start, initargs=(load, quick), context=context)
            for quick in (True, False)
        }
        # They load the network while nobody waits for it.
        for _ in range(PROCESSES):
            self.pools[True].schedule(_nothing)

    def submit(self, content: bytes) -> Future[dict[str, Any]]:
        """Start to read a picture; to cancel the future ends its process.

        The future raises `DigitsError` where the picture cannot be read, or exceeds a limit.
        """
        future = self.pools[is_quick(content)].schedule(_answer, args=[content], timeout=WAITED)
        answer: Future[dict[str, Any]] = Future()
        answer.add_done_callback(lambda it: future.cancel() if it.cancelled() else None)  # type: ignore[no-untyped-call]
        future.add_done_callback(lambda it: _pass_on(it, answer))
        return answer

    def close(self) -> None:
        """End all processes."""
        for pool in self.pools.values():
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()


def is_quick(content: bytes) -> bool:
    """Return whether the header of a picture says that it takes little time; what is unknown does not."""
    if len(content) > QUICK_BYTES or content.count(b"\xff\xda") > QUICK_SCANS:
        return False
    return 0 < _pixels(content) <= QUICK_PIXELS


def _pixels(content: bytes) -> int:
    """Return width times height of a PNG or a JPEG, or 0."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width * height)
    place = 2
    for _ in range(MOST_MARKERS if content.startswith(b"\xff\xd8") else 0):
        if place + 9 > len(content):
            break
        marker, length = struct.unpack(">HH", content[place : place + 4])
        if 0xFFC0 <= marker <= 0xFFC3:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return int(width * height)
        place += 2 + length
    return 0


def _start(load: Callable[[], Read], quick: bool) -> None:
    """Prepare a process: load what reads pictures, then limit the memory for each picture."""
    global _read
    if not quick:
        os.nice(5)
    _read = load()
    limits.limit_memory(limits.MEMORY)


def _nothing() -> None:
    pass


def _answer(content: bytes) -> dict[str, Any]:
    limits.limit_time(SECONDS)
    try:
        assert _read
        return _read(content)
    except MemoryError as error:
        raise DigitsError(f"picture: {limits.TOO_MUCH_MEMORY}") from error
    finally:
        limits.limit_time(0)


def _pass_on(future: Future[dict[str, Any]], answer: Future[dict[str, Any]]) -> None:
    """Complete `answer` as `future` is, with what became of its process in words."""
    if future.cancelled() or not answer.set_running_or_notify_cancel():
        return
    error = future.exception()
    if error is None:
        answer.set_result(future.result())
    elif isinstance(error, TimeoutError) or getattr(error, "exitcode", 0) == -signal.SIGPROF:
        answer.set_exception(DigitsError(TOO_LONG))
    elif isinstance(error, ProcessExpired):
        answer.set_exception(DigitsError(f"picture: the process that read it ended ({error.exitcode})"))
    else:
        answer.set_exception(error)
