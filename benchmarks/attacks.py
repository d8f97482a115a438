"""How fast `digits app` answers a drawing while it is attacked.

`python -m benchmarks.attacks [--model PATH]` prints a table.
Each attack has a bounded number of senders and seconds, on the loopback address.
"""

from __future__ import annotations

import http.client
import io
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
from PIL import Image, ImageDraw

SECONDS = 12.0
SENDERS = 6
CONNECTIONS = 64
GOOD = 30
HEADER = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n"

Attack = Callable[[int, float], None]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the bytes of an image file."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def drawing() -> bytes:
    """Return a seven as the page sends it."""
    picture = Image.new("L", (280, 280), 0)
    ImageDraw.Draw(picture).line([(70, 60), (200, 60), (120, 230)], 255, 24)
    return encoded(picture, "PNG")


def scans(count: int) -> bytes:
    """Return a progressive JPEG of 16 megapixels whose last scan is there many times."""
    content = encoded(Image.new("L", (4096, 4096), 99), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * (count - content.count(b"\xff\xda")) + content[-2:]


def uploads(content: bytes, senders: int = SENDERS) -> tuple[int, Attack]:
    """Return an attack that posts the same picture again and again."""

    def attack(port: int, end: float) -> None:
        while time.monotonic() < end:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=end - time.monotonic() + 1)
                connection.request("POST", "/predict", content)
                connection.getresponse().read()
                connection.close()

    return senders, attack


def halves(text: str) -> tuple[int, Attack]:
    """Return an attack that opens a connection again whenever it was closed, and sends half a request."""

    def attack(port: int, end: float) -> None:
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(text.encode())
                while time.monotonic() < end:
                    try:
                        if not connection.recv(100):
                            break
                    except TimeoutError:
                        continue
            time.sleep(0.05)

    return CONNECTIONS, attack


def attacks() -> dict[str, tuple[int, Attack]]:
    """Return the attacks, with the number of their senders."""
    black = Image.new("RGB", (8192, 8190))
    return {
        "none": (0, lambda port, end: None),
        "JPEG of 20,000 scans": uploads(scans(20_000)),
        "JPEG of 100 scans, 16 megapixels": uploads(scans(100)),
        "PNG of 67 megapixels": uploads(encoded(black, "PNG")),
        "WebP of 67 megapixels": uploads(encoded(black, "WEBP", lossless=True), 16),
        "16 MiB of a comment (PGM)": uploads(b"P5\n#" + b"x" * (16 * 2**20 - 5)),
        "uploads of 17 MiB": uploads(bytes(17 * 2**20), 60),
        "half a request line": halves("POST /pre"),
        "half a body": halves(HEADER.format(1000) + "half"),
    }


def memory(server: psutil.Process) -> float:
    """Return the gigabytes that the server and its processes have."""
    total = 0
    for process in [server, *server.children(recursive=True)]:
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total / 1e9


def ask(port: int, picture: bytes) -> tuple[int, float]:
    """Return the status of one good request, and its seconds."""
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/predict", picture)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        status = 0
    finally:
        connection.close()
    return status, time.monotonic() - start


def measured(
    port: int, server: psutil.Process, senders: int, attack: Attack
) -> tuple[list[float], int, float]:
    """Return the seconds of good requests during an attack, how many were answered, and the most memory."""
    end = time.monotonic() + SECONDS
    threads = [threading.Thread(target=attack, args=(port, end)) for _ in range(senders)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    picture, seconds, answered, most = drawing(), [], 0, 0.0
    for _ in range(GOOD):
        status, took = ask(port, picture)
        seconds.append(took)
        answered += status == 200
        most = max(most, memory(server))
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    return seconds, answered, most


def main() -> None:
    """Start the server, run each attack, and print the table."""
    command = [sys.executable, "-m", "digits", "app", "--port=0", "--no-browser", *sys.argv[1:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = urlsplit(process.stdout.readline().strip()).port or 0
        try:
            ask(port, drawing())
            print(
                "| attack | senders | answered | median | slowest | memory |\n|---|---:|---:|---:|---:|---:|"
            )
            for name, (senders, attack) in attacks().items():
                seconds, answered, most = measured(port, psutil.Process(process.pid), senders, attack)
                numbers = f"{statistics.median(seconds):.2f} s | {max(seconds):.2f} s | {most:.2f} GB"
                print(f"| {name} | {senders} | {answered} of {GOOD} | {numbers} |", flush=True)
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
