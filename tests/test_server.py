"""The server of `digits app`: its answers and limits, and that no request disturbs another."""

import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digits.app import connections, server
from tests.serving import COLOURS, Served, png, serving, shade_stand_in, stand_in

LIMIT = server.MOST_BYTES


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


HALF = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"


class Gate:
    """A stand-in for the model that answers once it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, content: bytes) -> Any:
        assert self.open.wait(60)
        return stand_in(content)


def test_the_answer_has_the_digit_all_probabilities_the_verdict_and_what_the_network_saw(
    served: Served,
) -> None:
    status, text = served.predict(png(0.5, (28, 28)))
    answer = json.loads(text)
    image, found = answer.pop("image"), answer.pop("ink")
    probabilities = answer.pop("probabilities")

    assert 200 == status
    assert {
        "label": "7",
        "index": 7,
        "digit": 7,
        "confidence": 0.97,
        "sure": True,
        "reason": "",
        "box": [10, 20, 30, 60],
    } == answer
    assert pytest.approx([0.03 / 9] * 7 + [0.97] + [0.03 / 9] * 2) == probabilities
    assert [[255] * 14 + [0] * 14] * 28 == image
    assert [[255] * 28 + [0] * 28] * 56 == found


def test_the_page_learns_what_the_model_tells_apart(served: Served) -> None:
    digits = json.loads(served.request("GET", "/model")[1])
    with serving(model=COLOURS) as other:
        colours = json.loads(other.request("GET", "/model")[1])

    assert {"classes": [*"0123456789"], "digits": True, "drawn": True, "size": [28, 28]} == digits
    assert {"classes": [*COLOURS.classes], "digits": False, "drawn": False, "size": [12, 16]} == colours


def test_an_answer_of_another_model_has_a_label_and_colours_but_no_digit() -> None:
    with serving(shade_stand_in(COLOURS), model=COLOURS) as other:
        answer = json.loads(other.predict(png(0.5))[1])

    assert ("digit" in answer, COLOURS.classes[-1], 2) == (False, answer["label"], answer["index"])
    assert ([255, 0, 0], None) == (answer["image"][11][15], answer["ink"])


def test_large_images_are_shown_smaller() -> None:
    large = SimpleNamespace(classes=("a", "b"), image_shape=(300, 1000, 3), framing="fit")
    answer = server.as_json(shade_stand_in(large)(b""))  # type: ignore[arg-type]

    assert (75, 250) == server.described(large)["size"]  # type: ignore[arg-type]
    assert (75, 250, 3) == np.shape(answer["image"])


def test_a_blank_picture_is_answered_with_the_reason_and_without_a_box(served: Served) -> None:
    status, text = served.predict(png(0))
    answer = json.loads(text)

    assert 200 == status
    assert (False, "no ink found", None) == (answer["sure"], answer["reason"], answer["box"])


@pytest.mark.parametrize(
    ("path", "subtype"),
    [("/", "html"), ("/style.css", "css"), ("/page.js", "javascript"), ("/icon.svg", "svg+xml")],
)
def test_the_files_of_the_page_are_served_with_their_types(served: Served, path: str, subtype: str) -> None:
    status, content, headers = served.request("GET", path)

    assert (200, subtype) == (status, headers.get_content_subtype())
    assert (server.PAGE / (path[1:] or "index.html")).read_bytes() == content


def test_the_page_knows_the_limit_of_the_server() -> None:
    page = (server.PAGE / "page.js").read_text(encoding="utf-8")

    assert f"const MOST_MIB = {LIMIT / 2**20:g};" in page


@pytest.mark.parametrize(
    ("method", "path", "conditions", "status"),
    [
        ("GET", "/", {}, 200),
        ("HEAD", "/page.js", {}, 200),
        ("GET", "/", {"If-None-Match": "*"}, 304),
        ("GET", "/none", {}, 404),
        ("GET", "/", {"Host": "evil.example"}, 400),
        ("POST", "/", {}, 405),
        ("POST", "/predict", {}, 422),
    ],
)
def test_every_answer_forbids_the_browser_what_the_page_does_not_need(
    served: Served, method: str, path: str, conditions: dict[str, str], status: int
) -> None:
    actual, _, headers = served.request(method, path, headers=conditions)
    policy = headers["Content-Security-Policy"]

    assert status == actual
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert not [word for word in ("unsafe", "*", "data:", "http") if word in policy]
    assert "frame-ancestors 'none'" in policy
    assert ("nosniff", "no-store", "no-referrer") == (
        headers["X-Content-Type-Options"],
        headers["Cache-Control"],
        headers["Referrer-Policy"],
    )
    assert ("same-origin", None) == (headers["Cross-Origin-Resource-Policy"], headers["Set-Cookie"])


@pytest.mark.parametrize(
    "path", ["/none", "/page/index.html", "/../server.py", "/%2e%2e/server.py", "//etc/passwd", "/%00"]
)
def test_nothing_outside_the_folder_of_the_page_is_served(served: Served, path: str) -> None:
    status, _, _ = served.request("GET", path)

    assert 404 == status


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        (b"", 422, "the picture is empty; expected the bytes of an image file\n"),
        (b"no picture", 422, "picture: not a readable image\n"),
        (png()[:60], 422, "picture: not a readable image\n"),
        (png(size=(3000, 3000)), 422, "picture: more pixels than 4,000,000\n"),
        (b"x" * (LIMIT + 1), 413, "the picture has more than 16 MiB, which is the limit\n"),
        # In chunks, without a Content-Length.
        ([b"x" * LIMIT, b"y"], 413, "the picture has more than 16 MiB, which is the limit\n"),
    ],
    ids=["empty", "no picture", "cut off", "too many pixels", "too many bytes", "too many in pieces"],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    served: Served, body: Any, status: int, line: str
) -> None:
    assert (status, line) == served.predict(iter(body) if isinstance(body, list) else body)


def test_a_picture_of_the_largest_size_is_read(served: Served) -> None:
    # A PNG ends before what follows it.
    picture = png()

    status, _ = served.predict(picture + bytes(LIMIT - len(picture)))

    assert 200 == status


@pytest.mark.parametrize(
    "headers",
    [
        f"Content-Length: {LIMIT + 1}\r\nExpect: 100-continue",
        f"Content-Length: {server.MOST_DISCARDED + 1}",
    ],
    ids=["the sender waits for 100 Continue", "endless"],
)
def test_a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent(
    served: Served, headers: str
) -> None:
    assert 413 == served.status_of(f"POST /predict HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:1", 200),
        ("[::1]", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("", 400),
    ],
)
def test_only_the_names_of_the_loopback_address_are_answered(served: Served, host: str, status: int) -> None:
    assert status == served.predict(png(), Host=host)[0]
    assert status == served.request("GET", "/", headers={"Host": host})[0]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Origin: http://localhost"], 200),
        (["Origin: HTTP://LOCALHOST", "Sec-Fetch-Site: same-origin"], 200),
        (["Sec-Fetch-Site: none"], 200),
        (["Origin: http://evil.example"], 403),
        (["Origin: null"], 403),
        (["Origin: http://["], 403),
        (["Origin: //localhost"], 403),
        (["Origin: https://localhost"], 403),
        (["Origin: http://localhost", "Origin: http://evil.example"], 403),
        (["Sec-Fetch-Site: cross-site"], 403),
        (["Sec-Fetch-Site: same-site"], 403),
    ],
)
def test_the_page_of_another_site_may_not_ask(served: Served, headers: list[str], status: int) -> None:
    body = png().decode("latin-1")
    lines = ["POST /predict HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]

    assert status == served.status_of("\r\n".join(lines) + "\r\n\r\n" + body, "latin-1")


def test_an_upload_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "UPLOAD_SECONDS", 0.1)
    with serving() as served:
        status = served.status_of(
            "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
        )

        assert (408, []) == (status, served.logged)


def test_an_answer_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.1)
    gate = Gate()
    with serving(gate) as served:
        status, line = served.predict(png())
        gate.open.set()

        assert (503, "the picture took more than 0 s\n", []) == (status, line, served.logged)


def test_more_pictures_than_may_wait_are_refused_and_the_others_answered() -> None:
    gate = Gate()
    with serving(gate) as served, ThreadPoolExecutor(server.MOST_WAITING + 1) as senders:
        pictures = [senders.submit(served.predict, png()) for _ in range(server.MOST_WAITING + 1)]
        refusal = next(as_completed(pictures)).result()
        gate.open.set()
        statuses = sorted(picture.result()[0] for picture in pictures)

        assert (503, "16 pictures are waiting; try again in a moment\n") == refusal
        assert [200] * server.MOST_WAITING + [503] == statuses
        assert 200 == served.predict(png())[0]


@pytest.mark.parametrize("limit", ["MOST", "MOST_PER_ADDRESS"])
@pytest.mark.parametrize(
    "half", ["", "POST /pre", "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"]
)
def test_connections_that_do_not_get_on_make_room_for_others(
    monkeypatch: pytest.MonkeyPatch, limit: str, half: str
) -> None:
    monkeypatch.setattr(connections, limit, 2)
    with serving() as served, served.connect() as first, served.connect() as second:
        for connection in (first, second):
            connection.sendall(half.encode())
        statuses = [served.request("GET", "/")[0] for _ in range(5)]

    assert [200] * 5 == statuses


@pytest.mark.parametrize("before", ["", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_a_header_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.2)
    with serving() as served, served.connect() as connection:
        connection.sendall(before.encode() + b"GET / HT")
        with suppress(ConnectionError):
            while connection.recv(10_000):
                pass

        assert [] == served.logged


def test_pictures_that_take_long_do_not_fill_the_queue_of_the_others() -> None:
    gate = Gate()
    large = b"slow"

    def predict(content: bytes) -> Any:
        return gate(png()) if content == large else stand_in(content)

    most = server.MOST_WAITING // 2
    with serving(predict, is_quick=large.__ne__) as served, ThreadPoolExecutor(most + 1) as senders:
        pictures = [senders.submit(served.predict, large) for _ in range(most + 1)]
        refusal = next(as_completed(pictures)).result()
        gate.open.set()

        assert (503, f"{most} pictures are waiting; try again in a moment\n") == refusal
        assert 200 == served.predict(png())[0]


def test_the_bytes_of_all_uploads_are_bounded_and_small_pictures_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = threading.Event()

    class Held(server.Held):
        def take(self, count: int) -> None:
            super().take(count)
            if self.bytes == server.MOST_HELD:
                full.set()

    monkeypatch.setattr(server, "MOST_HELD", 2**20)
    monkeypatch.setattr(server, "Held", Held)
    header = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LIMIT}\r\n\r\n".encode()
    with serving() as served, served.connect() as holder:
        holder.sendall(header + bytes(2**20 + server.FIRST_PART))
        assert full.wait(60)
        status, line = served.predict(bytes(2**20))

        assert 503 == status
        assert "too many large pictures arrive at once; try again in a moment\n" == line
        assert 200 == served.predict(png())[0]


def hang_up(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\nhalf")


def talk_nonsense(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        with suppress(ConnectionError):
            connection.recv(100)


def send_too_much(served: Served) -> None:
    with suppress(ConnectionError):
        served.predict(bytes(LIMIT + 1))


def test_bad_uploads_do_not_disturb_good_ones() -> None:
    bad: list[Callable[[Served], Any]] = [
        hang_up,
        talk_nonsense,
        send_too_much,
        lambda served: served.predict(b"no picture"),
        lambda served: served.predict(png(size=(3000, 3000))),
    ]
    with serving() as served, ThreadPoolExecutor(6) as senders:
        disturbing = [senders.submit(upload, served) for upload in bad * 4]
        good = [senders.submit(served.predict, png(0.5)) for _ in range(40)]
        answers = [(status, json.loads(text)["digit"]) for status, text in (one.result() for one in good)]
        for upload in disturbing:
            upload.result()

        assert [(200, 7)] * 40 == answers
        assert [] == served.logged


def test_a_bug_is_logged_and_the_next_picture_is_answered() -> None:
    def predict(content: bytes) -> Any:
        if content == b"trap":
            raise RuntimeError("a bug")
        return stand_in(content)

    with serving(predict) as served:
        assert (500, "Internal Server Error") == served.predict(b"trap")
        assert 200 == served.predict(png())[0]
        assert ["Exception in ASGI application\n"] == served.logged


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with serving() as served:
        picture = png()
        for body in (picture, picture + bytes(LIMIT - len(picture)), bytes(LIMIT + 1), b"no picture"):
            served.predict(body)

    assert [] == list(tmp_path.iterdir())
