"""Sharing by DVC remotes, with real servers: push, a fresh clone, pull, and what can go wrong on the way."""

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digits.files import HISTORY, read_table
from tests.pipeline import REPOSITORY, Project
from tests.servers import HOST, KINDS, SECRETS, Http, Server, Sshd, killed_after, running

pytestmark = pytest.mark.servers

DOCS = (REPOSITORY / "docs/sharing.md").read_text(encoding="utf-8")
# Bytes after which a server is killed: in the middle of the larger objects.
MIDDLE = 200_000
MODEL, PREDICTIONS = "data/model.keras", "data/predictions.csv"


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(request.param, tmp_path_factory.mktemp(request.param) / "server") as server:
        yield server


@pytest.fixture(scope="module")
def stored(server: Server, finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Return a server to which the outputs of the finished pipeline were pushed."""
    project = finished.copy(tmp_path_factory.mktemp("pushing") / "project")
    connect(project, server, user="writer")
    project.dvc("push", "--run-cache")
    return server


@pytest.fixture
def clone(finished: Project, tmp_path: Path) -> Project:
    """Return a fresh clone, which has neither outputs nor a cache."""
    return fresh_clone(finished, tmp_path / "clone")


def fresh_clone(project: Project, folder: Path) -> Project:
    project.git("clone", "--quiet", str(project.folder), str(folder))
    return Project(folder, project.home)


def connect(
    project: Project, server: Server, user: str = "reader", port: int | None = None, **settings: str
) -> None:
    """Name the server as the project's remote, in the file that Git ignores."""
    if user == "reader" and not isinstance(server, Http):
        user = "writer"
    settings = server.settings(port or server.port, user) | {"verify": "true"} | settings
    lines = ["[core]", "    remote = storage", "['remote \"storage\"']"]
    lines += [f"    {name} = {value}" for name, value in settings.items()]
    (project.folder / ".dvc/config.local").write_text("\n".join([*lines, ""]), encoding="utf-8")


def outputs(project: Project) -> dict[str, bytes]:
    """Return the outputs that DVC keeps."""
    return {name: content for name, content in project.contents().items() if name.startswith("data/")}


def key_of(project: Project, path: str) -> str:
    """Return the key at which a remote keeps the output at `path`."""
    lock = (project.folder / "dvc.lock").read_text(encoding="utf-8")
    (found,) = {*re.findall(rf"path: {re.escape(path)}\n\s+hash: md5\n\s+md5: (\w+)", lock)}
    return f"files/md5/{found[:2]}/{found[2:]}"


def make(project: Project, *targets: str) -> "subprocess.CompletedProcess[str]":
    """Run make with this environment in place of the one that it would install."""
    shutil.copy(REPOSITORY / "Makefile", project.folder)
    shutil.copytree(REPOSITORY / "tools", project.folder / "tools", dirs_exist_ok=True)
    return project.run("make", "--old-file=.venv/bin/installed", *targets)


def test_a_fresh_clone_has_every_output_after_a_pull(
    stored: Server, finished: Project, clone: Project
) -> None:
    connect(clone, stored)

    clone.dvc("pull")
    status, verdict = clone.dvc("status"), clone.run("digits", "verify", "--json")

    assert "up to date" in status
    assert "current" == json.loads(verdict.stdout)["verdict"]
    assert finished.contents() == clone.contents()


def test_make_pulls_and_trains_nothing(stored: Server, finished: Project, clone: Project) -> None:
    connect(clone, stored)

    answer = make(clone)

    assert 0 == answer.returncode, answer.stderr
    assert "Running stage" not in answer.stdout
    assert "test accuracy: " in answer.stdout
    assert finished.contents() == clone.contents()


@pytest.mark.parametrize("server", ["moto", "seaweedfs", "ssh"], indirect=True)
def test_a_push_whose_server_is_killed_completes_with_the_next_try(
    server: Server, finished: Project, tmp_path: Path, clone: Project
) -> None:
    project = finished.copy(tmp_path / "project")
    with killed_after(server, MIDDLE) as port:
        connect(project, server, user="writer", port=port, **fast_failure(server))
        interrupted = project.run("dvc", "push")
    server.start()
    connect(project, server, user="writer")
    second = project.run("dvc", "push")
    connect(clone, server)
    clone.dvc("pull")

    assert 0 != interrupted.returncode
    assert 0 == second.returncode
    assert finished.contents() == project.contents() == clone.contents()


@pytest.mark.parametrize("server", ["seaweedfs", "ssh", "http"], indirect=True)
def test_a_pull_whose_server_is_killed_completes_with_the_next_try(
    stored: Server, finished: Project, clone: Project
) -> None:
    with killed_after(stored, MIDDLE) as port:
        connect(clone, stored, port=port, **fast_failure(stored))
        interrupted = clone.run("dvc", "pull")
    partial = {name for name in outputs(finished) if (clone.folder / name).exists()}
    pulled = {name: (clone.folder / name).read_bytes() for name in partial}
    stored.start()
    connect(clone, stored)
    clone.dvc("pull")

    assert 0 != interrupted.returncode
    assert pulled == {name: outputs(finished)[name] for name in partial}
    assert finished.contents() == clone.contents()


def fast_failure(server: Server) -> dict[str, str]:
    """Return settings with which DVC gives a dead server up sooner."""
    return {"connect_timeout": "2", "read_timeout": "5"} if "region" in server.settings(0) else {}


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "altered": lambda content: content.replace(b"1", b"2", 1),
}


