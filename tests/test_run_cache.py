"""`digits verify --cache` finds stages that gave two results for the same inputs."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.seeded_pipeline import SeededToy, digits_command


def test_a_stage_with_two_results_for_the_same_inputs_is_found(
    once: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path
) -> None:
    toy = SeededToy(
        SeededToy(once("seeded", lambda folder: SeededToy(folder).create())).copy(tmp_path).folder.parent
    )
    before = verify_cache(toy)
    variables = toy.environment() | {"FLIP": "1"}
    command = [*digits_command()[:3], "dvc", "repro", "--force", "--no-run-cache", "--quiet"]
    subprocess.run(command, cwd=toy.folder, env=variables, check=True)
    after = verify_cache(toy)
    (contradiction,) = json.loads(verify_cache(toy, "--json").stdout)["contradictions"]

    assert [0, 4] == [before.returncode, after.returncode]
    assert "run cache: 2 runs, 0 with several results\n" == before.stdout
    assert after.stdout.startswith("python fit.py: the same inputs gave several results: data/model.txt is ")
    assert ["data/model.txt"] == [*contradiction["outputs"]]


def verify_cache(toy: SeededToy, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = digits_command("verify", "--cache", *arguments)
    return subprocess.run(
        command, cwd=toy.folder, env=toy.environment(), capture_output=True, text=True, check=False
    )
