"""The page of `digits app` in a real browser, with a stand-in for the model."""

import base64
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from digits.app.server import MOST_BYTES, PAGE
from tests.serving import COLOURS, SHADES, Served, png, serving, shade_stand_in
from tools.screenshot import ARGUMENTS, find_chromium

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

SEVEN = [(0.25, 0.25), (0.7, 0.25), (0.4, 0.8)]

# Dispatches the event by which a user drops or pastes a file.
HAND_OVER = """([type, name, kind, encoded, zeros]) => {
    const bytes = [Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0)), new Uint8Array(zeros)];
    const transfer = new DataTransfer();
    transfer.items.add(new File(bytes, name, { type: kind }));
    const parts = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
    const event = type === "paste" ? new ClipboardEvent(type, parts) : new DragEvent(type, parts);
    document.querySelector("#canvas").dispatchEvent(event);
}"""


@dataclass
class Shown:
    """The page in the browser, the URLs that it requested, and its errors and warnings."""

    page: Any
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def verdict(self, state: str) -> str:
        """Wait for this kind of verdict and for the last answer, and return the verdict's text."""
        self.page.wait_for_selector(f'#verdict[data-state="{state}"][aria-busy="false"]')
        words: str = self.page.inner_text(".words")
        return " ".join(words.split())

    def draw(self, *points: tuple[float, float], pointer: str = "mouse") -> None:
        """Draw a line through points of the canvas, given as fractions of its width and height."""
        box = self.page.locator("#canvas").bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        if pointer == "mouse":
            self.page.mouse.move(*places[0])
            self.page.mouse.down()
            for place in places[1:]:
                self.page.mouse.move(*place, steps=6)
            self.page.mouse.up()
            return
        session = self.page.context.new_cdp_session(self.page)
        for kind, (x, y) in zip(["touchStart", *["touchMove"] * len(places)], places, strict=False):
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def hand_over(
        self, way: str, content: bytes, name: str = "7.png", kind: str = "image/png", zeros: int = 0
    ) -> None:
        """Drop or paste a file of this content, followed by so many zeros."""
        self.page.evaluate(HAND_OVER, [way, name, kind, base64.b64encode(content).decode(), zeros])

    def ink(self) -> int:
        """Count the dark pixels of the canvas."""
        count: int = self.page.evaluate("""() => {
            const canvas = document.querySelector("#canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((level, index) => index % 4 === 0 && level < 128).length;
        }""")
        return count

    def bars(self) -> list[str]:
        """Return the texts of the ten bars."""
        texts: list[str] = self.page.locator("#bars li").all_inner_texts()
        return [" ".join(text.split()) for text in texts]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served
    assert [] == served.logged


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of the browser's window, which tests set with `parametrize`."""
    return dict(getattr(request, "param", {}))


@pytest.fixture
def shown(browser: Any, served: Served, context_options: dict[str, Any]) -> Iterator[Shown]:
    """Open the page; afterwards check that it requested nothing from other machines and had no errors."""
    with opened(browser, served, context_options) as shown:
        yield shown


@contextmanager
def opened(browser: Any, served: Served, context_options: dict[str, Any]) -> Iterator[Shown]:
    """Open the page in a window, and check afterwards what it requested, and that it had no errors."""
    context = browser.new_context(**context_options)
    context.set_default_timeout(30_000)
    shown = Shown(context.new_page())
    shown.page.on("request", lambda request: shown.requested.append(request.url))
    shown.page.on("console", lambda message: shown.complaints.append(message.text))
    shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
    shown.page.goto(served.url)
    shown.page.wait_for_selector("body:not(.starting)")
    yield shown
    context.close()
    assert [] == [url for url in shown.requested if not url.startswith((served.url, "blob:"))]
    # Chromium reports each refusal of the server as an error.
    assert [] == [text for text in shown.complaints if "the server responded with a status of 4" not in text]


PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize(
    ("pointer", "context_options"), [("mouse", {}), ("touch", PHONE)], indirect=["context_options"]
)
def test_a_drawn_digit_is_read(shown: Shown, pointer: str) -> None:
    shown.draw(*SEVEN, pointer=pointer)

    assert "It is a 7 97.0% sure." == shown.verdict("sure")
    assert ["0 0.3%", "7 97.0%"] == [shown.bars()[0], shown.bars()[7]]
    assert 0 == shown.page.evaluate("scrollY")


