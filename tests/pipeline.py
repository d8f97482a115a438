"""The pipeline of this repository in a temporary Git and DVC repository, on a small dataset that is made up.

The dataset comes in by the seam that any dataset uses: its description in `datasets/`, which names a folder
of IDX files.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from digits.data.idx import IDX_FILES
from digits.files import Arrays

REPOSITORY = Path(__file__).parent.parent
STAGES = ("fetch", "prepare", "train", "ink", "read", "calibrate", "export", "evaluate", "plot", "card")
SIZE, TRAIN_SIZE, TEST_SIZE = 28, 300, 60

NO_CHANGE: dict[str, float] = {
    "shift": 0,
    "rotation": 0,
    "scale": 0,
    "shear": 0,
    "elastic": 0,
    "elastic_spacing": 7,
    "flip": 0,
    "brightness": 0,
    "contrast": 0,
}

# A training that lowers its rate and stops early, before the last of its epochs and after its best one.
RECIPE: dict[str, Any] = {
    "batch_norm_momentum": 0.5,
    "augmentation": NO_CHANGE | {"shift": 1},
    "epochs": 10,
    "least_steps": 0,
    "batch_size": 64,
    "learning_rate": 0.03,
    "schedule": {"kind": "plateau", "patience": 1, "factor": 0.5, "stopping_patience": 2},
}

# Two epochs of two steps each.
INK: dict[str, Any] = {"widths": [2, 2, 2, 2], "epochs": 2, "pictures": 8, "batch_size": 4, "measured": 4}

# What a shell, a Git hook or a test before this one may have set, and what the pipeline must do without.
FOREIGN = ("PYTHON", "GIT_", "DVC_", "TF_", "ONEDNN_", "KERAS_", "CUDA_", "OMP_", "MPL", "PYTEST_")


def synthetic_arrays() -> Arrays:
    """Draw noise with a bright square, whose place among ten is the image's class."""
    random = np.random.Generator(np.random.PCG64(0))
    arrays = {}
    for name, count in (("train", TRAIN_SIZE), ("test", TEST_SIZE)):
        labels = random.permutation(np.arange(count, dtype=np.uint8) % 10)
        images = random.integers(0, 220, (count, SIZE, SIZE), np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = 6 + 10 * (label // 5), 4 + 4 * (label % 5)
            image[row : row + 6, column : column + 4] = 250
        arrays |= {f"x_{name}": images, f"y_{name}": labels}
    return arrays


def write_idx_files(folder: Path, arrays: Arrays) -> None:
    folder.mkdir()
    for name, array in arrays.items():
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        (folder / IDX_FILES[name]).write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def description(arrays: Arrays, classes: Sequence[str], **changes: Any) -> dict[str, Any]:
    """Return what datasets/NAME.yaml says of raw arrays, but for its sources; `changes` are other keys."""
    _, height, width, *channels = arrays["x_train"].shape
    return {
        "origin": "Made up by a test",
        "licence": "none",
        "height": height,
        "width": width,
        "channels": channels[0] if channels else 1,
        "classes": [*classes],
        "characters": True,
        "mirrored": False,
        "train": len(arrays["x_train"]),
        "test": len(arrays["x_test"]),
        "validation": "last",
        "accuracy_above": 0.98,
        "framing": "mnist",
        "ground": "dark",
        "sha256": {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()},
        **changes,
    }


@dataclass(frozen=True)
class Project:
    """A copy of the pipeline: its folder, and a home folder for what users have in theirs."""

    folder: Path
    home: Path

    @classmethod
    def create(cls, folder: Path, home: Path) -> "Project":
        """Copy code and configuration, put the dataset in, and commit."""
        project = cls(folder, home)
        home.mkdir()
        for part in ("digits", "stages"):
            shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("dvc.yaml", "params.yaml", "environment.yaml", ".dvcignore", ".gitignore"):
            shutil.copy(REPOSITORY / name, folder)
        (folder / "docs").mkdir()
        for name in ("confidence.md", "seeds.json"):
            shutil.copy(REPOSITORY / "docs" / name, folder / "docs")
        project.git("init", "--quiet")
        project.git("config", "user.name", "A User")
        project.git("config", "user.email", "user@example.invalid")
        project.dvc("init", "--quiet")
        if (configuration := REPOSITORY / ".dvc/config").exists():
            shutil.copy(configuration, folder / ".dvc")
        arrays = synthetic_arrays()
        project.describe("synthetic", arrays, tuple("0123456789"))
        params = project.params() | {"dataset": "synthetic"}
        params["recipes"]["article"] |= RECIPE
        params["compose"]["digits"] = 30
        params["ink"] |= INK
        params["read"]["pictures"] = 16
        params["recipes"]["short"] = params["recipes"]["article"] | {"epochs": 1}
        project.write_params(params)
        project.commit("Take the pipeline to another dataset")
        return project

    def copy(self, folder: Path, without: Iterable[str] = ()) -> "Project":
        """Copy everything but the top-level entries `without`; times are kept, as `cp -a` does."""
        ignore = shutil.ignore_patterns(*without)
        shutil.copytree(
            self.folder,
            folder,
            symlinks=True,
            ignore=lambda path, names: ignore(path, names) if Path(path) == self.folder else set(),
        )
        return Project(folder, self.home)

    def environment(self) -> dict[str, str]:
        """Return the variables of a shell whose PATH begins with the environment's folder of programs."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return inherited | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "DVC_GLOBAL_CONFIG_DIR": str(self.home / "dvc-global"),
            "DVC_SYSTEM_CONFIG_DIR": str(self.home / "dvc-system"),
            "DVC_SITE_CACHE_DIR": str(self.home / "dvc-site"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
        }

    def run(
        self, *command: str, variables: dict[str, str] | None = None, first: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder and keep what it says; any exit status will do.

        `first` is Python code that the process runs before it becomes the command.
        """
        if first:
            become = f"import os, resource, sys; {first}; os.execvp(sys.argv[1], sys.argv[1:])"
            command = ("python", "-c", become, *command)
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment() | (variables or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def stage(self, name: str, first: str = "") -> subprocess.CompletedProcess[str]:
        """Run a stage by itself, whatever its exit status."""
        return self.run("python", "-m", f"stages.{name}", first=first)

    def dvc(self, *arguments: str) -> str:
        """Run a DVC command that must succeed, and return its output."""
        return self._succeed("python", "-m", "dvc", *arguments)

    def git(self, *arguments: str) -> str:
        """Run a Git command that must succeed, and return its output."""
        return self._succeed("git", *arguments)

    def _succeed(self, *command: str) -> str:
        finished = self.run(*command)
        output = finished.stdout + finished.stderr
        assert 0 == finished.returncode, output
        return output

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def params(self) -> dict[str, Any]:
        values: dict[str, Any] = yaml.safe_load((self.folder / "params.yaml").read_text(encoding="utf-8"))
        return values

    def write_params(self, values: object) -> None:
        (self.folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

    def describe(self, name: str, arrays: Arrays, classes: Sequence[str], **changes: Any) -> None:
        """Write datasets/NAME.yaml, and the arrays' IDX files to the folder NAME in the home folder."""
        write_idx_files(self.home / name, arrays)
        source = {"kind": "folder", "name": "home", "path": str(self.home / name)}
        self.write_description(name, description(arrays, classes, **changes) | {"sources": [source]})

    def description(self, name: str = "synthetic") -> dict[str, Any]:
        """Return what datasets/NAME.yaml says."""
        text = (self.folder / f"datasets/{name}.yaml").read_text(encoding="utf-8")
        values: dict[str, Any] = yaml.safe_load(text)
        return values

    def write_description(self, name: str, values: object) -> None:
        path = self.folder / f"datasets/{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), encoding="utf-8")

    def set_param(self, key: str, value: object) -> None:
        """Set the value at `key`, a path with dots."""
        values = self.params()
        *parents, last = key.split(".")
        section = values
        for parent in parents:
            section = section[parent]
        section[last] = value
        self.write_params(values)

    def outputs(self, stage: str) -> list[str]:
        """Return the outputs that dvc.yaml declares for `stage`."""
        return declared_files(self.pipeline()[stage], ("outs", "metrics"), self.params()["dataset"])

    def pipeline(self) -> dict[str, Any]:
        """Return the stages of dvc.yaml."""
        stages: dict[str, Any] = yaml.safe_load((self.folder / "dvc.yaml").read_text(encoding="utf-8"))[
            "stages"
        ]
        return stages

    def contents(self, *stages: str) -> dict[str, bytes]:
        """Return the content of each output of `stages`, of all where none is named."""
        names = [name for stage in stages or STAGES for name in self.outputs(stage)]
        return {name: (self.folder / name).read_bytes() for name in names}

    def leftovers(self) -> list[Path]:
        """Return the temporary files that lie about."""
        return sorted(self.folder.rglob(".partial-*"))


def declared_files(stage: dict[str, Any], parts: tuple[str, ...], dataset: str) -> list[str]:
    """Return the paths in the `parts` of a stage of dvc.yaml."""
    entries = [entry for part in parts for entry in stage.get(part, [])]
    names = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
    return [name.replace("${dataset}", dataset) for name in names]