@pytest.fixture
def damaged(request: pytest.FixtureRequest, stored: Server, finished: Project) -> Iterator[Server]:
    """Return the server with one object changed behind DVC's back."""
    key = key_of(finished, PREDICTIONS)
    original = (finished.folder / PREDICTIONS).read_bytes()
    stored.replace(key, CHANGES[request.param])
    yield stored
    stored.replace(key, lambda _: original)


@pytest.mark.parametrize("damaged", CHANGES, indirect=True)
def test_a_damaged_object_is_refused_where_the_remote_is_verified(
    damaged: Server, finished: Project, clone: Project
) -> None:
    connect(clone, damaged, verify="true")

    answer = clone.run("dvc", "pull")

    assert 1 == answer.returncode
    assert PREDICTIONS in answer.stderr
    assert not (clone.folder / PREDICTIONS).exists()
    assert finished.contents("train") == clone.contents("train")


@pytest.mark.parametrize("server", ["moto", "http"], indirect=True)
@pytest.mark.parametrize("damaged", CHANGES, indirect=True)
def test_a_damaged_object_that_was_not_verified_is_named_by_digits_verify(
    damaged: Server, clone: Project
) -> None:
    connect(clone, damaged, verify="false")

    clone.dvc("pull")
    answer = clone.run("digits", "verify")

    assert 4 == answer.returncode
    assert f"{PREDICTIONS}: not the locked bytes" in answer.stdout


@pytest.mark.parametrize("server", ["seaweedfs"], indirect=True)
@pytest.mark.parametrize("damaged", CHANGES, indirect=True)
def test_make_makes_again_what_is_damaged_on_the_remote(
    damaged: Server, finished: Project, clone: Project
) -> None:
    connect(clone, damaged, verify="false")

    answer = make(clone)

    assert 0 == answer.returncode, answer.stderr
    assert ["evaluate"] == re.findall("Running stage '(.*)'", answer.stdout)
    assert finished.contents() == clone.contents()