def test_a_pen_that_presses_harder_draws_a_broader_line(shown: Shown) -> None:
    def ink(pressure: float) -> int:
        shown.page.evaluate(
            """(pressure) => {
                const canvas = document.querySelector("#canvas");
                const { left, top } = canvas.getBoundingClientRect();
                canvas.setPointerCapture = () => {};
                for (const [type, x] of [["pointerdown", 50], ["pointermove", 150], ["pointerup", 150]])
                    canvas.dispatchEvent(new PointerEvent(type, {
                        pointerId: 5, pointerType: "pen", pressure, clientX: left + x, clientY: top + 90,
                    }));
            }""",
            pressure,
        )
        pixels = shown.ink()
        shown.page.click("#clear")
        return pixels

    light, hard = ink(0.1), ink(0.9)

    assert 0 < 1.5 * light < hard


def test_the_bars_move_while_the_pointer_is_still_down(shown: Shown) -> None:
    canvas = shown.page.locator("#canvas").bounding_box()
    shown.page.mouse.move(canvas["x"] + 50, canvas["y"] + 50)
    shown.page.mouse.down()
    unsure = shown.verdict("unsure")
    for y in range(60, 300, 20):
        shown.page.mouse.move(canvas["x"] + 300, canvas["y"] + y)
        shown.page.mouse.move(canvas["x"] + 50, canvas["y"] + y + 10)

    assert "Unsure Most likely a 7, but confidence 0.600 under 0.900." == unsure
    assert "It is a 7 97.0% sure." == shown.verdict("sure")
    shown.page.mouse.up()


# Counted where they are sent: the browser tells of a request's end some time after it.
COUNT_REQUESTS = """() => {
    const send = window.fetch;
    let underWay = 0;
    window.mostUnderWay = 0;
    window.fetch = async (...request) => {
        underWay += 1;
        window.mostUnderWay = Math.max(window.mostUnderWay, underWay);
        try { return await send(...request); } finally { underWay -= 1; }
    };
}"""


def test_a_long_stroke_sends_one_request_at_a_time_and_is_answered_as_a_whole(shown: Shown) -> None:
    shown.page.evaluate(COUNT_REQUESTS)
    start = time.monotonic()
    shown.draw(*[(0.2 + 0.6 * (step % 2), 0.1 + step / 50) for step in range(40)])
    shown.verdict("sure")

    # One in 60 milliseconds at the most; a slow machine moves the mouse for longer.
    most = (time.monotonic() - start) / 0.06 + 2
    assert 1 == shown.page.evaluate("window.mostUnderWay")
    assert sum(url.endswith("predict") for url in shown.requested) <= most


@pytest.mark.parametrize(
    ("context_options", "dark", "filter_"),
    [({}, False, "none"), ({"color_scheme": "dark"}, True, "invert(0.88)")],
    indirect=["context_options"],
)
def test_the_page_is_dark_if_the_user_prefers_it_but_what_the_network_saw_looks_the_same(
    shown: Shown, dark: bool, filter_: str
) -> None:
    shown.draw((0.1, 0.1), (0.1, 0.9))
    shown.verdict("sure")
    text, ground, left, right = shown.page.evaluate("""() => {
        const { color, backgroundColor } = getComputedStyle(document.body);
        const { data } = document.querySelector("#seen").getContext("2d").getImageData(0, 14, 28, 1);
        const levels = [color, backgroundColor].map((value) => Number(value.match(/\\d+/)[0]));
        return [...levels, data[4 * 2], data[4 * 25]];
    }""")

    assert (text > 200 > 50 > ground) if dark else (ground > 200 > 50 > text)
    assert left > 200 > 20 > right
    assert filter_ == shown.page.evaluate("getComputedStyle(document.querySelector('#canvas')).filter")


@pytest.mark.parametrize("way", ["drop", "paste", "choose"])
def test_a_picture_is_read_and_its_digit_framed(shown: Shown, way: str) -> None:
    if way == "choose":
        with shown.page.expect_file_chooser() as chooser:
            shown.page.click("#choose")
        chooser.value.set_files({"name": "7.png", "mimeType": "image/png", "buffer": png(0.5)})
    else:
        shown.hand_over(way, png(0.5))

    assert "It is a 7 97.0% sure." == shown.verdict("sure")
    # The stand-in finds the digit from (10, 20) to (30, 60) in the picture of 100 by 100 pixels.
    box = shown.page.locator("#box")
    box.wait_for(state="visible")
    style = box.evaluate("({ style }) => [style.left, style.top, style.width, style.height]")
    assert ["10%", "20%", "20%", "40%"] == style


def test_a_stroke_removes_a_picture_and_undo_brings_it_back(shown: Shown) -> None:
    shown.hand_over("drop", png(0.5))
    shown.page.locator("#canvas.picture").wait_for()
    picture = shown.ink()
    shown.draw((0.9, 0.9), (0.95, 0.95))
    stroke = shown.ink()
    shown.page.click("#undo")

    assert stroke < picture / 10
    assert picture == shown.ink()


