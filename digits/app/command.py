"""`digits app`: a page in the browser that reads the digit you draw, or tells what a picture shows."""

from __future__ import annotations

import argparse
import contextlib
import errno
import ipaddress
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from digits.errors import DigitsError

if TYPE_CHECKING:
    from types import FrameType

    import uvicorn
    from starlette.types import ASGIApp

    from digits.classifier.classifier import Classifier

SUMMARY = "open a page in the browser that reads the digit you draw, or tells what a picture shows"
DESCRIPTION = """\
Serve a page that reads the digit you draw, or the one in a picture you drop, paste or choose, and open it
in the browser. With a model of other images, it tells which of its classes a picture shows. Only this
machine can reach it unless --host says otherwise. It stores nothing and needs no internet. Press Ctrl+C to
stop it.
"""
EPILOG = """\
examples
  digits app                         serve http://127.0.0.1:8000/ and open it
  digits app --port 0 --no-browser   serve at any free port, and print the address
  digits app --host 0.0.0.0          let every machine in the network use it, without a password
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `digits app`, and the function that runs it."""
    parser.add_argument("--host", default="127.0.0.1", help="address to serve at (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="from 0 to 65535; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument("--model", metavar="PATH", help="model to use (default: data/model.tflite)")
    parser.add_argument("--no-browser", action="store_true", help="print the address, but do not open it")
    parser.set_defaults(run=app)


def app(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        import uvicorn  # noqa: F401

        from digits.app.server import application, described
        from digits.app.workers import Workers, is_quick
    except ModuleNotFoundError as error:
        missing = str(error.name).split(".")[0]
        if missing not in ("pebble", "starlette", "uvicorn"):
            raise
        raise DigitsError(
            f"the page needs {missing}, which the extra `app` installs: python -m pip install -e '.[app]'"
        ) from error
    from digits.prediction.predict import load_model

    with listen(arguments.host, arguments.port) as listener:
        model = load_model(arguments.model)
        check_model(model, arguments.model)
        workers = Workers(partial(reader, arguments.model))

        def end(number: int, _: FrameType | None) -> None:
            """End by a signal as without a handler, but after the processes."""
            workers.close()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

        # uvicorn raises it again once the server has stopped.
        signal.signal(signal.SIGTERM, end)
        try:
            names = hosts(arguments.host, listener)
            server = runner(application(workers.submit, names, described(model), is_quick))
            address = url(arguments.host, listener)
            _announce(address, addresses(listener), names == ["*"], not arguments.no_browser)
            with contextlib.suppress(KeyboardInterrupt):
                server.run(sockets=[listener])
        finally:
            workers.close()
    return 0


def check_model(model: Classifier, path: str | None) -> None:
    """Check that a model takes the images that pictures become.

    Raises:
        DigitsError: ink is framed as MNIST's, and its images have another size.
    """
    from digits.pictures.centring import SIDE

    if model.framing == "mnist" and model.image_shape != (SIDE, SIDE, 1):
        raise DigitsError(f"{path}: takes images {model.image_shape}, the page needs {(SIDE, SIDE, 1)}")


def reader(path: str | None) -> Callable[[bytes], dict[str, Any]]:
    """Load the model, and return the function that reads the bytes of a picture."""
    from digits.app.server import as_json
    from digits.prediction.predict import load_model, predict_label

    model = load_model(path)
    return lambda content: as_json(predict_label(content, model))


def runner(application: ASGIApp) -> uvicorn.Server:
    """Return a server for `application` with plain HTTP, few connections, and no log except errors."""
    import uvicorn

    from digits.app import connections

    config = uvicorn.Config(
        application,
        http=connections.Connection,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=connections.MOST + 1,
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """Open a socket that already listens at `host`, a name or an address.

    Raises:
        DigitsError: the name is unknown, the address is another machine's, or the port is in use or refused.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise DigitsError(f"--host: {host!r} is not the name or address of a machine") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} of {host} is in use; choose another with --port; 0 takes a free one"
        elif error.errno == errno.EADDRNOTAVAIL:
            reason = f"--host: {host} is not an address of this machine"
        else:
            reason = f"port {port} of {host}: {error.strerror}"
        raise DigitsError(reason) from error
    return listener


def hosts(host: str, listener: socket.socket) -> list[str]:
    """Return the host names that requests may use: on loopback only its own, otherwise any."""
    if ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
        return ["127.0.0.1", "[::1]", "localhost", f"[{host}]" if ":" in host else host]
    return ["*"]


def url(host: str, listener: socket.socket) -> str:
    """Return the URL to open in a browser; a server at all addresses is opened at the loopback address."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{listener.getsockname()[1]}/"


def addresses(listener: socket.socket) -> list[str]:
    """Return the URLs at which other machines reach a server at all addresses, as far as they are known."""
    own = ipaddress.ip_address(listener.getsockname()[0])
    if own.is_loopback:
        return []
    known = {str(own)}
    if own.is_unspecified:
        known = set()
        with contextlib.suppress(OSError):
            names = socket.getaddrinfo(socket.gethostname(), None, listener.family, socket.SOCK_STREAM)
            known |= {str(address[0]) for *_, address in names}
        # The address that leads out of here; nothing is sent.
        with contextlib.suppress(OSError), socket.socket(listener.family, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1" if listener.family == socket.AF_INET else "2001:db8::1", 9))
            known.add(str(probe.getsockname()[0]))
    shown = sorted(address for address in known if not ipaddress.ip_address(address).is_loopback)
    return [url(address, listener) for address in shown]


def _announce(address: str, others: list[str], exposed: bool, open_browser: bool) -> None:
    for line in dict.fromkeys([address, *others]):
        print(line, flush=True)
    if exposed:
        warning = "digits: every machine that reaches these addresses can use the page, without a password"
        print(warning, file=sys.stderr, flush=True)
    print("digits: press Ctrl+C to stop", file=sys.stderr, flush=True)
    if open_browser:
        # A text browser would block this thread until it is closed.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; expected a number from 0 to 65535")
    return int(text)
