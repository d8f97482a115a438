"""The command `digits verify`, on a toy pipeline with real Git and real DVC."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from digits import cli
from tests.toy_pipeline import Toy

# From DVC's use of one of its dependencies.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

CURRENT, FAILED_TO_RUN, WRONG_ARGUMENTS, EQUIVALENT, DIFFERENT, STALE = 0, 1, 2, 3, 4, 5


@pytest.fixture(scope="session")
def finished(once: Callable[[str, Callable[[Path], object]], Path]) -> Toy:
    """Return a committed toy whose pipeline has run; tests take a copy of it."""
    return Toy(once("toy", lambda folder: Toy(folder).create()))


@pytest.fixture
def toy(finished: Toy, tmp_path: Path) -> Toy:
    return finished.copy(tmp_path / "copy")


@dataclass(frozen=True)
class Answer:
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The output as JSON."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict on each output of a rerun."""
        return {output["path"]: output["verdict"] for output in self.json["rerun"]}


Verify = Callable[..., Answer]


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Verify:
    """Return a function that runs `digits verify` in a toy's folder, in this process."""

    def verify(toy: Toy, *arguments: str, folder: Path | None = None, **variables: str) -> Answer:
        wanted = toy.environment() | variables
        for name in os.environ.keys() - wanted.keys() - {"PYTEST_CURRENT_TEST"}:
            monkeypatch.delenv(name)
        for name, value in wanted.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(tempfile, "tempdir", str(toy.temporary))
        monkeypatch.chdir(folder or toy.folder)
        monkeypatch.setattr(sys, "argv", ["digits", "verify", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capfd.readouterr()
        if isinstance(stop.value.code, str):  # Python prints it, and exits with 1
            return Answer(1, out, err + stop.value.code)
        return Answer(int(stop.value.code or 0), out, err)

    return verify


def stage_of(answer: Answer, name: str) -> dict[str, Any]:
    return next(stage for stage in answer.json["stages"] if stage["name"] == name)


def changes(answer: Answer) -> dict[str, list[str]]:
    """Return the changes of each stage that has some."""
    stages = answer.json["stages"]
    return {
        stage["name"]: [change["text"] for change in stage["changes"]] for stage in stages if stage["changes"]
    }


def test_a_checkout_from_which_the_lock_came_is_current(toy: Toy, verify: Verify) -> None:
    answer = verify(toy)

    expected = """\
make  current (outputs: 2 as locked)
fit   current (outputs: 2 as locked)
draw  current (outputs: 1 as locked)

dvc.lock matches this checkout
"""
    assert (CURRENT, expected, "") == (answer.status, answer.out, answer.err)


def test_a_fresh_clone_without_data_is_current(toy: Toy, verify: Verify, tmp_path: Path) -> None:
    clone = toy.clone(tmp_path / "fresh")
    answer = verify(clone, "--json")

    outputs = {
        output["path"]: output["state"] for stage in answer.json["stages"] for output in stage["outputs"]
    }
    assert CURRENT == answer.status
    assert {
        "data/notes.txt": "not here",
        "data/numbers.json": "not here",
        "data/table.csv": "not here",
        "reports/metrics.json": "locked",
        "reports/picture.svg": "locked",
    } == outputs
    assert "fit   current (outputs: 1 as locked, 1 not here)" in verify(clone).out.splitlines()


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "params.yaml",
            "epochs: 20,",
            "epochs: 10,",
            {"fit": ["params.yaml: recipes.short.epochs 20 → 10"]},
        ),
        (
            "params.yaml",
            "{patience: 3}",
            "{patience: '3'}",
            {"fit": ["params.yaml: recipes.short.early_stopping.patience 3 → '3'"]},
        ),
        (
            "params.yaml",
            ", early_stopping: {patience: 3}",
            "",
            {"fit": ["params.yaml: recipes.short.early_stopping.patience 3 → (none)"]},
        ),
        (
            "params.yaml",
            "recipe: short",
            "recipe: long",
            {
                "fit": [
                    "params.yaml: recipe short → long",
                    "params.yaml: recipes.long is a new param",
                    "params.yaml: recipes.short is no longer a param",
                ]
            },
        ),
        ("environment.yaml", "2.4.6", "2.4.5", {"make": ["environment.yaml: numpy 2.4.6 → 2.4.5"]}),
        ("sizes.py", "4", "5", {"make": ["sizes.py changed"]}),
        (
            "dvc.yaml",
            "python fit.py",
            "python fit.py --fast",
            {"fit": ["command python fit.py → python fit.py --fast"]},
        ),
        ("dvc.yaml", "[make.py, sizes.py]", "[make.py]", {"make": ["sizes.py is no longer a dependency"]}),
        ("dvc.yaml", "[make.py,", "[make.py, fit.py,", {"make": ["fit.py is a new dependency"]}),
        ("dvc.yaml", "[make.py,", "[make.py, nothing.py,", {"make": ["nothing.py is a new dependency"]}),
        ("dvc.yaml", "[data/notes.txt]", "[data/remarks.txt]", {
            "fit": ["data/remarks.txt is a new output", "data/notes.txt is no longer an output"]
        }),
        ("dvc.yaml", "  draw:", "  paint:", {"paint": ["not in dvc.lock"]}),
    ],
)  # fmt: skip
def test_each_change_makes_the_lock_stale_and_is_named(
    toy: Toy, verify: Verify, file: str, old: str, new: str, expected: dict[str, list[str]]
) -> None:
    toy.replace(file, old, new)
    answer = verify(toy, "--json")

    assert (STALE, expected) == (answer.status, changes(answer))
    assert all(line in verify(toy).out for lines in expected.values() for line in lines)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda toy: toy.write("rules/rounding.py", "PLACES = 4"), "rules/rounding.py changed"),
        (lambda toy: toy.write("rules/extra.py", ""), "rules/extra.py is new"),
        (lambda toy: (toy.folder / "rules/counting.py").unlink(), "rules/counting.py is missing"),
    ],
)
def test_a_change_inside_a_folder_that_a_stage_names_is_named(
    toy: Toy, verify: Verify, change: Callable[[Toy], None], text: str, committed: bool
) -> None:
    change(toy)
    if committed:
        toy.commit()
    answer = verify(toy, "--json")

    assert (STALE, {"fit": [text]}) == (answer.status, changes(answer))
    named = [file["path"] for file in answer.json["uncommitted"] if file["named_by_a_stage"]]
    assert ([] if committed else [text.split()[0]]) == named