def test_an_empty_canvas_says_that_there_is_nothing_to_read(shown: Shown) -> None:
    assert "Nothing to read yet The canvas is empty." == shown.verdict("empty")
    assert [str(digit) for digit in range(10)] == shown.bars()
    assert not [url for url in shown.requested if url.endswith("predict")]


def test_a_blank_picture_says_that_there_is_nothing_to_read(shown: Shown) -> None:
    shown.hand_over("drop", png(0))

    assert "Nothing to read No ink was found." == shown.verdict("unsure")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(shown: Shown) -> None:
    shown.hand_over("drop", b"", "large.png", zeros=MOST_BYTES + 1)

    assert "Too large large.png has more than 16 MiB." == shown.verdict("refused")
    assert not [url for url in shown.requested if url.endswith("predict")]


def test_the_server_s_refusals_are_shown_and_drawing_goes_on(shown: Shown) -> None:
    shown.hand_over("drop", png(size=(3000, 3000)), "bomb.png")
    bomb = shown.verdict("refused")
    shown.hand_over("drop", b"no picture", "letter.txt", "text/plain")
    shown.page.locator("#detail", has_text="not a readable image").wait_for()
    text = shown.verdict("refused")
    shown.draw(*SEVEN)

    assert "Refused picture: more pixels than 4,000,000" == bomb
    assert "Refused picture: not a readable image" == text
    assert "It is a 7 97.0% sure." == shown.verdict("sure")


def test_undo_removes_stroke_after_stroke_and_undoes_clear_too(shown: Shown) -> None:
    def click(button: str) -> int:
        shown.page.click(f"#{button}")
        return shown.ink()

    shown.draw((0.2, 0.2), (0.8, 0.2))
    one = shown.ink()
    shown.draw((0.2, 0.8), (0.8, 0.8))
    two = shown.ink()

    assert one < two
    assert [0, two, one, 0] == [click("clear"), click("undo"), click("undo"), click("undo")]
    assert "Nothing to read yet The canvas is empty." == shown.verdict("empty")
    assert shown.page.is_disabled("#undo")
    assert shown.page.is_disabled("#clear")


def test_a_larger_brush_draws_a_broader_line(shown: Shown) -> None:
    def ink(size: str) -> int:
        shown.page.fill("#brush", size)
        shown.draw((0.2, 0.5), (0.8, 0.5))
        pixels = shown.ink()
        shown.page.click("#clear")
        return pixels

    thin, broad = ink("3"), ink("12")

    assert 3 < broad / thin < 6


