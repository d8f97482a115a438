"""Pull the outputs that dvc.lock names and that are not here, where the default remote answers: `make` does.

Every pulled file is hashed, whatever the remote's settings say. What cannot be had costs one line, and the
pipeline makes it.
"""

import os
import sys
from threading import Thread
from typing import Any

from dvc.repo import Repo

# Seconds in which the remote must say what it has.
PATIENCE = 10.0


def main() -> None:
    """Pull, or say in one line why not."""
    repo = Repo()
    name = repo.config["core"].get("remote")
    wanted = [out for out in repo.index.outs if out.use_cache and out.hash_info and not out.exists]
    if not name or not wanted:
        return
    url = repo.config["remote"].get(name, {}).get("url", "no URL")
    try:
        there = stored(repo, wanted)
    # A remote's library may raise anything.
    except Exception as error:
        leave(f"remote {name} ({url}): {one_line(error)}; the pipeline runs")
    if not there:
        leave(f"remote {name} ({url}) does not answer, or has none of the outputs; the pipeline runs")
    pull(name, [out.fs_path for out in there])


def stored(repo: Repo, wanted: list[Any]) -> list[Any]:
    """Return those of the outputs `wanted` that the remote has.

    Raises:
        TimeoutError: it does not answer. The thread that asks is still waiting.
    """
    answers: list[Any] = []

    def ask() -> None:
        try:
            store = repo.cloud.get_remote().odb
            answers.append(set(store.oids_exist([out.hash_info.value for out in wanted])))
        except Exception as error:
            answers.append(error)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not answers:
        raise TimeoutError(f"no answer within {PATIENCE:g} seconds")
    if isinstance(answers[0], Exception):
        raise answers[0]
    return [out for out in wanted if out.hash_info.value in answers[0]]


def pull(name: str, paths: list[str]) -> None:
    """Pull the outputs at `paths` from the remote called `name`, and check their hashes."""
    repo = Repo(config={"remote": {name: {"verify": True}}})
    try:
        repo.pull(paths)
    except Exception as error:
        leave(f"remote {name}: {one_line(error)}; the pipeline makes what is missing")


def one_line(error: Exception) -> str:
    """Return the text of an error, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def leave(line: str) -> None:
    """Print the line and end the process, without waiting for the remote's threads."""
    print(line, file=sys.stderr, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
