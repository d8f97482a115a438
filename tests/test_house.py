"""The rules of the house: verbs import nouns, imports run downwards, and importing has no effects."""

import ast
import json
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

import digits
from digits.training.imports import imported_names
from tests.pipeline import REPOSITORY, STAGES

# From the bottom: what a module imports is on its own floor or on a lower one.
FLOORS = (
    {"environment", "errors", "files", "params"},
    {"backend", "composing", "data", "decoding", "evaluation"},
    {"classifier", "figures", "ink", "pictures", "training"},
    {"calibration", "model_card", "packing", "prediction", "verification"},
    {"app", "sweep"},
    {"comparison"},
    {"report"},
    {"__init__", "__main__", "cli"},
)
MODULES = sorted(path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("digits/**/*.py"))
STAGE_FILES = [f"stages/{stage}.py" for stage in STAGES]

HEAVY = {"keras", "matplotlib", "sklearn", "tensorflow"}
# Imported in functions, after `digits.backend.runtime.start`.
NEED_TENSORFLOW = {"backend/batches", "backend/exact", "ink/muon"} | {
    f"training/{name}" for name in ("augmentation", "checkpoints", "schedules")
}

# Beside digits/figures/.
DRAW = {"prediction/explanation", "report/pictures", "sweep/picture"}


def parse(path: str) -> ast.Module:
    return ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))


def short_name(path: str) -> str:
    return path.removeprefix("digits/").removesuffix(".py")


def floor(path: str) -> int:
    room = short_name(path).split("/")[0]
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def imported_modules(path: str) -> set[str]:
    """Return the modules of the library that `path` imports, also inside functions and for types only."""
    names = {
        f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(parse(path))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    paths = {f"{end.replace('.', '/')}.py" for name in names for end in (name, name.rpartition(".")[0])}
    return paths & set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_from_its_own_floor_or_a_lower_one(module: str) -> None:
    upwards = [name for name in imported_modules(module) if floor(name) > floor(module)]

    assert [] == upwards


def test_no_imports_run_in_a_circle() -> None:
    order = [*TopologicalSorter({module: imported_modules(module) for module in MODULES}).static_order()]

    assert set(MODULES) == set(order)


def test_few_modules_stand_outside_of_a_folder() -> None:
    assert len([*REPOSITORY.glob("digits/*.py")]) <= 10


def test_each_picture_of_the_reports_is_drawn_by_the_module_of_its_name() -> None:
    drawn = {path.stem for path in REPOSITORY.glob("reports/*.png")}
    modules = {path.stem for path in REPOSITORY.glob("digits/figures/[a-z]*.py")}

    # They are drawn by `digits dataset` and `digits sweep`, and by no stage.
    assert drawn - {"dataset", "sweep"} == modules - {"style"}


@pytest.mark.parametrize("module", MODULES)
def test_a_noun_imports_no_verb(module: str) -> None:
    imported = {name.split(".")[0] for name in imported_names(parse(module))}

    assert not imported & {"stages", "tests", "tools", "benchmarks"}


@pytest.mark.parametrize("stage", STAGE_FILES)
def test_a_verb_imports_no_other_verb(stage: str) -> None:
    assert not [name for name in imported_names(parse(stage)) if name.startswith("stages")]


@pytest.mark.parametrize("path", [*MODULES, *STAGE_FILES])
def test_no_import_escapes_the_import_closure(path: str) -> None:
    """It is read from the source, and follows no relative, no computed and no lazy import."""
    tree = parse(path)
    imported = set(imported_names(tree))

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert not {"importlib", "importlib.import_module", "runpy.run_module", "runpy.run_path"} & imported
    assert "__import__" not in ast.unparse(tree)
    # They are imported by `digits.__getattr__`, for applications.
    assert not {f"digits.{name}" for name in digits.__all__} & imported


def test_importing_the_library_imports_nothing_else() -> None:
    code = "import sys; before = {*sys.modules}; import digits; print(sorted({*sys.modules} - before))"

    assert "['digits']" == run_python(code)


@pytest.mark.parametrize("module", MODULES)
def test_only_what_needs_tensorflow_imports_it_at_the_top(module: str) -> None:
    at_the_top = [node for node in parse(module).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {name.split(".")[0] for name in imported_names(ast.Module(at_the_top, []))}

    assert (short_name(module) in NEED_TENSORFLOW) == bool(names & {"keras", "tensorflow"})


def test_importing_a_module_loads_matplotlib_if_it_draws_and_no_other_framework() -> None:
    names = {path: short_name(path) for path in MODULES if short_name(path) not in NEED_TENSORFLOW}
    draws = {
        name: name in DRAW or (name.startswith("figures/") and "__" not in name)
        for name in names.values()
        if name != "__main__"
    }
    code = "import importlib, json, sys; loaded = {}\n"
    code += f"for name in {sorted(draws, key=draws.__getitem__)}:\n"
    code += "    importlib.import_module('digits.' + name.replace('/', '.'))\n"
    code += f"    loaded[name] = sorted({HEAVY} & {{*sys.modules}})\n"
    loaded = json.loads(run_python(code + "print(json.dumps(loaded))"))

    assert {name: ["matplotlib"] if draws[name] else [] for name in draws} == loaded


def run_python(code: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert 0 == finished.returncode, finished.stderr
    return finished.stdout.strip()