def test_everything_can_be_done_with_the_keyboard_and_the_focus_is_visible(shown: Shown) -> None:
    press = shown.page.keyboard.press
    press("Tab")
    assert "canvas" == shown.page.evaluate("document.activeElement.id")
    for key in ["]", "]", " ", *["ArrowDown"] * 12, *["ArrowLeft"] * 16, *["ArrowUp"] * 6, " ", "ArrowRight"]:
        press(key)
    drawn = shown.verdict("sure")
    brush = shown.page.input_value("#brush")
    ink = shown.ink()
    press("Delete")
    cleared = shown.verdict("empty")
    press("Control+z")
    order = []
    for _ in range(5):
        press("Tab")
        order.append(shown.page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert "solid" == shown.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")

    assert "It is a 7 97.0% sure." == drawn
    assert "9" == brush
    assert "Nothing to read yet The canvas is empty." == cleared
    assert ink == shown.ink()
    assert ["undo", "clear", "choose", "brush", "SUMMARY"] == order


def test_a_screen_reader_hears_the_answer_once_the_pen_rests(shown: Shown) -> None:
    shown.draw(*SEVEN)
    shown.page.locator("#spoken", has_text="97.0%").wait_for(state="attached")

    assert "It is a 7. 97.0% sure." == shown.page.text_content("#spoken")


def test_each_part_has_a_role_and_a_name(shown: Shown) -> None:
    tree = shown.page.locator("body").aria_snapshot()

    for line in (
        '- heading "Which digit is this?" [level=1]',
        '- application "Canvas"',
        '- toolbar "Tools"',
        '- button "Undo" [disabled]',
        '- button "Picture…"',
        '- slider "Brush"',
        'img "What the network sees: 28 by 28 pixels, nothing yet"',
        '- list "Probability of each digit"',
        "- status",
    ):
        assert line in tree


@pytest.mark.parametrize("context_options", [{"reduced_motion": "reduce"}, {}], indirect=True)
def test_the_bars_are_not_animated_if_the_user_prefers_reduced_motion(
    shown: Shown, context_options: dict[str, Any]
) -> None:
    transition = shown.page.evaluate("getComputedStyle(document.querySelector('.fill')).transitionDuration")

    assert ("0s" if context_options else "0.12s") == transition


@pytest.mark.parametrize(
    "context_options", [PHONE, {"viewport": {"width": 1280, "height": 800}}], indirect=True
)
def test_the_page_never_scrolls_sideways(shown: Shown, context_options: dict[str, Any]) -> None:
    shown.draw((0.2, 0.5), (0.3, 0.5))
    shown.verdict("unsure")

    assert context_options["viewport"]["width"] == shown.page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("context_options", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_on_a_phone_canvas_and_bars_are_on_one_screen(shown: Shown) -> None:
    last = shown.page.locator("#bars li").last.bounding_box()

    assert last["y"] + last["height"] <= 740


def test_the_page_says_when_the_server_is_gone(browser: Any) -> None:
    with serving() as served:
        page = browser.new_page()
        page.goto(served.url)
        page.wait_for_selector("body:not(.starting)")
    shown = Shown(page)
    shown.draw(*SEVEN)

    assert "No answer Is `digits app` still running?" == shown.verdict("refused")
    page.close()


PICTURES = [PHONE, {"viewport": {"width": 1280, "height": 800}}]


@pytest.mark.parametrize("context_options", PICTURES)
def test_where_nothing_can_be_drawn_the_page_takes_pictures_and_names_classes(
    browser: Any, context_options: dict[str, Any]
) -> None:
    answers = shade_stand_in(COLOURS)
    with serving(answers, model=COLOURS) as served, opened(browser, served, context_options) as shown:
        page = shown.page
        introduction = page.inner_text("header")
        shown.draw(*SEVEN)
        drawn = shown.ink()
        hidden = [name for name in ("#undo", "#brush", "#found", "#keys") if not page.is_visible(name)]
        shown.hand_over("drop", png(0.5))
        words = shown.verdict("sure")
        red = page.evaluate(
            "[...document.querySelector('#seen').getContext('2d').getImageData(15, 11, 1, 1).data]"
        )
        style = page.locator("#box").evaluate("({ style }) => [style.left, style.width]")
        width = page.evaluate("document.documentElement.scrollWidth")
        page.click("#clear")

        assert "What is this? Drop, paste or choose a picture. The 3 classes are red apple, grüne Birne" in (
            " ".join(introduction.split())
        )
        assert "digit" not in page.inner_text("body").lower()
        assert (0, ["#undo", "#brush", "#found", "#keys"]) == (drawn, hidden)
        assert f"{COLOURS.classes[-1]} 97.0% sure." == words
        assert ([255, 0, 0, 255], ["10%", "80%"]) == (red, style)
        assert context_options["viewport"]["width"] == width
        assert "Nothing to read yet No picture yet." == shown.verdict("empty")
        assert [*COLOURS.classes] == shown.bars()


def test_a_click_on_the_canvas_chooses_a_picture_where_nothing_can_be_drawn(browser: Any) -> None:
    with serving(shade_stand_in(COLOURS), model=COLOURS) as served, opened(browser, served, {}) as shown:
        with shown.page.expect_file_chooser() as chooser:
            shown.page.click("#canvas")
        chooser.value.set_files({"name": "7.png", "mimeType": "image/png", "buffer": png(0.5)})

        assert shown.verdict("sure").endswith("97.0% sure.")


def test_of_many_classes_the_ten_likeliest_have_bars(browser: Any) -> None:
    with serving(shade_stand_in(SHADES), model=SHADES) as served, opened(browser, served, {}) as shown:
        title = shown.page.inner_text("#bars-title")
        before = shown.bars()
        shown.hand_over("drop", png(0.5))
        shown.verdict("sure")

        assert "The 10 likeliest of 1,000 classes" == title
        assert [""] * 10 == before
        assert (10, "shade 999 97.0%") == (len(shown.bars()), shown.bars()[0])


def test_the_page_says_when_the_server_does_not_tell_its_model(browser: Any, served: Served) -> None:
    page = browser.new_page()
    page.route("**/model", lambda route: route.abort())
    page.goto(served.url)
    page.locator("#introduction", has_text="Is `digits app` still running?").wait_for()

    assert not page.is_visible("main")
    page.close()


def test_the_files_of_the_page_name_no_other_machine() -> None:
    addresses = [
        address
        for path in PAGE.iterdir()
        for address in re.findall(r"\w+://[^\"' ]+", path.read_text(encoding="utf-8"))
    ]

    assert ["http://www.w3.org/2000/svg"] == addresses
