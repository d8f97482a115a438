"""Kinds of pictures that people have, drawn at their full size, for `benchmarks.pictures` to measure.

They share no code and no ground with `digits.composing.composer`, and their digits are of MNIST's test part.
A kind is a function of a random generator and a writer; it returns a picture and what stands in it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

Colour = tuple[int, int, int]

WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
BLUE_PEN, PENCIL = (30, 40, 130), (110, 110, 115)


@dataclass(frozen=True)
class Writer:
    """Writes digits: images (N, 28, 28) of uint8, light on dark, and their labels."""

    random: np.random.Generator
    images: np.ndarray
    labels: np.ndarray

    def digit(self, height: int, width: float = 1.0, only: str = "0123456789") -> tuple[Image.Image, str]:
        """Return a digit cropped to its ink, as a mask ("L") so many pixels high, and what it is.

        `width` below 1 makes its strokes thinner than MNIST's, above 1 thicker.
        """
        able = np.flatnonzero(np.isin(self.labels, [int(each) for each in only]))
        place = int(self.random.choice(able))
        image = Image.fromarray(self.images[place])
        image = image.crop(image.getbbox())
        scale = max(4, height / image.height)
        big = image.resize(
            (round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS
        )
        soft = big.filter(ImageFilter.GaussianBlur(0.35 * scale))
        level = 110 + (80 if width < 1 else -60) * min(1.0, abs(1 - width))
        mask = soft.point(lambda value: max(0, min(255, round((value - level) * 8 + 128))))
        mask = mask.crop(mask.getbbox() or (0, 0, *mask.size))
        size = (max(1, round(mask.width * height / mask.height)), height)
        return mask.resize(size, Image.Resampling.LANCZOS if scale > 4 else Image.Resampling.BOX), str(
            self.labels[place]
        )

    def row(
        self, count: int, height: int, gap: int, width: float = 1.0
    ) -> tuple[Image.Image, str, list[int]]:
        """Return a row of digits as a mask, what it reads, and where each digit begins."""
        digits = [self.digit(height, width) for _ in range(count)]
        starts, left = [], 0
        for mask, _ in digits:
            starts.append(left)
            left += mask.width + gap
        row = Image.new("L", (left - gap, height))
        for (mask, _), start in zip(digits, starts, strict=True):
            row.paste(ImageChops.lighter(row.crop((start, 0, start + mask.width, height)), mask), (start, 0))
        return row, "".join(label for _, label in digits), starts


Drawn = tuple[Image.Image, str]
Kind = Callable[[np.random.Generator, Writer], Drawn]


def whole(random: np.random.Generator, low: float, high: float) -> int:
    """Draw a whole number."""
    return int(random.integers(round(low), round(high) + 1))


def ground(random: np.random.Generator, size: tuple[int, int], colour: Colour, rough: float) -> Image.Image:
    """Return paper of a colour: uneven by so many levels, in light and in fibre."""
    width, height = size
    coarse = random.normal(0, rough, (6, 6))
    light = np.asarray(Image.fromarray(coarse.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    fibre = random.normal(0, rough / 2, (height, width))
    fibre = np.asarray(Image.fromarray(fibre.astype(np.float32)).filter(ImageFilter.BoxBlur(0)))
    values = np.array(colour, np.float32) + (light + fibre)[..., np.newaxis]
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def write(picture: Image.Image, mask: Image.Image, place: tuple[int, int], colour: Colour) -> None:
    """Write a mask in a colour."""
    picture.paste(Image.new("RGB", mask.size, colour), place, mask)


def photographed(random: np.random.Generator, picture: Image.Image, noise: float = 4) -> Image.Image:
    """Add a camera's blur, noise and JPEG."""
    blurred = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.2)))
    noisy = np.asarray(blurred, np.float32) + random.normal(0, noise, (*blurred.size[::-1], 1))
    file = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=whole(random, 60, 92))
    return Image.open(file).convert("RGB")


def on_paper(
    random: np.random.Generator,
    writer: Writer,
    colour: Colour = (214, 208, 198),
    ink: Colour = BLUE_PEN,
    rough: float = 6,
    width: float | None = None,
    margin: float | None = None,
) -> tuple[Image.Image, str, tuple[int, int, int, int]]:
    """Write a digit on paper; return the picture, the digit and its box."""
    height = whole(random, 150, 330)
    mask, label = writer.digit(height, random.uniform(0.3, 1.2) if width is None else width)
    around = [random.uniform(0.25, 1) if margin is None else margin for _ in range(4)]
    left, top, right, bottom = (max(0, round(share * height)) for share in around)
    picture = ground(random, (left + mask.width + right, top + height + bottom), colour, rough)
    write(picture, mask, (left, top), ink)
    return picture, label, (left, top, left + mask.width, top + height)


