"""The command `digits app`: where it listens, what it refuses, and how it ends."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from digits.app.command import addresses, check_model, hosts, listen, url
from digits.errors import DigitsError
from tests.pipeline import REPOSITORY
from tests.serving import Served, png


def refusal(*arguments: str, first: str = "pass") -> str:
    """Run `digits app`, which must fail, and return its one line of error."""
    code = f"import sys; {first}; sys.argv[1:] = ['app', *sys.argv[1:]]; from digits.cli import main; main()"
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=REPOSITORY, capture_output=True, text=True
    )

    assert (1, "") == (answer.returncode, answer.stdout)
    assert 1 == answer.stderr.count("\n"), answer.stderr
    return answer.stderr.removeprefix("digits: ").rstrip()


@pytest.mark.parametrize("module", ["pebble", "starlette", "uvicorn"])
def test_a_missing_extra_is_named_with_the_command_that_installs_it(module: str) -> None:
    line = refusal("--no-browser", first=f"sys.modules['{module}'] = None")

    assert line.startswith(f"the page needs {module}, which the extra `app` installs: python -m pip install ")


def test_a_port_in_use_is_named_with_alternatives() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refusal("--no-browser", "--port", str(port))

    assert f"port {port} of 127.0.0.1 is in use; choose another with --port; 0 takes a free one" == line


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("no such name", "--host: 'no such name' is not the name or address of a machine"),
        ("192.0.2.1", "--host: 192.0.2.1 is not an address of this machine"),
    ],
)
def test_a_host_where_nothing_can_listen_is_named(host: str, reason: str) -> None:
    with pytest.raises(DigitsError) as caught:
        listen(host, 0)

    assert reason == str(caught.value)


@pytest.mark.parametrize("port", ["-1", "65536", "http", "8_0", "²"])
def test_an_invalid_port_is_a_wrong_argument(port: str) -> None:
    command = [sys.executable, "-m", "digits", "app", f"--port={port}"]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert 2 == answer.returncode
    assert f"argument --port: '{port}' is not allowed; expected a number from 0 to 65535" in answer.stderr


def test_the_printed_address_is_one_that_a_browser_can_open() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        assert port > 0
        assert f"http://127.0.0.1:{port}/" == url("127.0.0.1", listener)
        assert f"http://127.0.0.1:{port}/" == url("0.0.0.0", listener)
        assert f"http://[::1]:{port}/" == url("::1", listener)


def test_the_loopback_address_accepts_its_own_names_and_another_address_every_name() -> None:
    with listen("localhost", 0) as loopback, listen("0.0.0.0", 0) as everywhere:
        assert ["127.0.0.1", "[::1]", "localhost", "localhost"] == hosts("localhost", loopback)
        assert ["*"] == hosts("0.0.0.0", everywhere)


def test_a_server_at_all_addresses_knows_those_that_others_reach_and_one_at_loopback_none() -> None:
    with listen("127.0.0.1", 0) as loopback, listen("0.0.0.0", 0) as everywhere:
        port = everywhere.getsockname()[1]
        named = addresses(everywhere)

        assert [] == addresses(loopback)
        assert all(line.startswith("http://") and line.endswith(f":{port}/") for line in named)
        assert f"http://127.0.0.1:{port}/" not in named


def test_a_model_for_images_of_another_size_is_refused_when_the_server_starts() -> None:
    model = SimpleNamespace(image_shape=(14, 14, 1), framing="mnist")
    with pytest.raises(DigitsError, match=r"^m: takes images \(14, 14, 1\), the page needs \(28, 28, 1\)$"):
        check_model(model, "m")  # type: ignore[arg-type]

    model.framing = "fit"
    check_model(model, "m")  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_the_addresses_answers_and_ends_on_a_signal_with_its_processes(
    ending: signal.Signals, classifier_files: Path
) -> None:
    command = [sys.executable, "-m", "digits", "app", "--port=0", "--no-browser", "--host=0.0.0.0"]
    command += ["--model", str(classifier_files / "model.tflite")]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout and process.stderr
        port = urlsplit(process.stdout.readline().strip()).port
        served = Served(port or 0)
        status, _, _ = served.request("GET", "/")
        answer, _ = served.predict(png(0.3, (28, 28)))
        process.send_signal(ending)
        exit_status = process.wait(60)
        # They hold the same standard error, which ends with the last of them.
        said = process.stderr.read().splitlines()

    assert (200, 200) == (status, answer)
    assert (0 if ending == signal.SIGINT else -signal.SIGTERM) == exit_status
    assert [
        "digits: every machine that reaches these addresses can use the page, without a password",
        "digits: press Ctrl+C to stop",
    ] == said
