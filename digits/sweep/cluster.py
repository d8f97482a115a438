"""The runs of a sweep on a Ray cluster, which places them and makes those again whose machine died."""

import hashlib
import json
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import digits
from digits.environment import installed, locked_versions
from digits.errors import DigitsError
from digits.sweep.cache import all_objects, object_place
from digits.sweep.local import dvc_settings
from digits.sweep.machine import Machine, Processes, Task, machine_name
from digits.sweep.rows import Row
from digits.sweep.source import Source
from digits.verification import git

# How often Ray starts a run again whose machine or worker died.
RETRIES = 3


@dataclass(frozen=True)
class Parcel:
    """What a machine needs for its runs.

    Attributes:
        name: of the folder for it.
        commit: that the bundle holds.
        subfolder: the place of dvc.yaml in the repository.
        bundle: a reference to the bytes of the Git bundle.
        raw: the hashes of the files that stages begin with.
        objects: references to the bytes of these files by their hashes; without any, the remote has them.
        targets: the stages to get from the remote.
        settings: of DVC.
    """

    name: str
    commit: str
    subfolder: str
    bundle: Any
    raw: tuple[str, ...]
    objects: dict[str, Any]
    targets: tuple[str, ...]
    settings: dict[str, dict[str, str]]


class RayEngine:
    """Runs on the machines of a Ray cluster, as many at a time as their CPUs allow."""

    def __init__(self, source: Source, address: str, name: str, push: bool) -> None:
        """Connect to the cluster, and compare its libraries with those here.

        Raises:
            DigitsError: Ray is not installed or not reached, or a worker has other libraries.
        """
        try:
            import ray
        except ImportError:
            raise DigitsError("--address needs Ray: pip install 'digits[sweep]'") from None
        self.ray, self.threads = ray, source.threads
        self._connect(address)
        try:
            self.nodes = self._nodes()
            self._compare_versions(source)
            self.parcel = self._pack(source, name, push)
        except BaseException:
            ray.shutdown()
            raise
        self.slots = max(1, sum(cpus // source.threads for cpus in self.nodes.values()))

    def _connect(self, address: str) -> None:
        _knock(address)
        environment = {"py_modules": [str(Path(digits.__file__).parent)]}
        try:
            self.ray.init(
                address,
                runtime_env=environment,
                log_to_driver=False,
                logging_level="ERROR",
                namespace="digits",
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            reason = " ".join(str(error).split())[:300]
            raise DigitsError(f"{address}: no connection to a Ray cluster: {reason}") from error

    def _nodes(self) -> dict[str, int]:
        """Return the CPUs of each node that has any, by its id."""
        nodes = {
            node["NodeID"]: int(node["Resources"].get("CPU", 0)) for node in self.ray.nodes() if node["Alive"]
        }
        nodes = {name: cpus for name, cpus in nodes.items() if cpus >= self.threads}
        if not nodes:
            raise DigitsError(f"no machine of the cluster has the {self.threads} CPUs that a run needs")
        return nodes

    def _on(self, node: str, soft: bool = False) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node, soft=soft)

    def _on_each(self, function: Any, *arguments: Any) -> list[Any]:
        """Call `function` once on each node, and return what the calls return."""
        remote = self.ray.remote(num_cpus=0, max_retries=RETRIES)(function)
        calls = [remote.options(scheduling_strategy=self._on(node)).remote(*arguments) for node in self.nodes]
        return list(self.ray.get(calls))

    def _compare_versions(self, source: Source) -> None:
        locked = source.root / "environment.yaml"
        names = [*locked_versions(locked)] if locked.exists() else []
        here = versions(names)
        for worker, (host, found) in zip(self.nodes, self._on_each(named_versions, names), strict=True):
            differing = [
                f"{name} {found[name]} instead of {here[name]}" for name in here if found[name] != here[name]
            ]
            if differing:
                there = f"the worker {host}/{worker[:6]} has {', '.join(differing)}"
                raise DigitsError(f"{there}, which {machine_name()} has")

    def _pack(self, source: Source, name: str, push: bool) -> Parcel:
        """Put what the machines need into Ray's object store, as far as no remote has it."""
        with tempfile.TemporaryDirectory() as folder:
            bundle = git.bundle(source.root, source.commit, Path(folder))
        config = source.pipeline.repo.config
        url = config.get("remote", {}).get(config.get("core", {}).get("remote"), {}).get("url", "")
        if push and not url:
            raise DigitsError("--push: the repository has no default remote")
        cache, objects = Path(source.pipeline.repo.cache.legacy.path), {}
        # A remote that is a folder need not be there on other machines.
        remote = "://" in url
        if not remote:
            for item in all_objects(cache, source.raw.values()):
                objects[item] = self.ray.put((cache / object_place(item)).read_bytes())
        key = json.dumps([machine_name(), str(source.root), name, source.commit])
        return Parcel(
            f"digits-sweep-{hashlib.sha256(key.encode()).hexdigest()[:12]}",
            source.commit,
            source.subfolder,
            self.ray.put(bundle),
            tuple(source.raw.values()),
            objects,
            tuple(source.raw) if remote else (),
            dvc_settings(source) if push or remote else {},
        )

    def run(self, tasks: Iterable[Task]) -> Iterator[Row]:
        """Make the runs and yield their rows as they end; closing the generator ends those under way."""
        exceptions = self.ray.exceptions
        remote = self.ray.remote(num_cpus=self.threads, max_retries=RETRIES, retry_exceptions=False)(make_run)
        queue = iter(tasks)
        running: dict[Any, Task] = {}
        try:
            while True:
                # A few more than there is room for, so that no machine waits for this one.
                for task in islice(queue, self.slots + 2 - len(running)):
                    running[self._submit(remote, task)] = task
                if not running:
                    return
                for ended in self.ray.wait(list(running), num_returns=1)[0]:
                    task = running.pop(ended)
                    try:
                        yield self.ray.get(ended)
                    except exceptions.RayTaskError as error:
                        raise DigitsError(f"{' '.join(task.overrides)}: {error.cause}") from error
                    except exceptions.RayError as error:
                        reason = str(error).strip().partition("\n")[0]
                        raise DigitsError(
                            f"{' '.join(task.overrides)}: its machine died: {reason}"
                        ) from error
        finally:
            for reference in running:
                self.ray.cancel(reference, force=True)

    def _submit(self, remote: Any, task: Task) -> Any:
        others = [node for node in self.nodes if task.avoid and not task.avoid.endswith(f"/{node[:6]}")]
        if others:
            # Which of the others, the run's own name says: not always the first.
            node = others[int(task.id, 16) % len(others)]
            remote = remote.options(scheduling_strategy=self._on(node, soft=True))
        return remote.remote(self.parcel, task)

    def close(self) -> None:
        """Remove what the sweep left on the machines that can be reached, and leave the cluster."""
        try:
            self._on_each(remove_folder, self.parcel.name)
        except self.ray.exceptions.RayError:
            pass  # a machine that has died has nothing to remove
        finally:
            self.ray.shutdown()


def _knock(address: str) -> None:
    """Open a connection to HOST:PORT and close it: Ray itself waits for minutes where nobody answers."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:
            reason = error.strerror or error
            raise DigitsError(f"{address}: no connection to a Ray cluster: {reason}") from error


def versions(names: list[str]) -> dict[str, str]:
    """Return the versions of Python, DVC and the named libraries on this machine."""
    return {"Python": platform.python_version()} | {name: installed(name) for name in ("dvc", *names)}


def named_versions(names: list[str]) -> tuple[str, dict[str, str]]:
    """Return the name of this machine, and its versions."""
    return machine_name(), versions(names)


def make_run(parcel: Parcel, task: Task) -> Row:
    """Make a run on the machine that this is called on."""
    return _machine(parcel).make(task, Processes())


def remove_folder(name: str) -> None:
    """Remove the sweep's folder from the machine that this is called on."""
    folder = _folder(name)
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # other nodes of this machine may have theirs in it
        folder.parent.rmdir()


def _folder(name: str) -> Path:
    import ray

    node = str(ray.get_runtime_context().get_node_id())[:6]
    return Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}" / node


def _machine(parcel: Parcel) -> Machine:
    """Return this machine, with the commit and the raw files on it."""
    import fcntl

    folder = _folder(parcel.name)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{machine_name()}/{folder.name}"
    repository, cache = folder / "repository", folder / "cache"
    machine = Machine(name, folder, repository, parcel.subfolder, cache, parcel.settings, parcel.raw)
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _unpack(parcel, machine)
            (folder / "ready").touch()
    return machine


def _unpack(parcel: Parcel, machine: Machine) -> None:
    import ray

    shutil.rmtree(machine.repository, ignore_errors=True)
    bundle = machine.folder / "bundle"
    bundle.write_bytes(ray.get(parcel.bundle))
    git.unbundle(bundle, machine.repository)
    bundle.unlink()
    for name, reference in parcel.objects.items():
        path = machine.cache / object_place(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ray.get(reference))
    if parcel.targets:
        machine.fetch(parcel.commit, parcel.targets)