def paper_light(random: np.random.Generator) -> Colour:
    """Draw the colour of paper in any light."""
    level = whole(random, 120, 240)
    return tuple(min(255, max(0, level + whole(random, -15, 15))) for _ in range(3))  # type: ignore[return-value]


# One digit.


def plain(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: plain."""
    picture, label, _ = on_paper(random, writer, WHITE, BLACK, 0)
    return picture, label


def pen_on_paper(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: pen on paper."""
    picture, label, _ = on_paper(random, writer, paper_light(random))
    return photographed(random, picture), label


def pencil(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: pencil."""
    level = whole(random, 180, 235)
    ink = level - whole(random, 45, 90)
    picture, label, _ = on_paper(random, writer, (level, level, level - 5), (ink, ink, ink), 3, 0.2)
    return photographed(random, picture, 3), label


def small_black_on_white(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: 28x28, black on white."""
    mask, label = writer.digit(whole(random, 18, 25), random.uniform(0.7, 1.4))
    picture = Image.new("RGB", (28, 28), WHITE)
    write(picture, mask, ((28 - mask.width) // 2, (28 - mask.height) // 2), BLACK)
    return picture, label


def jagged_paint(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a paint program's, up to 40 pixels."""
    mask, label = writer.digit(whole(random, 19, 27), random.uniform(1, 1.6))
    side = whole(random, 28, 40)
    picture = Image.new("RGB", (side, side), WHITE)
    place = (whole(random, 0, max(0, side - mask.width)), whole(random, 0, max(0, side - mask.height)))
    write(picture, mask.point(lambda value: 255 if value > 127 else 0), place, BLACK)
    return picture, label


def bars_across(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: bars across the whole digit."""
    mask, label = writer.digit(300, random.uniform(0.2, 1), "4725")
    mask = mask.resize((whole(random, 260, 340), 300))
    picture = ground(random, (mask.width + 60, 360), paper_light(random), 4)
    write(picture, mask, (30, 30), BLACK)
    return photographed(random, picture), label


def strokes(points: list[list[tuple[float, float]]], random: np.random.Generator, width: int) -> Image.Image:
    """Draw lines through points from (0, 0) to (1, 1), moved a little, as a mask."""
    mask = Image.new("L", (600, 720))
    draw = ImageDraw.Draw(mask)
    for line in points:
        moved = [
            (100 + 400 * x + random.normal(0, 10), 100 + 520 * y + random.normal(0, 10)) for x, y in line
        ]
        draw.line(moved, 255, width, "curve")
        for x, y in moved:
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 255)
    return mask.crop(mask.getbbox()).resize((200, 260), Image.Resampling.BOX)


def drawn(random: np.random.Generator, points: list[list[tuple[float, float]]], label: str) -> Drawn:
    """Draw a digit by its strokes on paper."""
    mask = strokes(points, random, whole(random, 12, 50))
    picture = ground(random, (whole(random, 260, 500), whole(random, 320, 500)), paper_light(random), 3)
    write(picture, mask, ((picture.width - 200) // 2, (picture.height - 260) // 2), BLACK)
    return photographed(random, picture), label


def open_four(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: open 4."""
    return drawn(random, [[(0.15, 0), (0.05, 0.6), (1, 0.6)], [(0.75, 0.15), (0.72, 1)]], "4")


def one_with_base(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: 1 with a base."""
    mask = strokes([[(0.2, 0.25), (0.5, 0), (0.5, 1)], [(0.15, 1), (0.85, 1)]], random, whole(random, 12, 50))
    mask = mask.resize((130, 260))
    picture = ground(random, (whole(random, 260, 500), whole(random, 320, 500)), paper_light(random), 3)
    write(picture, mask, ((picture.width - 130) // 2, (picture.height - 260) // 2), BLACK)
    return photographed(random, picture), "1"


def crossed_seven(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: crossed 7."""
    return drawn(random, [[(0.05, 0.03), (0.95, 0), (0.35, 1)], [(0.3, 0.52), (0.8, 0.48)]], "7")


def thin_one(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a thin 1."""
    mask, label = writer.digit(whole(random, 200, 300), 0.2, "1")
    picture = ground(random, (whole(random, 250, 400), 360), paper_light(random), 3)
    write(picture, mask, ((picture.width - mask.width) // 2, 30), BLUE_PEN)
    return photographed(random, picture), label


def cropped_on_paper(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: cropped closely on paper."""
    picture, label, _ = on_paper(random, writer, paper_light(random), margin=random.uniform(0, 0.1))
    return photographed(random, picture), label


def cropped_on_white(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: cropped closely on white."""
    picture, label, _ = on_paper(random, writer, WHITE, BLACK, 0, margin=random.uniform(0, 0.1))
    return picture, label


def framed(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a frame along the border."""
    picture, label, _ = on_paper(
        random, writer, paper_light(random), PENCIL if random.random() < 0.3 else BLACK
    )
    return ImageOps.expand(picture, whole(random, 2, 12), BLACK if random.random() < 0.7 else BLUE_PEN), label


def letterboxed(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: letterbox bars."""
    picture, label, _ = on_paper(random, writer, paper_light(random))
    bar = whole(random, 20, 90)
    border = (bar, 0, bar, 0) if random.random() < 0.5 else (0, bar, 0, bar)
    return ImageOps.expand(photographed(random, picture), border, BLACK), label


def form_cell(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a form's cell."""
    picture, label, _ = on_paper(random, writer, paper_light(random), margin=random.uniform(0.15, 0.4))
    draw = ImageDraw.Draw(picture)
    for offset in range(whole(random, 2, 6)):
        near = whole(random, 0, 1) + offset
        draw.rectangle(
            (near, near, picture.width - 1 - near, picture.height - 1 - near), outline=(60, 60, 60)
        )
    return photographed(random, picture), label


def plot(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a plot with axes."""
    from matplotlib.figure import Figure

    mask, label = writer.digit(20)
    if mask.width > 26:
        mask = mask.resize((26, 20))
    image = np.zeros((28, 28))
    left, top = (28 - mask.width) // 2, 4
    image[top : top + 20, left : left + mask.width] = np.asarray(mask)
    figure = Figure(figsize=(whole(random, 3, 6), whole(random, 3, 5)), dpi=whole(random, 50, 100))
    axes = figure.subplots()
    axes.imshow(image, cmap=["gray", "gray_r", "viridis", "Blues"][whole(random, 0, 3)])
    if random.random() < 0.3:
        axes.set_title("a digit")
    file = io.BytesIO()
    figure.savefig(file)
    return Image.open(file).convert("RGB"), label


def icon(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: an app's icon."""
    side = whole(random, 100, 400)
    picture = Image.new("RGB", (side, side), WHITE if random.random() < 0.7 else (30, 30, 34))
    colour = tuple(int(value) for value in random.integers(0, 200, 3))
    edge = round(side * random.uniform(0.02, 0.15))
    ImageDraw.Draw(picture).rounded_rectangle(
        (edge, edge, side - edge, side - edge), side * random.uniform(0.1, 0.5), colour
    )
    mask, label = writer.digit(round(side * random.uniform(0.4, 0.55)))
    write(picture, mask, ((side - mask.width) // 2, (side - mask.height) // 2), WHITE)
    return picture, label


def desk(random: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Return a table top of boards."""
    level = whole(random, 30, 120)
    picture = ground(random, size, (level + 30, level + 10, level), 8)
    draw = ImageDraw.Draw(picture)
    for left in range(0, size[0], whole(random, 60, 140)):
        draw.line((left, 0, left + 10, size[1]), (level // 2, level // 3, level // 3), 2)
    return picture


def sheet_on_table(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a sheet on a dark table."""
    sheet, label, _ = on_paper(random, writer, (225, 222, 214))
    turned = sheet.convert("RGBA").rotate(random.uniform(-12, 12), Image.Resampling.BICUBIC, expand=True)
    picture = desk(
        random,
        (round(turned.width * random.uniform(1.2, 2)), round(turned.height * random.uniform(1.2, 1.8))),
    )
    place = (whole(random, 0, picture.width - turned.width), whole(random, 0, picture.height - turned.height))
    picture.paste(turned, place, turned)
    return photographed(random, picture), label


def note_on_desk(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a note on a desk."""
    colours = [(250, 230, 110), (250, 160, 170), (150, 220, 160), (150, 200, 240)]
    side = whole(random, 160, 300)
    note = ground(random, (side, side), colours[whole(random, 0, 3)], 3)
    mask, label = writer.digit(round(side * random.uniform(0.4, 0.7)), random.uniform(0.3, 1))
    write(note, mask, ((side - mask.width) // 2, (side - mask.height) // 2), BLACK)
    turned = note.convert("RGBA").rotate(random.uniform(-15, 15), Image.Resampling.BICUBIC, expand=True)
    picture = desk(random, (whole(random, 600, 900), whole(random, 500, 800)))
    picture.paste(turned, (whole(random, 20, 250), whole(random, 20, 150)), turned)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((picture.width - 90, 40, picture.width - 60, picture.height - 40), (40, 60, 160))
    return photographed(random, picture), label


def small_in_photograph(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: small in a photograph."""
    height = whole(random, 900, 1500)
    picture = ground(random, (round(height * 4 / 3), height), paper_light(random), 6)
    mask, label = writer.digit(round(height * random.uniform(0.05, 0.1)), random.uniform(0.6, 1.2))
    place = (
        whole(random, 0.1 * picture.width, 0.8 * picture.width),
        whole(random, 0.1 * height, 0.8 * height),
    )
    write(picture, mask, place, BLUE_PEN)
    return photographed(random, picture), label


def equal_luminance(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: ink and ground of one luminance."""
    pairs = [((70, 160, 60), (215, 70, 60)), ((205, 60, 60), (50, 90, 255)), ((125, 125, 125), (215, 85, 80))]
    paper, ink = pairs[whole(random, 0, 2)]
    picture, label, _ = on_paper(random, writer, paper, ink, 2)
    return photographed(random, picture), label


def shaded(random: np.random.Generator, picture: Image.Image, soft: float, depth: float) -> Image.Image:
    """Let the shadow of something fall over a part of a picture."""
    shadow = Image.new("L", picture.size, 0)
    width, height = picture.size
    centre = (whole(random, 0, width), whole(random, 0, height))
    corners = [(centre[0] + random.normal(0, width), centre[1] + random.normal(0, height)) for _ in range(4)]
    ImageDraw.Draw(shadow).polygon(corners, 255)
    shadow = shadow.filter(ImageFilter.GaussianBlur(soft))
    dark = picture.point(lambda value: round(value * (1 - depth)))
    return Image.composite(dark, picture, shadow)


def shadow(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: shadow."""
    picture, label, _ = on_paper(random, writer, (214, 210, 204))
    soft = shaded(random, picture, random.uniform(2, 60), random.uniform(0.3, 0.7))
    return photographed(random, soft), label


def glare(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: glare."""
    picture, label, _ = on_paper(random, writer, (190, 188, 184))
    spot = Image.new("L", picture.size)
    x, y, radius = (whole(random, 0, picture.width), whole(random, 0, picture.height), whole(random, 40, 140))
    ImageDraw.Draw(spot).ellipse((x - radius, y - radius, x + radius, y + radius), 190)
    spot = spot.filter(ImageFilter.GaussianBlur(radius / 2))
    return photographed(random, Image.composite(Image.new("RGB", picture.size, WHITE), picture, spot)), label


def ruled(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: ruled."""
    picture, label, _ = on_paper(random, writer, (228, 226, 220))
    lined = picture.copy()
    draw = ImageDraw.Draw(lined)
    for top in range(whole(random, 5, 40), picture.height, whole(random, 35, 110)):
        draw.line((0, top, picture.width, top + whole(random, -2, 2)), (130, 150, 200), whole(random, 1, 3))
    return photographed(random, ImageChops.darker(lined, picture)), label


def squared(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: squared."""
    picture, label, _ = on_paper(random, writer, (228, 226, 220))
    draw = ImageDraw.Draw(lined := picture.copy())
    step = whole(random, 30, 90)
    for place in range(whole(random, 5, 40), max(picture.size), step):
        for line in ((0, place, picture.width, place), (place, 0, place, picture.height)):
            draw.line(line, (160, 170, 185), whole(random, 1, 2))
    return photographed(random, ImageChops.darker(lined, picture)), label


def board(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: board."""
    picture, label, _ = on_paper(random, writer, (40, 60, 50), (225, 228, 222), 8, 1)
    return photographed(random, picture, 8), label


def transparent(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: transparent."""
    mask, label = writer.digit(whole(random, 60, 300))
    picture = Image.new("RGBA", (mask.width + 60, mask.height + 60))
    colour = BLACK if random.random() < 0.5 else WHITE
    picture.paste(Image.new("RGBA", mask.size, (*colour, 255)), (30, 30), mask)
    return picture, label


def hard_jpeg(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: JPEG of quality 8."""
    picture, label, _ = on_paper(random, writer, paper_light(random), BLACK)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=8)
    return Image.open(file).convert("RGB"), label


def stained(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a stain over it."""
    picture, label, box = on_paper(random, writer, (224, 220, 210))
    stain = Image.new("L", picture.size)
    x, y = whole(random, box[0], box[2]), whole(random, box[1], box[3])
    radius = whole(random, 40, 120)
    ImageDraw.Draw(stain).ellipse((x - radius, y - radius, x + radius, y + radius), 110)
    brown = Image.new("RGB", picture.size, (150, 110, 70))
    return photographed(
        random,
        ImageChops.multiply(picture, Image.composite(brown, Image.new("RGB", picture.size, WHITE), stain)),
    ), label


def beside_text(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: beside text."""
    picture, label, _ = on_paper(random, writer, paper_light(random), BLACK)
    font = ImageFont.load_default(whole(random, 14, 28))
    ImageDraw.Draw(picture).text((4, 4), "Answer to question:", (40, 40, 40), font)
    return photographed(random, picture), label


# Several digits.


def row(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a row."""
    height = whole(random, 50, 140)
    mask, text, _ = writer.row(
        whole(random, 3, 8), height, round(height * random.uniform(0.15, 0.6)), random.uniform(0.5, 1.2)
    )
    picture = ground(random, (mask.width + 2 * height, 3 * height), paper_light(random), 5)
    write(picture, mask, (height, height), BLUE_PEN)
    return photographed(random, picture), text


def row_at_the_edge(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a row at the edge."""
    height = whole(random, 60, 140)
    mask, text, _ = writer.row(4, height, round(height * random.uniform(0.2, 0.5)))
    picture = Image.new("RGB", (mask.width + height, 2 * height), WHITE)
    write(picture, mask, (0 if random.random() < 0.5 else height, whole(random, 0, height)), BLACK)
    return picture, text


def row_cropped(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a row cropped closely."""
    height = whole(random, 40, 140)
    mask, text, _ = writer.row(whole(random, 3, 8), height, round(height * random.uniform(0.15, 0.5)))
    edge = whole(random, 0, 0.1 * height)
    picture = ground(random, (mask.width + 2 * edge, height + 2 * edge), paper_light(random), 3)
    write(picture, mask, (edge, edge), BLACK)
    return picture, text


def cells(random: np.random.Generator, writer: Writer, apart: int) -> Drawn:
    """Draw a row of cells with a digit in each."""
    height = whole(random, 50, 110)
    high = round(height * random.uniform(1.25, 1.7))
    count, wide = whole(random, 4, 6), round(height * random.uniform(1.15, 1.4))
    step = wide + apart
    picture = ground(random, (count * step + 80, high + 100), paper_light(random), 3)
    draw = ImageDraw.Draw(picture)
    thick, text = whole(random, 1, 4), ""
    for number in range(count):
        left = 40 + number * step
        draw.rectangle((left, 50, left + wide, 50 + high), outline=(40, 40, 40), width=thick)
        mask, label = writer.digit(height, random.uniform(0.4, 1.1))
        mask = mask if mask.width < wide - 8 else mask.resize((wide - 8, height))
        write(picture, mask, (left + (wide - mask.width) // 2, 50 + (high - height) // 2), BLUE_PEN)
        text += label
    return photographed(random, picture), text


def cells_joined(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: cells, joined."""
    return cells(random, writer, 0)


def cells_apart(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: cells, apart."""
    return cells(random, writer, whole(random, 8, 30))


def drums(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: meter drums."""
    height, count = whole(random, 60, 110), whole(random, 4, 6)
    wide, high = round(height * 1.1), round(height * 1.5)
    picture = ground(random, (count * (wide + 8) + 60, high + 60), (150, 150, 150), 3)
    text = ""
    for number in range(count):
        left = 30 + number * (wide + 8)
        drum = Image.new("RGB", (wide, high), (25, 25, 28) if number < count - 1 else (150, 20, 20))
        mask, label = writer.digit(height, 1)
        mask = mask if mask.width < wide - 6 else mask.resize((wide - 6, height))
        write(drum, mask, ((wide - mask.width) // 2, (high - height) // 2), (230, 230, 225))
        picture.paste(drum, (left, 30))
        text += label
    return photographed(random, picture), text


def with_marks(random: np.random.Generator, writer: Writer, mark: str) -> Drawn:
    """Draw a row in which a mark stands twice between digits."""
    height = whole(random, 60, 110)
    picture = ground(random, (height * 10, height * 3), paper_light(random), 4)
    font = ImageFont.load_default(round(height * 1.3))
    draw, left, text = ImageDraw.Draw(picture), height // 2, ""
    for number in range(5):
        if number in (1, 3):
            width = int(draw.textlength(mark, font))
            draw.text((left, 2 * height), mark, BLACK, font, anchor="ls")
            left += width + round(0.25 * height)
        mask, label = writer.digit(height, random.uniform(0.7, 1.2))
        write(picture, mask, (left, height), BLACK)
        left += mask.width + round(0.25 * height)
        text += label
    return photographed(random, picture.crop((0, 0, left + height // 2, picture.height))), text


def commas(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: with commas."""
    return with_marks(random, writer, ",")


def slashes(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: with slashes."""
    return with_marks(random, writer, "/")


def minus(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: with minus signs."""
    return with_marks(random, writer, "-")


def askew(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: askew by up to 10 degrees."""
    height = whole(random, 60, 110)
    mask, text, _ = writer.row(whole(random, 4, 7), height, round(0.35 * height))
    turned = mask.rotate(random.uniform(-10, 10), Image.Resampling.BICUBIC, expand=True)
    picture = ground(random, (turned.width + 80, turned.height + 80), paper_light(random), 4)
    write(picture, turned, (40, 40), BLACK)
    return photographed(random, picture), text


def column(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: a column."""
    height, count = whole(random, 50, 90), whole(random, 3, 5)
    picture = ground(random, (height * 3, round(height * 1.4) * count + height), paper_light(random), 4)
    text = ""
    for number in range(count):
        mask, label = writer.digit(height)
        write(picture, mask, (height, height // 2 + round(height * 1.4) * number), BLUE_PEN)
        text += label
    return photographed(random, picture), text


def two_lines(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: two lines."""
    height = whole(random, 50, 90)
    rows = [writer.row(whole(random, 3, 5), height, round(0.4 * height)) for _ in range(2)]
    picture = ground(
        random, (max(mask.width for mask, _, _ in rows) + 80, 4 * height), paper_light(random), 4
    )
    for number, (mask, _, _) in enumerate(rows):
        write(picture, mask, (40, round(height * (0.5 + 1.6 * number))), BLACK)
    return photographed(random, picture), "".join(text for _, text, _ in rows)


def touching(random: np.random.Generator, writer: Writer) -> Drawn:
    """Draw this kind: touching."""
    height = whole(random, 70, 120)
    mask, text, _ = writer.row(3, height, -round(0.03 * height))
    picture = ground(random, (mask.width + 100, height + 100), paper_light(random), 4)
    write(picture, mask, (50, 50), BLACK)
    return photographed(random, picture), text


ONE: dict[str, Kind] = {
    "plain": plain,
    "pen on paper": pen_on_paper,
    "pencil": pencil,
    "28x28, black on white": small_black_on_white,
    "a paint program's, up to 40 pixels": jagged_paint,
    "bars across the whole digit": bars_across,
    "open 4": open_four,
    "1 with a base": one_with_base,
    "crossed 7": crossed_seven,
    "a thin 1": thin_one,
    "cropped closely on paper": cropped_on_paper,
    "cropped closely on white": cropped_on_white,
    "a frame along the border": framed,
    "letterbox bars": letterboxed,
    "a form's cell": form_cell,
    "a plot with axes": plot,
    "an app's icon": icon,
    "a sheet on a dark table": sheet_on_table,
    "a note on a desk": note_on_desk,
    "small in a photograph": small_in_photograph,
    "ink and ground of one luminance": equal_luminance,
    "shadow": shadow,
    "glare": glare,
    "ruled": ruled,
    "squared": squared,
    "board": board,
    "transparent": transparent,
    "JPEG of quality 8": hard_jpeg,
    "a stain over it": stained,
    "beside text": beside_text,
}
MANY: dict[str, Kind] = {
    "a row": row,
    "a row at the edge": row_at_the_edge,
    "a row cropped closely": row_cropped,
    "cells, joined": cells_joined,
    "cells, apart": cells_apart,
    "meter drums": drums,
    "with commas": commas,
    "with slashes": slashes,
    "with minus signs": minus,
    "askew by up to 10 degrees": askew,
    "a column": column,
    "two lines": two_lines,
    "touching": touching,
}
