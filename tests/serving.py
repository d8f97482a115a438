"""The server of `digits app` in this process, with a stand-in for the model."""

import http.client
import io
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from digits.app.command import hosts, listen, runner
from digits.app.server import application, as_json, described
from digits.errors import DigitsError

Answers = Callable[[bytes], Any]

# Models, as far as the page and its stand-ins know them.
COLOURS: Any = SimpleNamespace(
    classes=(
        "red apple",
        "grüne Birne",
        "a name that is longer than a telephone is wide, and then some more",
    ),
    image_shape=(12, 16, 3),
    framing="crop",
)
SHADES: Any = SimpleNamespace(
    classes=tuple(f"shade {number}" for number in range(1000)), image_shape=(1, 1, 3), framing="fit"
)
DIGITS: Any = SimpleNamespace(classes=tuple("0123456789"), image_shape=(28, 28, 1), framing="mnist")


def stand_in(content: bytes) -> SimpleNamespace:
    """Answer like `predict_label`: 7 if the picture has ink, and sure if it has much."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > 4_000_000:
                raise DigitsError("picture: more pixels than 4,000,000")
            ink = 1 - np.asarray(picture.convert("L").resize((28, 28))) / 255
    except OSError as error:
        raise DigitsError("picture: not a readable image") from error
    share = float(ink.mean())
    confidence = 0.1 if share == 0 else 0.6 if share < 0.02 else 0.97
    probabilities = np.full(10, (1 - confidence) / 9, np.float32)
    probabilities[7] = confidence
    reason = "" if confidence > 0.9 else "no ink found" if share == 0 else "confidence 0.600 under 0.900"
    return SimpleNamespace(
        classes=DIGITS.classes,
        label="7",
        index=7,
        digit=7,
        confidence=confidence,
        probabilities=probabilities,
        sure=not reason,
        reason=reason,
        image=ink.astype(np.float32),
        box=(10, 20, 30, 60) if share else None,
        steps=(("ink", np.kron(ink, np.ones((4, 4)))),),
    )


def shade_stand_in(model: Any) -> Answers:
    """Return what answers like `predict_label` of a model in colours: the last class, and a red image."""

    def answer(_: bytes) -> SimpleNamespace:
        height, width, _channels = model.image_shape
        count = len(model.classes)
        image = np.zeros((height, width, 3), np.float32)
        image[..., 0] = 1
        return SimpleNamespace(
            classes=model.classes,
            label=model.classes[-1],
            index=count - 1,
            confidence=0.97,
            probabilities=np.array([*[0.03 / (count - 1)] * (count - 1), 0.97], np.float32),
            sure=True,
            reason="",
            image=image,
            box=(10, 0, 90, 100),
            steps=(),
        )

    return answer


@dataclass
class Served:
    """A running server: its port, and the lines it has logged."""

    port: int
    logged: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Send a request on its own connection, and return status, body and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    def predict(self, body: Any, **headers: str) -> tuple[int, str]:
        """Post a picture's bytes, and return the status and the text of the answer."""
        status, content, _ = self.request("POST", "/predict", body, headers)
        return status, content.decode()

    def connect(self) -> socket.socket:
        """Open a connection for raw bytes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def status_of(self, request: str, encoding: str = "utf-8") -> int:
        """Send the text of a request, which may be incomplete, and return the status of the answer."""
        with self.connect() as connection:
            connection.sendall(request.encode(encoding))
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status


@contextmanager
def serving(
    predict: Answers = stand_in,
    submit: Any = None,
    is_quick: Callable[[bytes], bool] = lambda _: True,
    model: Any = DIGITS,
) -> Iterator[Served]:
    """Serve the page from a thread, at a free port of the loopback address.

    The answers are those of `predict`, from threads, or those of `submit`; the page's words are for `model`.
    """
    with listen("127.0.0.1", 0) as listener:
        served = Served(listener.getsockname()[1])
        pool = ThreadPoolExecutor(4)
        answers = lambda content: pool.submit(lambda: as_json(predict(content)))  # noqa: E731
        server = runner(
            application(submit or answers, hosts("127.0.0.1", listener), described(model), is_quick)
        )
        handler = logging.Handler()
        handler.emit = lambda record: served.logged.append(record.getMessage())  # type: ignore[method-assign]
        loggers = [logging.getLogger(name) for name in ("uvicorn", "asyncio")]
        for logger in loggers:
            logger.addHandler(handler)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join()
            pool.shutdown(wait=False)
            for logger in loggers:
                logger.removeHandler(handler)


def png(ink: float = 0.3, size: tuple[int, int] = (100, 100)) -> bytes:
    """Draw a black bar on white that covers the share `ink` of the width, and return the bytes of its PNG."""
    picture = Image.new("L", size, 255)
    if ink:
        picture.paste(0, (0, 0, max(1, round(ink * size[0])), size[1]))
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()
