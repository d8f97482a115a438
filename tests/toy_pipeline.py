"""A pipeline of three quick stages in its own Git and DVC repository, for tests of `digits verify`.

Its scripts add the variable NUDGE to all numbers and DARKEN to a pixel, and stop at the FIFO that GATE names:
ways for a rerun to differ that no lock can know.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FILES = {
    "dvc.yaml": """\
stages:
  make:
    cmd: python make.py
    params: [prepare, environment.yaml: [numpy]]
    deps: [make.py, sizes.py]
    outs: [data/numbers.npz, data/table.csv]
  fit:
    cmd: python fit.py
    params: [recipe, "recipes.${recipe}"]
    deps: [fit.py, data/numbers.npz]
    outs: [data/notes.txt]
    metrics:
      - reports/metrics.json: {cache: false, persist: true}
  draw:
    cmd: python draw.py
    deps: [draw.py, reports/metrics.json]
    outs:
      - reports/picture.png: {cache: false, persist: true}
""",
    "params.yaml": """\
prepare: {size: 4}
recipe: short
recipes:
  short: {epochs: 20, early_stopping: {patience: 3}}
  long: {epochs: 200, early_stopping: {patience: 30}}
verify:
  arrays: {difference: 1.0e-6, share: 0.0}
  tables: {difference: 1.0e-6, share: 0.0}
  metrics: {difference: 1.0e-6, share: 0.0}
  model: {difference: 0.0, share: 0.0}
  pictures: {difference: 0.01, share: 0.25}
""",
    "environment.yaml": 'numpy: "2.4.6"\ntensorflow: "2.21.0"\n',
    "sizes.py": "SIZE = 4\n",
    "make.py": """\
import os, signal, numpy
from sizes import SIZE

if "GATE" in os.environ:
    gate = open(os.environ["GATE"], "w")
    gate.write("started")
    gate.flush()
    signal.pause()
values = numpy.arange(SIZE) + float(os.environ.get("NUDGE", 0))
numpy.savez("data/numbers.npz", values=values)
rows = [f"row {number},{value!r}" for number, value in enumerate(values.tolist())]
open("data/table.csv", "w").write("\\n".join(["name,value", *rows, ""]))
""",
    "fit.py": """\
import json, numpy

values = numpy.load("data/numbers.npz")["values"]
open("data/notes.txt", "w").write(f"{values.mean():.3f}\\n")
json.dump({"good": True, "mean": values.mean()}, open("reports/metrics.json", "w"))
""",
    "draw.py": """\
import os
from PIL import Image

picture = Image.new("L", (2, 2), 200)
picture.putpixel((0, 0), 200 - int(os.environ.get("DARKEN", 0)))
picture.save("reports/picture.png")
""",
    ".gitignore": "__pycache__/\n",
    "data/.gitkeep": "",
    "reports/.gitkeep": "",
}

# What a shell or a Git hook may have set, and what the toy must do without.
FOREIGN = ("PYTHON", "GIT_", "DVC_", "NUDGE", "DARKEN", "GATE")


class Toy:
    """The pipeline in `folder`, with a home and a folder for temporary files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.temporary = folder / "toy", folder / "home", folder / "temporary"

    def create(self) -> None:
        """Write the files, run the pipeline, and commit."""
        for folder in (self.folder, self.home, self.temporary):
            folder.mkdir()
        for name, text in FILES.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            self.write(name, text)
        self.run("git", "init", "--quiet", "--initial-branch=main")
        self.run("git", "config", "user.name", "A User")
        self.run("git", "config", "user.email", "user@example.invalid")
        self.run(sys.executable, "-m", "dvc", "init", "--quiet")
        self.repro()
        self.commit("Run the pipeline")

    def copy(self, folder: Path) -> "Toy":
        """Copy all into `folder`, times included."""
        shutil.copytree(self.folder.parent, folder, symlinks=True, dirs_exist_ok=True)
        return Toy(folder)

    def clone(self, folder: Path) -> "Toy":
        """Clone with Git, as another user does: without data and without a cache."""
        clone = Toy(folder)
        clone.home.mkdir(parents=True)
        clone.temporary.mkdir()
        self.run("git", "clone", "--quiet", str(self.folder), str(clone.folder))
        return clone

    def environment(self) -> dict[str, str]:
        """Give the variables of a user's shell."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return inherited | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "DVC_GLOBAL_CONFIG_DIR": str(self.home / "dvc-global"),
            "DVC_SYSTEM_CONFIG_DIR": str(self.home / "dvc-system"),
            "DVC_SITE_CACHE_DIR": str(self.home / "dvc-site"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
        }

    def run(self, *command: str) -> str:
        """Run a command that must succeed, and give what it says."""
        finished = subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert 0 == finished.returncode, finished.stdout + finished.stderr
        return finished.stdout

    def repro(self) -> None:
        self.run(sys.executable, "-m", "dvc", "repro", "--quiet")

    def commit(self, message: str = "Change it") -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Put `new` in the place of the first `old` in a file that must hold it."""
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def content(self) -> dict[str, tuple[bytes, int]]:
        """Give the bytes and the time of change of every file, Git's and DVC's own included."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
