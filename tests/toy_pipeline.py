"""A pipeline of three quick stages in its own Git and DVC repository, for tests of `digits verify`.

Variables make a rerun differ in ways that no lock can know: the scripts add NUDGE to all numbers and ERRORS
to the 20 errors of 1,000 images, and stop at the FIFO that GATE names.
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
    outs: [data/numbers.json, data/table.csv]
  fit:
    cmd: python fit.py
    params: [recipe, "recipes.${recipe}"]
    deps: [fit.py, rules, data/numbers.json]
    outs: [data/notes.txt]
    metrics:
      - reports/metrics.json: {cache: false, persist: true}
  draw:
    cmd: python draw.py
    deps: [draw.py, reports/metrics.json]
    outs:
      - reports/picture.svg: {cache: false, persist: true}
""",
    "params.yaml": """\
prepare: {size: 4}
recipe: short
recipes:
  short: {epochs: 20, early_stopping: {patience: 3}}
  long: {epochs: 200, early_stopping: {patience: 30}}
""",
    "environment.yaml": 'numpy: "2.4.6"\ntensorflow: "2.21.0"\n',
    "sizes.py": "SIZE = 4\n",
    "rules/counting.py": "IMAGES = 1000\n",
    "rules/rounding.py": "PLACES = 3\n",
    "make.py": """\
import json, os, signal
from sizes import SIZE

if "GATE" in os.environ:
    gate = open(os.environ["GATE"], "w")
    gate.write("started")
    gate.flush()
    signal.pause()
values = [number + float(os.environ.get("NUDGE", 0)) for number in range(SIZE)]
json.dump(values, open("data/numbers.json", "w"))
rows = [f"row {number},{value!r}" for number, value in enumerate(values)]
open("data/table.csv", "w").write("\\n".join(["name,value", *rows, ""]))
""",
    "fit.py": """\
import json, os
from rules.counting import IMAGES
from rules.rounding import PLACES

values = json.load(open("data/numbers.json"))
mean, errors = sum(values) / len(values), 20 + int(os.environ.get("ERRORS", 0))
open("data/notes.txt", "w").write(f"{mean:.{PLACES}f}\\n")
metrics = {"accuracy": 1 - errors / IMAGES, "errors": errors, "marks": {"good": errors < 30}, "mean": mean}
json.dump(metrics, open("reports/metrics.json", "w"))
""",
    "draw.py": """\
import json

errors = json.load(open("reports/metrics.json"))["errors"]
open("reports/picture.svg", "w").write(f'<svg height="{errors}"/>')
""",
    ".dvcignore": "__pycache__/\n*.orig\n",
    ".gitignore": "__pycache__/\n",
    "data/.gitkeep": "",
    "reports/.gitkeep": "",
}

# What a shell or a Git hook may have set, and what the toy must do without.
FOREIGN = ("PYTHON", "GIT_", "DVC_", "NUDGE", "ERRORS", "GATE")


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
        """Copy everything into `folder`, with modification times."""
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
        """Return the variables of a user's shell."""
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
        """Run a command that must succeed, and return its output."""
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
        """Replace the first `old`, which the file must have, by `new`."""
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def content(self) -> dict[str, tuple[bytes, int]]:
        """Return the bytes and the modification time of every file, including Git's and DVC's own."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
