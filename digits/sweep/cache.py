"""The objects of DVC's caches: files, and folders as lists of files, each by the hash of its content."""

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path


def copy_objects(cache: Path, other: Path, hashes: Iterable[str]) -> None:
    """Copy files, and the files of folders, from one of DVC's caches to another."""
    for name in all_objects(cache, hashes):
        place = object_place(name)
        (other / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(cache / place, other / place)


def all_objects(cache: Path, hashes: Iterable[str]) -> Iterator[str]:
    """Yield the hashes that are in the cache, and behind that of a folder those of its files."""
    for name in hashes:
        path = cache / object_place(name)
        if path.exists():
            yield name
            if name.endswith(".dir"):
                yield from all_objects(cache, [file["md5"] for file in json.loads(path.read_text("utf-8"))])


def object_place(name: str) -> Path:
    """Return the place of the content with the hash `name` in a cache of DVC 3."""
    return Path("files/md5") / name[:2] / name[2:]