def test_what_dvcignore_leaves_out_is_no_change_of_a_folder(toy: Toy, verify: Verify) -> None:
    toy.write("rules/rounding.py.orig", "PLACES = 2\n")
    toy.write("rules/__pycache__/other.pyc", "")
    before = verify(toy)
    toy.write("rules/rounding.py", "PLACES = 4")
    after = verify(toy, "--json")

    assert CURRENT == before.status
    assert "uncommitted, but named by no stage: 1 (git status lists them)" in before.out.splitlines()
    assert {"fit": ["rules/rounding.py changed"]} == changes(after)


def test_a_folder_is_named_where_no_commit_has_the_files_of_the_lock(toy: Toy, verify: Verify) -> None:
    toy.write("rules/rounding.py", "PLACES = 4")
    toy.repro()  # dvc.lock now belongs to this file, and is not committed
    toy.write("rules/extra.py", "")

    assert {"fit": ["rules changed"]} == changes(verify(toy, "--json"))


def test_a_missing_code_file_is_named(toy: Toy, verify: Verify) -> None:
    (toy.folder / "sizes.py").unlink()
    answer = verify(toy, "--json")

    assert (STALE, {"make": ["sizes.py is missing"]}) == (answer.status, changes(answer))


def test_a_change_that_no_stage_reads_changes_nothing(toy: Toy, verify: Verify) -> None:
    toy.replace("params.yaml", "epochs: 200", "epochs: 300")
    toy.replace("environment.yaml", "2.21.0", "2.20.0")

    assert CURRENT == verify(toy).status


