"""dvc.yaml tells the whole truth about its stages, and the rules of the house hold that can be checked."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import digits
from digits.environment import locked_versions
from digits.training.imports import import_closure, imported_names
from tests.pipeline import REPOSITORY, STAGES, Project, declared_files

PIPELINE = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
NOUNS = sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "digits").rglob("[a-z]*.py"))

# The distribution of a module, where their names differ, and what a library computes with.
DISTRIBUTIONS = {"PIL": "pillow", "ai_edge_litert": "ai-edge-litert", "sklearn": "scikit-learn"}
COMPUTES_WITH = {"keras": {"h5py"}, "matplotlib": {"pillow"}, "scikit-learn": {"scipy"}}
# They read and check the params and show progress; no byte of an output comes from them.
COMPUTE_NOTHING = {"pydantic", "yaml", "tqdm"}

HEAVY = {"keras", "matplotlib", "sklearn", "tensorflow"}
NEED_TENSORFLOW = {
    f"digits/{name}.py"
    for name in (
        "backend/batches",
        "backend/exact",
        "training/augmentation",
        "training/checkpoints",
        "training/schedules",
    )
}


def parse(path: str) -> ast.Module:
    return ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))


def source_of(stage: str) -> str:
    return f"stages/{stage}.py"


def outside_modules(names: list[str]) -> set[str]:
    """Give the top-level modules among dotted names that are neither ours nor Python's own."""
    ours = {"digits", "stages"}
    return {name.split(".")[0] for name in names} - ours - sys.stdlib_module_names


def declared_params(stage: str, file: str) -> set[str]:
    """Give the keys of the params file that `stage` declares, for the recipe called article."""
    keys: set[str] = set()
    for entry in PIPELINE[stage]["params"]:
        if isinstance(entry, dict):
            keys.update(entry.get(file, []))
        elif file == "params.yaml":
            keys.add(entry.replace("${recipe}", "article"))
    return keys


def declared_code(stage: str) -> set[str]:
    """Give the code files among the dependencies; a folder stands for all of its modules."""
    return {path for path in expanded(PIPELINE[stage]["deps"]) if path.endswith(".py")}


def expanded(paths: list[str]) -> list[str]:
    """Give `paths` with the modules of a folder in its place."""
    return [
        file
        for path in paths
        for file in (modules_of(path) if path.startswith("digits/") and not path.endswith(".py") else [path])
    ]


def modules_of(folder: str) -> list[str]:
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / folder).rglob("*.py"))


def usage(audited: Project, stage: str) -> dict[str, list[str]]:
    used: dict[str, list[str]] = json.loads((audited.folder.parent / f"{stage}.json").read_bytes())
    return used


