"""The server behind the page of `digits app`: its files, the model's classes, answers about pictures.

`GET /model` says what the model tells apart, and `POST /predict` answers about the bytes of a picture.

Nothing of a request outlives its answer: no file, no cookie, no line in a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digits.classifier.metadata import are_digits
from digits.errors import DigitsError

if TYPE_CHECKING:
    from digits.classifier.classifier import Classifier
    from digits.prediction.predict import Prediction

# Limits, not tunables: what one request may take from the others.
MOST_BYTES = 16 * 2**20  # of a picture; a telephone's photograph has 3 to 8 MiB; page.js knows it too
MOST_HELD = 4 * MOST_BYTES  # of all pictures that arrive, beyond the first part of each
FIRST_PART = 2**18
MOST_DISCARDED = 4 * MOST_BYTES  # read of a body that is too large, so that its sender can read the refusal
UPLOAD_SECONDS = 30.0
ANSWER_SECONDS = 20.0
MOST_WAITING = 16  # pictures, including those that are being read; of those that take long, half as many

MOST_SHOWN = 256  # pixels along a side of what the network sees, as the page shows it

PAGE = Path(__file__).parent / "page"
HEADERS = {
    "Cache-Control": "no-store",
    # The page loads its own files and talks to its own server.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


Submit = Callable[[bytes], Future[dict[str, Any]]]


def application(
    submit: Submit,
    hosts: list[str],
    model: dict[str, Any],
    is_quick: Callable[[bytes], bool] = lambda _: True,
) -> Starlette:
    """Return the ASGI application that answers with what `submit` promises.

    Args:
        submit: starts to read the bytes of a picture; the future raises `DigitsError` if it cannot be read.
        hosts: the host names that requests may use, or `*` for any. A fixed list stops other sites' pages
            whose own name resolves to this machine (DNS rebinding).
        model: what the page has to know of the model, as `described` returns it.
        is_quick: whether a picture takes little time; those that do have a queue of their own.
    """
    ask = _bounded(submit, is_quick)
    held = Held()

    async def answer(request: Request) -> Response:
        _check_origin(request)
        try:
            content = await _body(request, held)
        except ClientDisconnect:
            return Response()  # nobody is left to read it
        return JSONResponse(await ask(content))

    return Starlette(
        routes=[
            Route("/model", lambda _: JSONResponse(model)),
            Route("/predict", answer, methods=["POST"]),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ],
        middleware=[
            Middleware(Headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
        ],
    )


def described(model: Classifier) -> dict[str, Any]:
    """Return what the page has to know of a model: its classes, whether they can be drawn, the shown size."""
    height, width, _ = model.image_shape
    every = _stride(height, width)
    return {
        "classes": model.classes,
        "digits": are_digits(model.classes),
        "drawn": model.framing == "mnist",
        "size": (-(-height // every), -(-width // every)),
    }


def as_json(prediction: Prediction) -> dict[str, Any]:
    """Return what the page shows: numbers, texts, and image and ink as rows of levels from 0 to 255.

    In colour, a level is a list of three; `digit` is there where all classes are digits.
    """
    every = _stride(*prediction.image.shape[:2])
    digit = {"digit": prediction.digit} if are_digits(prediction.classes) else {}
    return digit | {
        "label": prediction.label,
        "index": prediction.index,
        "confidence": prediction.confidence,
        "probabilities": [float(probability) for probability in prediction.probabilities],
        "sure": prediction.sure,
        "reason": prediction.reason,
        "image": np.rint(prediction.image[::every, ::every] * 255).astype(int).tolist(),
        "ink": _levels(dict(prediction.steps).get("ink")),
        "box": prediction.box,
    }


def _stride(height: int, width: int) -> int:
    """Return which pixels of an image the page shows, so that an answer has a size that it can bear."""
    return -(-max(height, width) // MOST_SHOWN)


def _levels(ink: np.ndarray | None) -> list[list[int]] | None:
    """Return every other pixel of the shares of ink (112, 112), in 255ths; None if there are none."""
    return None if ink is None else np.rint(ink[::2, ::2] * 255).astype(int).tolist()


def _bounded(
    submit: Submit, is_quick: Callable[[bytes], bool]
) -> Callable[[bytes], Awaitable[dict[str, Any]]]:
    """Return a function that waits for the answer of `submit`, for a limited time and in a limited queue."""
    queues: dict[bool, set[Future[dict[str, Any]]]] = {True: set(), False: set()}

    async def ask(content: bytes) -> dict[str, Any]:
        quick = is_quick(content)
        unfinished, most = queues[quick], MOST_WAITING if quick else MOST_WAITING // 2
        if len(unfinished) >= most:
            raise _refusal(503, f"{most} pictures are waiting; try again in a moment")
        future = submit(content)
        unfinished.add(future)
        future.add_done_callback(unfinished.discard)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), ANSWER_SECONDS)
        except DigitsError as error:
            raise _refusal(422, " ".join(str(error).split())) from error
        except TimeoutError:
            raise _refusal(503, f"the picture took more than {ANSWER_SECONDS:.0f} s") from None

    return ask


class Held:
    """The bytes of all pictures that are arriving, but for the first part of each."""

    def __init__(self) -> None:
        self.bytes = 0

    def take(self, count: int) -> None:
        """Count more bytes.

        Raises:
            HTTPException: there are too many.
        """
        if self.bytes + count > MOST_HELD:
            raise _refusal(503, "too many large pictures arrive at once; try again in a moment")
        self.bytes += count


async def _body(request: Request, held: Held) -> bytes:
    """Read a picture's bytes within the limits of size and time."""
    too_large = _refusal(413, f"the picture has more than {MOST_BYTES // 2**20} MiB, which is the limit")
    declared = request.headers.get("content-length", "")
    waits = "expect" in request.headers  # for "100 Continue": the body is not on its way yet
    if declared.isdecimal() and int(declared) > (MOST_BYTES if waits else MOST_DISCARDED):
        raise too_large
    content, size, counted = bytearray(), 0, 0
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MOST_BYTES:
                    more = max(0, size - FIRST_PART) - counted
                    held.take(more)
                    counted += more
                    content += chunk
                elif size > MOST_DISCARDED:
                    break
                else:
                    content.clear()
        if size > MOST_BYTES:
            raise too_large
        if not content:
            raise _refusal(422, "the picture is empty; expected the bytes of an image file")
        return bytes(content)
    except TimeoutError:
        raise _refusal(408, f"the picture did not arrive within {UPLOAD_SECONDS:.0f} s") from None
    finally:
        held.bytes -= counted


def _check_origin(request: Request) -> None:
    """Refuse a request that another site's page sends through its visitor's browser."""
    own = f"{request.url.scheme}://{request.headers.get('host', '')}".lower()
    origins = [origin.lower() for origin in request.headers.getlist("origin")]
    sites = {site.strip().lower() for site in request.headers.getlist("sec-fetch-site")}
    if origins not in ([], [own]) or not sites <= {"same-origin", "none"}:
        raise _refusal(403, "only the page of this server may ask")


def _refusal(status: int, line: str) -> HTTPException:
    """Return the error that Starlette answers with this status and one line of text."""
    return HTTPException(status, f"{line}\n")


class Headers:
    """Middleware that adds `HEADERS` to every answer, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers)
