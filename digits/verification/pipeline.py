"""The stages that dvc.yaml declares, read by DVC itself, which resolves templates and targets."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from dvc.config import Config
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import plan_repro
from dvc.utils.serialize import load_yaml

from digits.errors import DigitsError, reason, unknown_name

# Values of a YAML file with every alias replaced by what it stands for.
MOST_VALUES = 1_000_000
FILES = ("dvc.yaml", "dvc.lock", "params.yaml")


class _ReadOnlyRepo(Repo):  # type: ignore[misc]
    """A DVC repository that is opened without DVC's lock, database and temporary folder.

    DVC has no setting for this: `Repo(root, config={"core": {"site_cache_dir": ...}})` moves the database out
    of the checkout, but still writes `.dvc/tmp` and `.dvc/.gitignore`. A repository without a DVC folder
    writes neither; its cache and its settings are then found by the two other overrides.
    """

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
        root: the folder of the checkout.
        repo: DVC's object for it.
        stages: DVC's stages, each after those that it depends on.
        locks: the content of the lock file beside each dvc.yaml, by its path.
    """

    root: Path
    repo: Any
    stages: list[Any]
    locks: dict[Path, Any]

    def locked_entry(self, stage: Any) -> dict[str, Any] | None:
        """Return the entry of `stage` in the lock, or None where it has none."""
        entry: dict[str, Any] | None = self.locks[_lock_of(stage)].get("stages", {}).get(stage.name)
        return entry

    def lock_path(self, stage: Any) -> str:
        """Return the path of the lock file that has the entry of `stage`, relative to the root."""
        return _lock_of(stage).relative_to(self.root).as_posix()

    def outputs(self) -> list[Any]:
        """Return DVC's outputs of all stages, in the order of the stages."""
        return [out for stage in self.stages for out in stage.outs]

    def path(self, item: Any) -> str:
        """Return the path of a dependency or an output, relative to the root if it is inside."""
        path = Path(item.fs_path)
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def stages_before(self, stage: Any) -> list[Any]:
        """Return the stages whose outputs `stage` reads."""
        return list(self.repo.index.graph.successors(stage))

    def ignores(self, path: str) -> bool:
        """Return whether .dvcignore leaves out the file at `path`, relative to the root."""
        return bool(self.repo.dvcignore.is_ignored_file(str(self.root / path)))

    def named(self, files: Iterable[str]) -> set[str]:
        """Return those of `files` that a stage names, by themselves or by a folder that they are in.

        dvc.yaml and dvc.lock count as named.
        """
        items = [item for stage in self.stages for item in (*stage.deps, *stage.outs)]
        names = {*map(self.path, items), *map(self.lock_path, self.stages)}
        names |= {Path(stage.path).relative_to(self.root).as_posix() for stage in self.stages}
        return {
            file
            for file in files
            if file in names
            or (any(parent.as_posix() in names for parent in Path(file).parents) and not self.ignores(file))
        }


def find_root(folder: Path) -> Path:
    """Return the root of the DVC repository around `folder`.

    Raises:
        DigitsError: there is none.
    """
    try:
        return Path(Repo.find_root(str(folder))).resolve()
    except DvcException as error:
        raise DigitsError(one_line(error)) from error


def read_pipeline(root: Path, target: str | None = None) -> Pipeline:
    """Read all stages, or the stage called `target` and those that it depends on.

    Raises:
        DigitsError: dvc.yaml, dvc.lock or a params file is missing or damaged, or `target` is no stage.
    """
    for name in ("dvc.yaml", "dvc.lock"):
        if not (root / name).is_file():
            raise DigitsError(f"{name}: no such file in {root}")
        if (root / name).stat().st_size == 0:
            raise DigitsError(f"{name}: empty")
    for name in FILES:
        _check_aliases(root / name, name)
    repo = _ReadOnlyRepo(str(root))
    graph = repo.index.graph
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


@contextmanager
def readable(root: Path) -> Iterator[None]:
    """Raise whatever the block raises as a `DigitsError`, which names the file that DVC cannot read.

    DVC raises errors of its own, and passes on those of its parsers and of plug-ins that are missing.
    """
    try:
        yield
    except DigitsError:
        raise
    except DvcException as error:
        raise DigitsError(one_line(error)) from error
    except Exception as error:
        for name in FILES:
            try:
                if (root / name).exists():
                    load_yaml(str(root / name))
            except Exception as its_own:
                raise DigitsError(f"{name}: cannot be read ({reason(its_own)})") from error
        raise DigitsError(f"DVC cannot read the pipeline ({reason(error)})") from error


def _check_aliases(path: Path, name: str) -> None:
    """Check that a YAML file does not grow beyond all bounds when its aliases are replaced.

    Raises:
        DigitsError: it does.
    """
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if "*" not in text or "&" not in text:
        return
    try:
        values = _values(yaml.compose(text, Loader=yaml.SafeLoader), {})
    except (yaml.YAMLError, RecursionError, ValueError):
        return  # DVC says what is wrong
    if values > MOST_VALUES:
        raise DigitsError(f"{name}: its aliases stand for more than {MOST_VALUES:,} values")


def _values(node: Any, known: dict[int, int]) -> int:
    """Count a node and all that is in it; `known` has the counts of nodes that were met before."""
    if id(node) not in known:
        known[id(node)] = 1  # also of one that contains itself
        inner = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = [part for item in inner for part in (item if isinstance(item, tuple) else (item,))]
        known[id(node)] = 1 + sum(_values(part, known) for part in parts)
    return known[id(node)]


def _lock_of(stage: Any) -> Path:
    return Path(stage.path).with_suffix(".lock")


def cached(root: Path, wanted: str) -> Path:
    """Return where the local cache of the repository at `root` keeps the content with the hash `wanted`.

    The cache need not have it.
    """
    return Path(_ReadOnlyRepo(str(root)).cache.local.oid_to_path(wanted))


def cache_folder(root: Path) -> Path:
    """Return the folder of the local cache of the repository at `root`."""
    return Path(_ReadOnlyRepo(str(root)).cache.legacy.path)


def name_of(stage: Any) -> str:
    """Return the name of `stage` as `dvc repro` takes it at the root."""
    file, name = stage.path_in_repo, getattr(stage, "name", None)
    if name is None:
        return str(file)
    return str(name) if file == "dvc.yaml" else f"{file}:{name}"


def content_hash(item: Any) -> str | None:
    """Return DVC's hash of the file or folder at a dependency or output, or None where there is none."""
    path = Path(item.fs_path)
    if path.is_dir():
        return str(item.get_hash().value)
    return file_hash(path) if path.is_file() else None


def file_hash(path: Path) -> str:
    """Return the MD5 of a file's bytes, which is DVC's hash of it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def one_line(error: BaseException) -> str:
    """Return an error's text in one line, with that of its cause, where DVC often puts the reason."""
    parts = [str(error)] + ([str(error.__cause__)] if error.__cause__ else [])
    return ": ".join(" ".join(part.split()) for part in parts if part).replace("'./", "'")
