"""The stages that dvc.yaml declares, read by DVC itself so that its templates and targets mean the same here.

DVC is opened without its lock, its database and its temporary folder, and so changes nothing in the checkout.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dvc.config import Config
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import plan_repro
from dvc.utils.serialize import load_yaml

from digits.errors import DigitsError, unknown_name


class _Onlooker(Repo):  # type: ignore[misc]
    """A DVC repository that is looked at only: where DVC knows no folder of its own, it writes none."""

    def _get_repo_dirs(self, *arguments: Any, **keywords: Any) -> tuple[str, None]:
        root, _ = super()._get_repo_dirs(*arguments, **keywords)
        return root, None

    @property
    def local_dvc_dir(self) -> str:
        return str(Path(self.root_dir, self.DVC_DIR))

    @cached_property
    def config(self) -> Config:
        return Config(self.local_dvc_dir)


@dataclass(frozen=True)
class Pipeline:
    """Stages of one checkout.

    Attributes:
        root: the checkout's folder.
        repo: DVC's view of it.
        stages: DVC's stages, each behind those that it needs.
        locks: the content of the lock beside each dvc.yaml, by its path.
    """

    root: Path
    repo: Any
    stages: list[Any]
    locks: dict[Path, Any]

    def locked_entry(self, stage: Any) -> dict[str, Any] | None:
        """Give what the lock says of `stage`, or None where it does not know it."""
        entry: dict[str, Any] | None = self.locks[_lock_of(stage)].get("stages", {}).get(stage.name)
        return entry

    def path(self, item: Any) -> str:
        """Give the path of one of DVC's dependencies or outputs, relative to the root if it lies inside."""
        path = Path(item.fs_path)
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def stages_before(self, stage: Any) -> list[Any]:
        """Give the stages whose outputs `stage` reads."""
        return list(self.repo.index.graph.successors(stage))

    def names(self) -> set[str]:
        """Give the path of every file that the stages name, dvc.yaml and dvc.lock included."""
        items = [item for stage in self.stages for item in (*stage.deps, *stage.outs)]
        files = [file for stage in self.stages for file in (Path(stage.path), _lock_of(stage))]
        return {*map(self.path, items), *(file.relative_to(self.root).as_posix() for file in files)}


def find_root(folder: Path) -> Path:
    """Give the root of the DVC repository that `folder` lies in.

    Raises:
        DigitsError: there is none.
    """
    try:
        return Path(Repo.find_root(str(folder))).resolve()
    except DvcException as error:
        raise DigitsError(one_line(error)) from error


def read_pipeline(root: Path, target: str | None = None) -> Pipeline:
    """Read all stages, or the stage called `target` and those that it needs.

    Raises:
        DigitsError: dvc.yaml, dvc.lock or a params file is missing or damaged, or `target` is no stage.
    """
    for name in ("dvc.yaml", "dvc.lock"):
        if not (root / name).is_file():
            raise DigitsError(f"{name}: no such file in {root}")
    try:
        repo = _Onlooker(str(root))
        graph = repo.index.graph
    except DvcException as error:
        raise DigitsError(one_line(error)) from error
    if not graph:
        raise DigitsError("dvc.yaml: no stages")
    wanted = None
    if target is not None:
        wanted = [stage for stage in graph if target in (name_of(stage), name_of(stage).partition("@")[0])]
        if not wanted:
            raise DigitsError(unknown_name("stage", target, [name_of(stage) for stage in plan_repro(graph)]))
    stages = plan_repro(graph, wanted)
    locks = {path: load_yaml(str(path)) for path in {_lock_of(stage) for stage in stages} if path.exists()}
    return Pipeline(root, repo, stages, defaultdict(dict, locks))


def _lock_of(stage: Any) -> Path:
    return Path(stage.path).with_suffix(".lock")


def cached(root: Path, wanted: str) -> Path:
    """Give the place in the local cache of the repository at `root` of the content with the hash `wanted`.

    Whether it is there is another question.
    """
    return Path(_Onlooker(str(root)).cache.local.oid_to_path(wanted))


def cache_folder(root: Path) -> Path:
    """Return the folder of the local cache of the repository at `root`."""
    return Path(_Onlooker(str(root)).cache.legacy.path)


def name_of(stage: Any) -> str:
    """Give the name by which `dvc repro`, started at the root, knows `stage`."""
    file, name = stage.path_in_repo, getattr(stage, "name", None)
    if name is None:
        return str(file)
    return str(name) if file == "dvc.yaml" else f"{file}:{name}"


def content_hash(item: Any) -> str | None:
    """Give the hash, as DVC counts it, of what lies at a dependency or output, or None where nothing does."""
    path = Path(item.fs_path)
    if path.is_dir():
        return str(item.get_hash().value)
    return file_hash(path) if path.is_file() else None


def file_hash(path: Path) -> str:
    """Give the MD5 of a file's bytes, which DVC names contents by."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def one_line(error: BaseException) -> str:
    """Give an error's text, and that of its cause where DVC leaves the reason there, in one line."""
    parts = [str(error)] + ([str(error.__cause__)] if error.__cause__ else [])
    return ": ".join(" ".join(part.split()) for part in parts if part).replace("'./", "'")