def test_a_current_stage_names_the_stale_stages_before_it(toy: Toy, verify: Verify) -> None:
    toy.replace("sizes.py", "4", "5")
    toy.replace("dvc.yaml", "python fit.py", "python  fit.py")
    answer = verify(toy, "--json")
    lines = verify(toy).out.splitlines()

    draw = stage_of(answer, "draw")
    assert (False, []) == (draw["current"], draw["changes"])
    assert ["make", "fit"] == stage_of(answer, "draw")["stale_before"]
    assert "draw  current, but make and fit before it are not (outputs: 1 as locked)" in lines
    assert "dvc.lock is stale: make, fit" == lines[-1]


def test_a_stage_name_limits_the_check_to_that_stage_and_those_before_it(toy: Toy, verify: Verify) -> None:
    toy.write("draw.py", toy.read("draw.py") + "\n")
    answer = verify(toy, "fit", "--json")

    assert CURRENT == answer.status
    assert ["make", "fit"] == [stage["name"] for stage in answer.json["stages"]]
    assert STALE == verify(toy, "draw").status


@pytest.mark.parametrize("section", ["make", "fit"])
def test_a_lock_with_an_edited_hash_is_stale(toy: Toy, verify: Verify, section: str) -> None:
    lock = toy.read("dvc.lock")
    before, start, after = lock.partition(f"  {section}:\n")
    entry = after.index("path: data/numbers.json")
    start_of_hash = after.index("md5: ", entry) + len("md5: ")
    true_hash = after[start_of_hash : start_of_hash + 32]
    toy.write("dvc.lock", before + start + after.replace(true_hash, "f" * 32, 1))
    answer = verify(toy, "fit", "--json")

    written, read = ("f" * 8, true_hash[:8]) if section == "make" else (true_hash[:8], "f" * 8)
    text = f"dvc.lock is inconsistent: data/numbers.json was read as {read}, written as {written}"
    assert (STALE, {"fit": [text]}) == (answer.status, changes(answer))


def test_an_altered_output_is_named(toy: Toy, verify: Verify) -> None:
    toy.write("reports/metrics.json", toy.read("reports/metrics.json").replace("1.5", "1.6"))
    answer = verify(toy)

    assert DIFFERENT == answer.status
    assert "      reports/metrics.json: not the locked bytes" in answer.out.splitlines()
    assert "uncommitted, and part of this check: reports/metrics.json (changed)" in answer.out.splitlines()


def test_uncommitted_changes_are_reported(toy: Toy, verify: Verify) -> None:
    toy.replace("params.yaml", "epochs: 20,", "epochs: 10,")
    toy.repro()
    toy.write("remarks.txt", "")
    answer = verify(toy)

    assert CURRENT == answer.status
    assert answer.out.splitlines()[-5:] == [
        "",
        "uncommitted, and part of this check: dvc.lock (changed), params.yaml (changed)",
        "uncommitted, but named by no stage: 1 (git status lists them)",
        "",
        "dvc.lock matches this checkout",
    ]
    assert {"path": "remarks.txt", "state": "untracked", "named_by_a_stage": False} in verify(
        toy, "--json"
    ).json["uncommitted"]


def test_json_has_sorted_keys_and_repeats_the_exit_status(toy: Toy, verify: Verify) -> None:
    toy.replace("sizes.py", "4", "5")
    answer = verify(toy, "--json")

    assert json.dumps(answer.json, indent=2, sort_keys=True) + "\n" == answer.out
    assert ("stale", STALE) == (answer.json["verdict"], answer.json["exit_status"])
    assert toy.run("git", "rev-parse", "HEAD").strip() == answer.json["commit"]


CONFLICT = """\
<<<<<<< HEAD
schema: '2.0'
=======
schema: '3.0'
>>>>>>> other
"""


def drop(name: str) -> Callable[[Toy], None]:
    return lambda toy: (toy.folder / name).unlink()


def leave_git(toy: Toy) -> None:
    (toy.folder / ".git").rename(toy.home / "git")