@pytest.mark.parametrize(
    ("server", "user"), [("seaweedfs", "reader"), ("ssh", "stranger")], indirect=["server"]
)
def test_a_push_without_permission_fails_and_loses_nothing(
    server: Server, user: str, finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project")
    lines = connect_as(project, server, user)
    # Something that the server does not have yet.
    (project.folder / "data/notes.txt").write_text(f"{user} was here\n", encoding="utf-8")
    project.dvc("add", "--quiet", "data/notes.txt")

    refused = project.run("dvc", "push")
    connect(project, server, user="writer")
    pushed = project.run("dvc", "push")

    assert lines
    assert 0 != refused.returncode
    assert re.search("denied|forbidden|permission", refused.stderr, re.IGNORECASE)
    assert 0 == pushed.returncode
    assert finished.contents() == project.contents()


def connect_as(project: Project, server: Server, user: str) -> dict[str, str]:
    settings = server.settings(server.port, user)
    connect(project, server, user="writer", **settings)
    return settings


@pytest.mark.parametrize("server", ["ssh"], indirect=True)
def test_a_push_to_a_full_disk_fails_and_completes_where_there_is_room(
    server: Sshd, finished: Project, clone: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project")
    shutil.rmtree(server.folder / "store", ignore_errors=True)
    connect(project, server, user="writer")
    server.limit("100")
    full = project.run("dvc", "push")
    server.limit("unlimited")
    project.dvc("push")
    connect(clone, server)
    clone.dvc("pull")

    assert 0 != full.returncode
    assert finished.contents() == clone.contents()


@pytest.mark.parametrize("server", ["moto", "ssh", "http", "folder"], indirect=True)
def test_a_pull_to_a_full_disk_fails_and_completes_where_there_is_room(
    stored: Server, finished: Project, clone: Project
) -> None:
    connect(clone, stored)

    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))"
    full = clone.run("dvc", "pull", first=limit)
    clone.dvc("pull")

    assert 0 != full.returncode
    assert finished.contents() == clone.contents()


@pytest.fixture
def silent() -> Iterator[int]:
    """Return a port that accepts connections and never answers."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("server", ["moto", "seaweedfs", "ssh"], indirect=True)
def test_make_says_in_one_line_that_a_remote_does_not_answer_and_runs_the_pipeline(
    server: Server, silent: int, finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project")
    forget(project, "prepare")
    connect(project, server, user="writer", port=silent)

    answer = make(project)

    assert 0 == answer.returncode
    assert 1 == len(
        re.findall("remote storage .*no answer within .* seconds; the pipeline runs", answer.stderr)
    )
    assert ["prepare"] == re.findall("Running stage '(.*)'", answer.stdout)
    assert finished.contents() == project.contents()


def forget(project: Project, stage: str) -> None:
    """Delete the outputs of a stage, and its runs and objects in the cache."""
    for name in project.outputs(stage):
        shutil.rmtree(project.folder / ".dvc/cache/runs", ignore_errors=True)
        (project.folder / ".dvc/cache" / key_of(project, name)).unlink()
        (project.folder / name).unlink()


def test_make_without_a_remote_says_nothing_of_one(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")
    forget(project, "prepare")

    answer = make(project)

    assert not re.search("remote .*(the pipeline runs|answer)", answer.stdout + answer.stderr)
    assert finished.contents() == project.contents()


def test_make_train_trains_although_every_result_is_here(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")

    answer = make(project, "train")

    assert 0 == answer.returncode, answer.stderr
    assert ["train"] == re.findall("Running stage '(.*)'", answer.stdout)
    assert finished.contents() == project.contents()


def commands(section: str) -> list[str]:
    """Return the commands of a section of docs/sharing.md."""
    text = re.split(r"^## ", DOCS, flags=re.MULTILINE)
    (found,) = [part for part in text if part.startswith(section)]
    blocks = re.findall(r"```sh\n(.*?)```", found, re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line]


@pytest.mark.parametrize("server", ["seaweedfs", "ssh", "http", "folder"], indirect=True)
def test_the_commands_of_the_docs_set_a_remote_up_push_and_pull(
    request: pytest.FixtureRequest, server: Server, finished: Project, tmp_path: Path
) -> None:
    section = {"seaweedfs": "S3", "ssh": "SSH", "http": "HTTP", "folder": "A folder"}
    lines = commands(section[request.node.callspec.params["server"]])
    project = finished.copy(tmp_path / "project")
    writer, reader = server.settings(server.port, "writer"), server.settings(server.port)
    places = {
        "s3://bucket/digits": writer["url"],
        "ssh://you@host/srv/digits": writer["url"],
        "/mnt/share/digits": writer["url"],
        "https://host/digits": reader["url"],
        "https://s3.example.org": writer.get("endpointurl", ""),
        "~/.ssh/id_ed25519": writer.get("keyfile", ""),
        "KEY": "writer",
        "SECRET": SECRETS["writer"],
    }
    if isinstance(server, Http):
        connect(project, server, user="writer")
        project.dvc("push")
        (project.folder / ".dvc/config.local").unlink()
    for line in lines:
        for name, place in places.items():
            line = line.replace(name, place)
        if line.startswith("git clone"):
            project.commit("Name the remote")
            local = project.folder / ".dvc/config.local"
            secrets = local.read_text() if local.exists() else ""
            project = fresh_clone(project, tmp_path / "clone")
            (project.folder / ".dvc/config.local").write_text(secrets)
        elif line.startswith("dvc "):
            project.dvc(*line.split()[1:])

    committed = project.git("show", "HEAD:.dvc/config")
    assert "clone" == project.folder.name
    assert SECRETS["writer"] not in committed
    assert finished.contents() == project.contents()


@pytest.fixture(scope="module")
def published(finished: Project, classifier_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with a remote in its committed configuration, whose model reads printed digits."""
    folder = tmp_path_factory.mktemp("published")
    project = finished.copy(folder / "project")
    shutil.copy(classifier_files / "model.tflite", project.folder / "data/model.tflite")
    project.dvc("commit", "--force", "export")
    project.dvc("remote", "add", "--default", "storage", str(folder / "store"))
    project.dvc("push")
    project.commit("Publish a model")
    project.git("tag", "--annotate", "classifier@v1.0.0", "--message", "The first model")
    return project


