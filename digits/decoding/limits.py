"""Decode pictures in processes of their own, whose time and memory the operating system limits.

Nothing short of that bounds what a file costs: image libraries decode in one call of C, which no thread
can stop, and a few bytes can ask for gigabytes or for minutes.
A process stays for the next picture, and is replaced after one that exceeded a limit.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

from digits.errors import DigitsError

SECONDS = 5.0
"""Of one core, for one picture."""

MEMORY = 400 * 2**20
"""Bytes for one picture, beyond those of Python and its libraries."""

READER = "digits.decoding.reading.read_picture"
"""The function that decodes where no other is named."""

TOO_MUCH_MEMORY = "needs too much memory to decode"

limited = False
"""Whether this process has limits, so that pictures are decoded in it."""


def limit_memory(allowance: int) -> None:
    """Limit the memory of this process to `allowance` bytes more than it has, where the system can do so."""
    global limited
    limited = True
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + allowance
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def limit_time(seconds: float) -> None:
    """End this process once it has used so many more seconds of a core; 0 takes the limit away."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


class _Decoder:
    """A process that decodes one picture after the other."""

    def __init__(self, reader: str) -> None:
        self.owner = os.getpid()
        self.reader = reader
        self.connection, other = map(_above_the_standard_streams, Pipe())
        folder = str(Path(__file__).parents[2])
        module, _, function = reader.rpartition(".")
        code = f"from digits.decoding import limits; from {module} import {function}; "
        code += f"limits.serve({other.fileno()}, {MEMORY}, {function})"
        variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")])),
            # Each thread would reserve memory.
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = [sys.executable, "-P", "-c", code]
        with other:
            self.process = Popen(
                command,
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                env=variables,
                pass_fds=[other.fileno()],
            )

    def ask(self, content: Any, name: str, arguments: tuple[Any, ...]) -> Any:
        """Return what was decoded within `SECONDS`, or the line that says why it cannot be."""
        try:
            self.connection.send((content, name, SECONDS, arguments))
            return self.connection.recv()
        except (EOFError, OSError):
            status = self.process.wait()
            if status == -getattr(signal, "SIGPROF", 0):
                raise DigitsError(f"{name}: takes more than {SECONDS:g} s to decode") from None
            raise DigitsError(f"{name}: the process that decodes it ended with status {status}") from None

    def close(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.wait()


def _above_the_standard_streams(connection: Connection) -> Connection:
    """Return a connection whose number is none of those that a closed standard stream leaves free."""
    import fcntl

    with connection:
        return Connection(fcntl.fcntl(connection.fileno(), fcntl.F_DUPFD_CLOEXEC, 3))


_idle: list[_Decoder] = []


def start() -> None:
    """Start a process beforehand, so that it is ready when the first picture comes."""
    if _available() and not _idle:
        _idle.append(_Decoder(READER))


def decode(content: Any, name: str, reader: str = READER, arguments: tuple[Any, ...] = ()) -> Any:
    """Return what a function makes of the bytes of a picture, in a process whose time and memory are limited.

    Any number of threads may call it; each has a process of its own meanwhile.

    Args:
        content: the bytes, or what else the function takes.
        name: what messages call the picture.
        reader: the dotted name of the function, which is called with both, and with the `arguments`.
        arguments: whatever else it needs; a result that is a text stands for an error.

    Raises:
        DigitsError: the picture cannot be read, or takes more than `SECONDS` or `MEMORY`.
    """
    decoder = _take(reader)
    kept = False
    try:
        answer = decoder.ask(content, name, arguments)
        # What is left of its memory may be in pieces.
        kept = not (isinstance(answer, str) and answer.endswith(TOO_MUCH_MEMORY))
    finally:
        if kept:
            _idle.append(decoder)
        else:
            decoder.close()
    if isinstance(answer, str):
        raise DigitsError(answer)
    return answer


def elsewhere() -> bool:
    """Return whether pictures are to be decoded in another process."""
    return not limited and _available()


def _available() -> bool:
    # A program that embeds Python has no interpreter to start; Windows cannot pass on a connection so.
    return bool(sys.executable) and os.name == "posix"


def _take(reader: str) -> _Decoder:
    while _idle:
        decoder = _idle.pop()
        mine = decoder.owner == os.getpid()
        if mine and decoder.reader == reader and decoder.process.poll() is None:
            return decoder
        if mine:
            decoder.close()
    return _Decoder(reader)


@atexit.register
def close() -> None:
    """End the processes that wait for pictures."""
    while _idle:
        decoder = _idle.pop()
        if decoder.owner == os.getpid():
            decoder.close()


def serve(descriptor: int, allowance: int, read: Callable[..., Any]) -> None:
    """Decode the pictures that come through a connection, until it is closed.

    Args:
        descriptor: of the connection.
        allowance: bytes of memory for one picture.
        read: is called with the bytes of a picture, its name, and the arguments that came with it.
    """
    # Ctrl-C is for the process that asks, which then closes the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory(allowance)
    connection = Connection(descriptor)
    with suppress(EOFError, OSError):
        while True:
            content, name, seconds, arguments = connection.recv()
            answer: Any
            limit_time(seconds)
            try:
                answer = read(content, name, *arguments)
            except DigitsError as error:
                answer = str(error)
            except MemoryError:
                answer = f"{name}: {TOO_MUCH_MEMORY}"
            limit_time(0)
            connection.send(answer)
            del content, answer  # not held while the next one comes