def leave_dvc(toy: Toy) -> None:
    (toy.folder / ".dvc").rename(toy.home / "dvc")


@pytest.mark.parametrize(
    ("damage", "arguments", "message"),
    [
        (drop("dvc.lock"), (), "digits: dvc.lock: no such file in "),
        (drop("dvc.yaml"), (), "digits: dvc.yaml: no such file in "),
        (drop("params.yaml"), (), "digits: failed to parse 'stages.fit.params' in 'dvc.yaml': "),
        (lambda toy: toy.write("dvc.lock", "stages: ["), (), "digits: unable to read: 'dvc.lock', YAML"),
        (lambda toy: toy.write("dvc.lock", CONFLICT), (), "digits: unable to read: 'dvc.lock', YAML"),
        (lambda toy: toy.write("dvc.lock", "stages: 1\n"), (), "digits: 'dvc.lock' validation failed"),
        (lambda toy: toy.write("dvc.yaml", "stages: {}\n"), (), "digits: dvc.yaml: no stages"),
        (leave_dvc, (), "digits: you are not inside of a DVC repository"),
        (leave_git, (), "digits: git: fatal: not a git repository"),
        (None, ("fitt",), "digits: 'fitt' is no stage (did you mean 'fit'?); allowed: make, "),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rerun", [False, True])
def test_a_check_that_fails_to_run_says_why_in_one_line(
    toy: Toy,
    verify: Verify,
    damage: Callable[[Toy], None] | None,
    arguments: tuple[str, ...],
    message: str,
    rerun: bool,
) -> None:
    if damage:
        damage(toy)
    if rerun and damage not in (leave_git, leave_dvc, None):
        toy.commit()
    answer = verify(toy, *arguments, *(["--rerun"] if rerun else []))
    last_line = re.sub("commit [0-9a-f]{7}: ", "", answer.err.splitlines()[-1])

    assert FAILED_TO_RUN == answer.status
    assert last_line.startswith(message)
    assert [] == [*toy.temporary.iterdir()]


def test_a_wrong_argument_has_an_exit_status_of_its_own(toy: Toy, verify: Verify) -> None:
    assert WRONG_ARGUMENTS == verify(toy, "--again").status


def test_a_rerun_with_the_same_bytes_is_identical_and_changes_nothing_here(toy: Toy, verify: Verify) -> None:
    toy.write("remarks.txt", "")
    toy.replace("params.yaml", "epochs: 20,", "epochs: 10,")
    before = toy.content()
    answer = verify(toy, "--rerun")

    commit = toy.run("git", "rev-parse", "HEAD")[:7]
    assert CURRENT == answer.status
    assert answer.out.splitlines()[-5:] == [
        "",
        "uncommitted, and left out of the rerun: params.yaml (changed)",
        "uncommitted, but named by no stage: 1 (git status lists them)",
        "",
        f"commit {commit}, run again: 5 identical",
    ]
    assert "make  data/numbers.json     identical" == answer.out.splitlines()[0]
    assert "Running stage 'make'" in answer.err
    assert before == toy.content()
    assert [] == [*toy.temporary.iterdir()]


def test_a_check_without_a_rerun_changes_nothing(toy: Toy, verify: Verify, tmp_path: Path) -> None:
    toy.replace("sizes.py", "4", "5")
    clone = toy.clone(tmp_path / "fresh")
    before = toy.content(), clone.content()

    assert (STALE, CURRENT) == (verify(toy).status, verify(clone).status)
    assert before == (toy.content(), clone.content())
    assert [] == [*toy.temporary.iterdir(), *clone.temporary.iterdir(), *clone.home.iterdir()]


@pytest.mark.parametrize(
    ("errors", "status", "reason"),
    [
        ("13", EQUIVALENT, "equivalent: other bytes, accuracy within noise"),
        ("14", DIFFERENT, "different: other bytes, accuracy outside noise"),
    ],
)
def test_other_bytes_are_judged_by_the_accuracy(
    toy: Toy, verify: Verify, errors: str, status: int, reason: str
) -> None:
    answer = verify(toy, "--rerun", NUDGE="0.00001", ERRORS=errors)
    new = 20 + int(errors)
    # 3 * sqrt(0.98 * 0.02 / 1000) = 0.0133: thirteen of 1,000 images.
    noise = "(may differ by 0.013: 3 binomial standard errors of 1000 images)"

    commit = toy.run("git", "rev-parse", "HEAD")[:7]
    expected = f"""\
make  data/numbers.json     {reason}
      data/table.csv        {reason}
fit   data/notes.txt        identical
      reports/metrics.json  {reason}
draw  reports/picture.svg   {reason}

reports/metrics.json  accuracy    0.98 → 0.{1000 - new} {noise}
                      errors      20 → {new}
                      marks.good  True → False
                      mean        1.5 → 1.50001

commit {commit}, run again: 1 identical, 4 {reason.split(":")[0]}
"""
    assert (status, expected) == (answer.status, answer.out)


def test_the_seeds_of_the_recipe_say_how_far_the_accuracy_may_differ(toy: Toy, verify: Verify) -> None:
    (toy.folder / "docs").mkdir()
    rows = [{"seed": seed, "test_errors": errors} for seed, errors in enumerate((18, 20, 22))]
    toy.write("docs/seeds.json", json.dumps({"mine": {"short": {"rows": rows}}}))
    toy.write("params.yaml", "dataset: mine\n" + (toy.folder / "params.yaml").read_text(encoding="utf-8"))
    toy.commit()
    within, outside = (verify(toy, "--rerun", "fit", "--json", ERRORS=errors) for errors in ("5", "7"))

    # The errors of the seeds have a standard deviation of 2: six of 1,000 images.
    assert (EQUIVALENT, DIFFERENT) == (within.status, outside.status)
    accuracy, errors = within.json["metrics"]
    assert {
        "file": "reports/metrics.json",
        "name": "accuracy",
        "locked": 0.98,
        "rerun": 0.975,
        "allowed": pytest.approx(0.006),
        "allowed_from": "3 standard deviations of 3 seeds in docs/seeds.json",
    } == accuracy
    assert ("errors", 20, 25, None) == (errors["name"], errors["locked"], errors["rerun"], errors["allowed"])


def test_other_bytes_before_the_metrics_are_different(toy: Toy, verify: Verify) -> None:
    answer = verify(toy, "--rerun", "make", NUDGE="0.5")

    assert DIFFERENT == answer.status
    assert "make  data/numbers.json  different: other bytes, no metric to judge by" in answer.out.splitlines()


def test_locked_metrics_that_are_not_in_git_come_from_the_cache(
    toy: Toy, verify: Verify, tmp_path: Path
) -> None:
    toy.replace("dvc.yaml", "reports/metrics.json: {cache: false, persist: true}", "reports/metrics.json")
    toy.run("git", "rm", "--quiet", "--cached", "reports/metrics.json")
    toy.repro()
    toy.commit()
    (toy.folder / "reports/metrics.json").unlink()
    clone = toy.clone(tmp_path / "fresh")

    assert EQUIVALENT == verify(toy, "--rerun", ERRORS="1").status
    assert DIFFERENT == verify(clone, "--rerun", ERRORS="1").status


def test_a_stage_name_limits_the_rerun_too(toy: Toy, verify: Verify) -> None:
    answer = verify(toy, "--rerun", "make", "--json")

    assert CURRENT == answer.status
    assert {"data/numbers.json": "identical", "data/table.csv": "identical"} == answer.verdicts
    assert "Running stage 'fit'" not in answer.err


def test_a_commit_with_a_stale_lock_is_not_run(toy: Toy, verify: Verify) -> None:
    toy.replace("sizes.py", "4", "5")
    toy.commit()
    answer = verify(toy, "--rerun")

    commit = toy.run("git", "rev-parse", "HEAD")[:7]
    assert STALE == answer.status
    assert (
        f"dvc.lock of commit {commit} is stale, and so nothing was run: make" == answer.out.splitlines()[-1]
    )
    assert "make  sizes.py changed (outputs: 2 not here)" == answer.out.splitlines()[0]
    assert "Running stage" not in answer.err


def test_a_committed_report_that_is_not_the_locked_one_is_different(toy: Toy, verify: Verify) -> None:
    toy.replace("reports/metrics.json", "1.5", "1.6")
    toy.commit()
    answer = verify(toy, "--rerun", "--json", "fit")

    reasons = {output["path"]: output["reason"] for output in answer.json["rerun"] if output["reason"]}
    assert DIFFERENT == answer.status
    assert {"reports/metrics.json": "the file in the commit is not the locked one"} == reasons


def test_a_failing_stage_ends_the_rerun_with_its_error(toy: Toy, verify: Verify) -> None:
    before = toy.content()
    answer = verify(toy, "--rerun", NUDGE="much")

    assert FAILED_TO_RUN == answer.status
    assert "ValueError: could not convert string to float: 'much'" in answer.err
    assert answer.err.splitlines()[-1].endswith(": `dvc repro` ended with status 255; its last lines say why")
    assert before == toy.content()
    assert [] == [*toy.temporary.iterdir()]


def test_the_command_works_from_a_folder_inside_the_checkout(toy: Toy, verify: Verify) -> None:
    toy.replace("sizes.py", "4", "5")
    inside = toy.folder / "data"
    answer = verify(toy, "--json", folder=inside)

    assert (STALE, {"make": ["sizes.py changed"]}) == (answer.status, changes(answer))
    assert ["sizes.py"] == [file["path"] for file in answer.json["uncommitted"]]


def test_git_and_dvc_variables_of_a_hook_have_no_effect(toy: Toy, verify: Verify) -> None:
    hook = {"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index", "DVC_ROOT": "/nowhere"}

    assert CURRENT == verify(toy, **hook).status
    assert CURRENT == verify(toy, "--rerun", "make", **hook).status


@pytest.mark.parametrize(
    ("ignored", "sent"),
    [(None, signal.SIGINT), (None, signal.SIGTERM), (None, signal.SIGHUP), (signal.SIGHUP, signal.SIGTERM)],
)
def test_an_interrupted_rerun_leaves_nothing_behind(
    toy: Toy, ignored: signal.Signals | None, sent: signal.Signals
) -> None:
    gate = toy.home / "gate"
    os.mkfifo(gate)
    before = toy.content()

    def set_signals() -> None:
        signal.signal(sent, signal.SIG_DFL)  # which a process in the background may have inherited as ignored
        if ignored:
            signal.signal(ignored, signal.SIG_IGN)  # as `nohup` does

    process = subprocess.Popen(
        [sys.executable, "-m", "digits", "verify", "--rerun"],
        cwd=toy.folder,
        env=toy.environment() | {"GATE": str(gate)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=set_signals,
    )
    with gate.open("rb", buffering=0) as started:
        assert b"started" == started.read(len("started"))
        assert 1 == len([*toy.temporary.iterdir()])
        if ignored:
            process.send_signal(ignored)
        process.send_signal(sent)
        # The FIFO ends once the stage, its only writer, has ended.
        assert select.select([started], [], [], 60)[0]
        assert b"" == started.read()
    out, _ = process.communicate()

    assert (128 + sent, b"") == (process.returncode, out)
    assert before == toy.content()
    assert [] == [*toy.temporary.iterdir()]


def test_help_shows_examples_and_every_exit_status(toy: Toy, verify: Verify) -> None:
    answer = verify(toy, "--help")

    assert CURRENT == answer.status
    assert "digits verify --rerun" in answer.out
    shown = [line.split()[0] for line in answer.out.partition("exit status\n")[2].splitlines()[:7]]
    assert ["0", "1", "2", "3", "4", "5", "130"] == shown


def test_help_imports_neither_dvc_nor_numpy() -> None:
    code = "import sys; sys.argv = ['digits', 'verify', '--help']; import digits.cli; "
    code += "print({'dvc', 'numpy', 'pydantic', 'tensorflow'} & set(sys.modules))"

    assert (
        "set()"
        == subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