@pytest.fixture
def elsewhere(published: Project, tmp_path: Path) -> Project:
    """Return another Git and DVC repository."""
    (tmp_path / "elsewhere").mkdir()
    project = Project(tmp_path / "elsewhere", published.home)
    project.git("init", "--quiet")
    project.dvc("init", "--quiet")
    return project


def substituted(line: str, published: Project) -> list[str]:
    return line.replace("https://host/digits.git", str(published.folder)).split()


def test_another_repository_gets_and_imports_the_model_and_the_dataset(
    published: Project, elsewhere: Project
) -> None:
    lines = [
        line for line in commands("Use the model elsewhere") if line.startswith(("dvc get", "dvc import"))
    ]
    for line in lines:
        arguments = substituted(line, published)[1:]
        elsewhere.dvc(*[word.replace("mnist", "synthetic") for word in arguments])

    names = {"model.tflite": "data/model.tflite", "synthetic.npz": "data/arrays/synthetic.npz"}
    expected = {name: (published.folder / path).read_bytes() for name, path in names.items()}
    assert expected == {name: (elsewhere.folder / name).read_bytes() for name in names}
    assert "up to date" in elsewhere.dvc("status")


def test_the_model_that_came_answers_for_a_picture(published: Project, elsewhere: Project) -> None:
    elsewhere.dvc("get", str(published.folder), "data/model.tflite")

    answer = elsewhere.run(
        "digits", "predict", "--json", "--model", "model.tflite", str(REPOSITORY / "docs/photograph.jpg")
    )

    assert 0 == answer.returncode, answer.stderr
    assert json.loads(answer.stdout)["digit"] in range(10)


def test_python_opens_a_file_of_another_repository(published: Project, elsewhere: Project) -> None:
    (code,) = re.findall(r"```python\n(import dvc.api\n.*?)```", DOCS, re.DOTALL)

    answer = elsewhere.run("python", "-c", code.replace("https://host/digits.git", str(published.folder)))

    epochs = len(read_table(published.folder / "data/history.csv", HISTORY)["epoch"])
    assert 0 == answer.returncode, answer.stderr
    assert str(epochs) == answer.stdout.strip()


def test_a_version_of_the_model_is_a_tag_that_dvc_reads(published: Project, elsewhere: Project) -> None:
    shown = published.run("gto", "show", "classifier")
    elsewhere.dvc("artifacts", "get", str(published.folder), "classifier", "--rev", "v1.0.0", "--out", "got")

    expected = (published.folder / "data/calibrated.keras").read_bytes()
    assert "v1.0.0" in shown.stdout
    assert expected == (elsewhere.folder / "got").read_bytes()
