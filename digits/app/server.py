"""The server behind the page of `digits app`: the page's files, and `POST /predict` for a picture's bytes.

Nothing of a request outlives its answer: no file, no cookie, no line in a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digits.app.workers import BusyError, Workers
from digits.errors import DigitsError

if TYPE_CHECKING:
    from digits.prediction.predict import Prediction

# Limits, not tunables: what one request may take from the others.
MOST_BYTES = 16 * 2**20  # of a picture; a telephone's photograph has 3 to 8 MiB
MOST_THROWN_AWAY = 4 * MOST_BYTES  # read of a body that is too large, so that its sender gets to hear why
UPLOAD_SECONDS = 30.0
ANSWER_SECONDS = 20.0
THREADS = 4
MOST_WAITING = 16  # pictures, those that are worked on included

PAGE = Path(__file__).parent / "page"
TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
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


class RefusalError(Exception):
    """A request that gets a status and one line instead of an answer."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


def application(predict: Callable[[bytes], Prediction], hosts: list[str]) -> Starlette:
    """Give the ASGI application that answers by `predict`, which several threads call at a time.

    Args:
        predict: reads the bytes of a picture; raises `DigitsError` where they are none.
        hosts: the names by which it may be called, against pages elsewhere whose own name is turned to this
            machine (DNS rebinding); `*` allows every one.
    """
    workers = Workers(predict, threads=THREADS, most=MOST_WAITING, patience=ANSWER_SECONDS)

    async def answer(request: Request) -> Response:
        try:
            _check_origin(request)
            return JSONResponse(as_json(await _ask(workers, await _body(request))))
        except RefusalError as refusal:
            return PlainTextResponse(f"{refusal}\n", refusal.status)
        except ClientDisconnect:
            return Response()  # nobody is there to read it

    return Starlette(
        routes=[*_page_routes(), Route("/predict", answer, methods=["POST"])],
        middleware=[
            Middleware(Headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
        ],
    )


def as_json(prediction: Prediction) -> dict[str, Any]:
    """Give what the page shows: numbers, texts, and the image as 28 rows of levels from 0 to 255."""
    return {
        "digit": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": [float(each) for each in prediction.probabilities],
        "sure": prediction.sure,
        "reason": prediction.reason,
        "image": np.rint(prediction.image * 255).astype(int).tolist(),
        "box": prediction.box,
    }


def _page_routes() -> list[Route]:
    """Read the page's files once; the page learns the limit that holds."""
    routes = []
    for path in sorted(PAGE.iterdir()):
        if path.suffix not in TYPES:
            continue
        text = path.read_text(encoding="utf-8").replace("$most_bytes", str(MOST_BYTES))
        where = "/" if path.name == "index.html" else f"/{path.name}"
        routes.append(Route(where, _file(Response(text, media_type=TYPES[path.suffix]))))
    return routes


def _file(response: Response) -> Callable[[Request], Response]:
    return lambda request: response


async def _body(request: Request) -> bytes:
    """Read a picture's bytes within the limits of size and time."""
    line = f"the picture has more than {MOST_BYTES // 2**20} MiB, which is the limit"
    declared = request.headers.get("content-length", "")
    waits_for_leave = "expect" in request.headers  # to send the body: it is not under way yet
    if declared.isdecimal() and int(declared) > (MOST_BYTES if waits_for_leave else MOST_THROWN_AWAY):
        raise RefusalError(413, line)
    content, size = bytearray(), 0
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MOST_BYTES:
                    content += chunk
                elif size > MOST_THROWN_AWAY:
                    break
    except TimeoutError:
        raise RefusalError(408, f"the picture did not arrive within {UPLOAD_SECONDS:.0f} s") from None
    if size > MOST_BYTES:
        raise RefusalError(413, line)
    if not content:
        raise RefusalError(422, "the picture is empty; expected the bytes of an image file")
    return bytes(content)


async def _ask(workers: Workers[bytes, Prediction], content: bytes) -> Prediction:
    try:
        return await workers.ask(content)
    except DigitsError as error:
        raise RefusalError(422, " ".join(str(error).split())) from error
    except BusyError:
        raise RefusalError(503, f"{MOST_WAITING} pictures are waiting; try again in a moment") from None
    except TimeoutError:
        raise RefusalError(503, f"the picture took more than {ANSWER_SECONDS:.0f} s") from None


def _check_origin(request: Request) -> None:
    """Refuse what the page of another site sends by its visitor's browser."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise RefusalError(403, "only the page of this server may ask")


class Headers:
    """Middleware that puts `HEADERS` on every answer, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers)