def test_dvc_yaml_has_the_stages_that_the_folder_has() -> None:
    scripts = {path.stem for path in (REPOSITORY / "stages").glob("*.py")} - {"__init__"}

    assert scripts == set(PIPELINE) == set(STAGES)
    assert all(f"python -m stages.{stage}" == PIPELINE[stage]["cmd"] for stage in STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_code_that_it_imports(stage: str) -> None:
    assert import_closure(Path(source_of(stage)), REPOSITORY) == declared_code(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_libraries_that_compute_its_outputs(stage: str) -> None:
    code = import_closure(Path(source_of(stage)), REPOSITORY)
    modules = outside_modules([name for path in code for name in imported_names(parse(path))])
    libraries = {DISTRIBUTIONS.get(module, module) for module in modules - COMPUTE_NOTHING}
    libraries = libraries.union(*(COMPUTES_WITH.get(library, set()) for library in libraries))

    assert libraries == declared_params(stage, "environment.yaml")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_params_that_it_reads(audited: Project, stage: str) -> None:
    assert set(usage(audited, stage)["params"]) == declared_params(stage, "params.yaml")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_files_that_it_reads(audited: Project, stage: str) -> None:
    # DVC tracks the files of params by their keys.
    params_files = {"params.yaml", "environment.yaml"}
    declared = declared_files(PIPELINE[stage], ("deps",), "synthetic")

    assert set(usage(audited, stage)["read"]) == {*expanded(declared), *params_files}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_files_that_it_writes(audited: Project, stage: str) -> None:
    assert usage(audited, stage)["written"] == sorted(audited.outputs(stage))


def test_the_test_images_are_opened_to_evaluate_and_to_plot_only(audited: Project) -> None:
    opened = [stage for stage in STAGES if "data/prepared/test.npz" in usage(audited, stage)["read"]]

    assert ["evaluate", "plot"] == opened


@pytest.mark.parametrize("stage", STAGES)
def test_the_outputs_do_not_depend_on_the_place(audited: Project, finished: Project, stage: str) -> None:
    """Neither on folder, locale, time zone, umask, hash seed and cores, nor on what the shell has set."""
    assert finished.contents(stage) == audited.contents(stage)


def test_the_locked_versions_are_those_of_the_requirements() -> None:
    requirements = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    pinned: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", requirements, re.MULTILINE):
        pinned.setdefault(name, set()).add(version)

    for name, version in locked_versions(REPOSITORY / "environment.yaml").items():
        assert {version} == pinned.get(name), name


def test_every_library_that_computes_is_locked() -> None:
    declared = set().union(*(declared_params(stage, "environment.yaml") for stage in STAGES))

    assert set(locked_versions(REPOSITORY / "environment.yaml")) == declared


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_imports_no_verb(noun: str) -> None:
    imported = {name.split(".")[0] for name in imported_names(parse(noun))}

    assert not imported & {"stages", "tests", "tools"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_verb_imports_no_other_verb(stage: str) -> None:
    assert not [name for name in imported_names(parse(source_of(stage))) if name.startswith("stages")]


def test_no_import_escapes_the_import_closure() -> None:
    """The closure is read from the source, where it follows neither relative nor computed imports."""
    for path in [*REPOSITORY.glob("digits/**/*.py"), *REPOSITORY.glob("stages/*.py")]:
        tree = parse(path.relative_to(REPOSITORY).as_posix())
        relative = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
        importers = {"importlib", "importlib.import_module", "runpy", "runpy.run_module", "runpy.run_path"}

        assert not relative, path
        assert not importers & set(imported_names(tree)), path
        assert "__import__" not in ast.unparse(tree), path


def test_nothing_of_ours_asks_for_the_names_that_applications_have_from_the_library() -> None:
    """They are imported behind `digits.__getattr__`, which the closure leaves out."""
    offered = {f"digits.{name}" for name in digits.__all__}

    for path in [*map(REPOSITORY.joinpath, NOUNS), *REPOSITORY.glob("stages/*.py")]:
        imported = set(imported_names(parse(path.relative_to(REPOSITORY).as_posix())))

        assert not offered & imported, path


def test_importing_the_library_imports_nothing_else() -> None:
    code = "import sys; before = {*sys.modules}; import digits; print(sorted({*sys.modules} - before))"

    assert "['digits']" == run_python(code)


def test_only_the_nouns_of_tensorflow_import_it_at_the_top() -> None:
    for noun in NOUNS:
        tree = parse(noun)
        at_the_top = ast.Module(
            [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))], []
        )
        modules = {name.split(".")[0] for name in imported_names(at_the_top)}

        assert (noun in NEED_TENSORFLOW) == bool(modules & {"keras", "tensorflow"}), noun


def test_importing_a_noun_loads_no_framework_but_the_one_it_is_about() -> None:
    """Those that draw load matplotlib, those that need TensorFlow are imported where they are used."""
    draw = {
        f"digits/{name}.py"
        for name in (
            "figures/mistakes",
            "figures/reliability",
            "figures/style",
            "figures/training",
            "prediction/explanation",
        )
    }
    nouns = sorted(set(NOUNS) - NEED_TENSORFLOW, key=lambda noun: (noun in draw, noun))
    code = "import importlib, json, sys; loaded = {}\n"
    code += f"for noun in {nouns}:\n    importlib.import_module(noun.removesuffix('.py').replace('/', '.'))\n"
    code += f"    loaded[noun] = sorted({HEAVY} & {{*sys.modules}})\n"
    loaded = json.loads(run_python(code + "print(json.dumps(loaded))"))

    assert {noun: ["matplotlib"] if noun in draw else [] for noun in loaded} == loaded


def run_python(code: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert 0 == finished.returncode, finished.stderr
    return finished.stdout.strip()
