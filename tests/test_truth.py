"""dvc.yaml tells the whole truth about its stages."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from digits.environment import locked_versions
from digits.training.imports import import_closure, imported_names
from tests.pipeline import REPOSITORY, STAGES, Project, declared_files

PIPELINE = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]

# The distribution of a module, where their names differ, and what a library computes with.
DISTRIBUTIONS = {"PIL": "pillow", "ai_edge_litert": "ai-edge-litert", "sklearn": "scikit-learn"}
COMPUTES_WITH = {"keras": {"h5py"}, "matplotlib": {"pillow"}, "scikit-learn": {"scipy"}}
# They read and check the params and show progress; no byte of an output comes from them.
COMPUTE_NOTHING = {"pydantic", "yaml", "tqdm"}


def parse(path: str) -> ast.Module:
    return ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))


def source_of(stage: str) -> str:
    return f"stages/{stage}.py"


def outside_modules(names: list[str]) -> set[str]:
    """Return the top-level modules among dotted names that are neither ours nor of the standard library."""
    ours = {"digits", "stages"}
    return {name.split(".")[0] for name in names} - ours - sys.stdlib_module_names


def declared_params(stage: str, file: str) -> set[str]:
    """Return the keys of the params file that `stage` declares, for the recipe called article."""
    keys: set[str] = set()
    for entry in PIPELINE[stage]["params"]:
        if isinstance(entry, dict):
            keys.update(entry.get(file, []))
        elif file == "params.yaml":
            keys.add(entry.replace("${recipe}", "article"))
    return keys


def declared_code(stage: str) -> set[str]:
    """Return the code files among the dependencies; a folder stands for all of its modules."""
    return {path for path in expanded(PIPELINE[stage]["deps"]) if path.endswith(".py")}


def expanded(paths: list[str]) -> list[str]:
    """Return `paths` with each folder replaced by its modules."""
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


def test_folders_keep_the_list_of_code_short() -> None:
    code = [
        path
        for stage in PIPELINE.values()
        for path in stage["deps"]
        if not path.startswith(("data/", "datasets/"))
    ]

    assert len(code) <= 18 * len(STAGES)


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
