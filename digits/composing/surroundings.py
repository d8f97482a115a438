"""What digits are written on and in, and what lies, stands and is spilt beside them."""

from __future__ import annotations

import numpy as np

from digits.composing.grounds import ACROSS, DOWN, SIDE, clouds, noise
from digits.composing.scene import (
    BLACK,
    WHITE,
    Pen,
    Scene,
    any_ground,
    colour_at,
    draw_line,
    drawn_shape,
    ink_on,
    rectangle,
    write_mark,
)
from digits.composing.shapes import LENGTH


def furnish(scene: Scene, x: float, y: float, size: float) -> None:
    """Draw what digits are written on and in: sheets, lines, boxes, axes, borders."""
    if scene.chance(0.11):
        _tile(scene, x, y, size)
        return
    if scene.chance(0.3):
        _sheet(scene, x, y, size)
    for kind, probability in (
        (_ruled, 0.18),
        (_box, 0.2),
        (_border, 0.2),
        (_axes, 0.06),
        (_things, 0.25),
    ):
        if scene.chance(probability):
            kind(scene, x, y, size)


def _sheet(scene: Scene, x: float, y: float, size: float) -> None:
    """Lay a sheet, a note, a tile or a board on the ground."""
    random = scene.random
    wide, high = (size * scene.skewed(1.15, 3.5) for _ in range(2))
    if scene.chance(0.4):
        high = wide
    radius = min(wide, high) * scene.between(0.02, 0.5) if scene.chance(0.35) else 0
    shift_x, shift_y = ((length - size * 1.1) / 2 * scene.between(-1, 1) * 0.8 for length in (wide, high))
    edge = rectangle(scene, x + shift_x, y + shift_y, wide, high, radius)
    if scene.chance(0.4):
        shadow = np.clip(
            1 - np.maximum(edge + scene.between(-2, 3), 0) / np.float32(scene.between(2, 12)), 0, 1
        )
        scene.paint(shadow * np.float32(scene.between(0.1, 0.6)), BLACK)
    paper = any_ground(random)
    textured = paper + np.float32(scene.skewed(0, 0.15)) * clouds(random)[..., np.newaxis]
    scene.paint(np.clip(np.float32(0.5) - edge, 0, 1), textured.astype(np.float32))
    if scene.chance(0.25):
        draw_line(scene, edge + 2, scene.between(0.7, 4), ink_on(random, paper), 1)


def _tile(scene: Scene, x: float, y: float, size: float) -> None:
    """Lay a tile of one strong colour, with round corners or as a circle, as icons are, some with a badge."""
    random = scene.random
    if scene.chance(0.6):
        scene.colours[:] = any_ground(random)
    length = size * scene.between(1.35, 2.8)
    radius = length * scene.between(0.05, 0.5)
    off_x, off_y = (scene.between(-0.06, 0.06) * size for _ in range(2))
    colour = random.uniform(0, 0.85, 3).astype(np.float32)
    edge = rectangle(scene, x + off_x, y + off_y, length, length, radius)
    scene.paint(np.clip(np.float32(0.5) - edge, 0, 1), colour)
    if scene.chance(0.2):
        across, down = scene.places(x + off_x + length * 0.42, y + off_y - length * 0.42)
        badge = np.float32(length * scene.between(0.08, 0.16)) - np.sqrt(across * across + down * down)
        scene.paint(np.clip(badge + np.float32(0.5), 0, 1), random.uniform(0, 1, 3).astype(np.float32))


def _ruled(scene: Scene, x: float, y: float, size: float) -> None:
    """Rule lines, or squares, and perhaps a margin."""
    across, down = scene.places(x, y)
    spacing = np.float32(max(4.0, size * scene.skewed(0.15, 2.2)))
    width, strength = scene.between(0.4, 1.8), scene.between(0.3, 1)
    colour = ink_on(scene.random, colour_at(scene, x, y))
    phase = spacing * np.float32(scene.random.random())
    directions = [down, across] if scene.chance(0.45) else [down] if scene.chance(0.8) else [across]
    for along in directions:
        draw_line(scene, (along + phase) % spacing - spacing / 2, width, colour, strength)
    if scene.chance(0.2):
        margin = across + np.float32(size * scene.between(0.5, 1))
        draw_line(scene, margin, width, ink_on(scene.random, colour_at(scene, x, y)), 1)


def _box(scene: Scene, x: float, y: float, size: float) -> None:
    """Draw a box or a circle about the place of a digit, or cells of a grid."""
    colour = ink_on(scene.random, colour_at(scene, x, y))
    wide, high = (size * scene.between(1.08, 1.9) for _ in range(2))
    width = max(0.7, size * scene.skewed(0.01, 0.12))
    off_x, off_y = (scene.between(-1, 1) * (length - size * 1.05) / 2 for length in (wide, high))
    kind = scene.random.random()
    if kind < 0.15:
        across, down = scene.places(x, y)
        radius = np.float32(size * scene.between(0.72, 1.1))
        draw_line(scene, np.sqrt(across * across + down * down) - radius, width, colour, 1)
        return
    steps = (-1, 0, 1) if kind < 0.5 else (0,)
    for step_x in steps:
        for step_y in steps if kind < 0.35 else (0,):
            place = (x + off_x + step_x * wide, y + off_y + step_y * high)
            draw_line(scene, rectangle(scene, *place, wide, high), width, colour, 1)
            if (step_x or step_y) and scene.chance(0.4):
                pen = Pen(True, max(1.0, size * 0.08), False, 0)
                write_mark(scene, scene.stock.letters, *place, size * 0.8, pen, colour)


def _border(scene: Scene, x: float, y: float, size: float) -> None:
    """Frame the picture along its edge, whole or at some sides: frames, letterbox bars, bars of a screen."""
    colour = any_ground(scene.random) if scene.chance(0.5) else ink_on(scene.random, colour_at(scene, x, y))
    widths = [max(0.0, scene.skewed(-6, 24)) if scene.chance(0.6) else 0.0 for _ in range(4)]
    if scene.chance(0.3):
        widths = [scene.skewed(1, 12)] * 4
    left, top, right, bottom = (np.float32(width) for width in widths)
    distance = np.minimum(
        np.minimum(ACROSS - left, SIDE - right - ACROSS), np.minimum(DOWN - top, SIDE - bottom - DOWN)
    )
    scene.paint(np.clip(np.float32(0.5) - distance, 0, 1), colour)


def _axes(scene: Scene, x: float, y: float, size: float) -> None:
    """Draw the axes of a plot, with ticks and numbers that are no digit of the picture."""
    across, down = scene.places(x, y)
    reach = np.float32(size * scene.between(0.6, 0.95))
    colour = BLACK if scene.chance(0.8) else WHITE
    width = scene.between(0.7, 2)
    frame = np.maximum(np.abs(across), np.abs(down)) - reach
    draw_line(scene, frame, width, colour, 1)
    spacing = np.float32(max(4.0, size / scene.between(3, 6)))
    ticks = np.abs(across % spacing - spacing / 2)
    outside = (down > reach) & (down < reach + 4)
    draw_line(scene, np.where(outside, ticks, np.float32(9)), width, colour, 1)
    ticks = np.abs(down % spacing - spacing / 2)
    outside = (across < -reach) & (across > -reach - 4)
    draw_line(scene, np.where(outside, ticks, np.float32(9)), width, colour, 1)
    pen = Pen(True, 1.0, False, 0)
    for step in range(-2, 3):
        _small_number(scene, x + float(spacing) * step, y + float(reach) + 9, pen, colour)
        _small_number(scene, x - float(reach) - 8, y + float(spacing) * step, pen, colour)


def _small_number(scene: Scene, x: float, y: float, pen: Pen, colour: np.ndarray) -> None:
    shapes = scene.stock.printed
    number = int(scene.random.integers(len(shapes)))
    drawn, _, window = drawn_shape(scene, shapes, number, x, y, 6 / LENGTH, pen)
    scene.paint(drawn, colour, window)


def _things(scene: Scene, x: float, y: float, size: float) -> None:
    """Put down what lies about: a pen, a thumb, a hole, a staple, a fold, tape."""
    across, down = scene.places(*scene.random.uniform(0, SIDE, 2))
    colour = any_ground(scene.random)
    kind = scene.random.random()
    if kind < 0.2:
        # Something long that comes in from outside.
        draw_line(
            scene, across + np.float32(scene.between(-0.5, 0.5)) * down, scene.between(3, 20), colour, 1
        )
    elif kind < 0.4:
        # A pen, or a bar.
        along, beside = (across, down) if scene.chance(0.5) else (down, across)
        half = np.float32(scene.between(8, 60))
        draw_line(scene, np.maximum(np.abs(beside), np.abs(along) - half), scene.between(1.5, 9), colour, 1)
    elif kind < 0.55:
        edge_x, edge_y = ((0, SIDE)[int(scene.random.integers(2))] for _ in range(2))
        across, down = scene.places(edge_x, edge_y)
        radius = np.float32(scene.between(8, 35))
        scene.paint(np.clip(radius - np.sqrt(across * across + down * down), 0, 1), colour)
    elif kind < 0.7:
        radius = np.float32(scene.between(2, 8))
        scene.paint(np.clip(radius - np.sqrt(across * across + down * down), 0, 1), colour)
    elif kind < 0.85:
        length = np.float32(scene.between(3, 12))
        draw_line(scene, np.maximum(np.abs(down), np.abs(across) - length), scene.between(1, 2.5), colour, 1)
    else:
        shade = np.clip(1 - np.abs(across) / np.float32(scene.between(1, 6)), 0, 1)
        scene.paint(shade * np.float32(scene.between(0.1, 0.5)), BLACK if scene.chance(0.7) else WHITE)


def write_beside(scene: Scene, x: float, y: float, size: float) -> None:
    """Write letters, commas and other marks beside the place of a digit, but not on it."""
    random = scene.random
    ink = ink_on(random, colour_at(scene, x, y))
    pen = Pen(
        scene.chance(0.7),
        max(0.7, size * scene.skewed(0.02, 0.12)),
        scene.chance(0.2),
        scene.between(-0.2, 0.2),
    )
    if not pen.along_line:
        pen = Pen(False, 0.0, pen.pressure, pen.slant)
    if scene.chance(0.4):
        # A line of print.
        small = max(4.0, size * scene.between(0.1, 0.4))
        line = y + (size * 0.6 + small) * (1 if scene.chance(0.5) else -1)
        thin = Pen(False, -0.1, False, 0)
        for step in range(int(random.integers(2, 14))):
            write_mark(scene, scene.stock.letters, 4 + step * small * 0.95, line, small, thin, ink)
        return
    for _ in range(int(random.integers(1, 4))):
        side = 1 if scene.chance(0.5) else -1
        shapes = scene.stock.marks if scene.chance(0.5) else scene.stock.letters
        scale = size * scene.between(0.4, 1.1)
        if scene.chance(0.7):
            place = (x + side * (size + scale) * scene.between(0.5, 0.9), y + size * scene.between(-0.3, 0.3))
        else:
            place = (
                x + size * scene.between(-0.5, 0.5),
                y + side * (size + scale) * scene.between(0.52, 0.8),
            )
        write_mark(scene, shapes, *place, scale, pen, ink)


def spill(scene: Scene, x: float, y: float, size: float, ink: np.ndarray) -> None:
    """Spill something over the digit, through which it can be seen, or spatter ink about it."""
    random = scene.random
    if scene.chance(0.6):
        for _ in range(int(random.integers(1, 3))):
            _spot(scene, x, y, size)
        return
    if scene.chance(0.5):
        stain = np.clip((noise(random, 4, 4) - np.float32(scene.between(0, 0.2))) * 8, 0, 1)
        scene.paint(stain * np.float32(scene.between(0.2, 0.6)), random.uniform(0, 1, 3).astype(np.float32))
        return
    for _ in range(int(random.integers(1, 8))):
        across, down = scene.places(*random.uniform(0, SIDE, 2))
        radius = np.float32(scene.skewed(0.8, max(1.2, size * 0.08)))
        spot = np.clip(radius - np.sqrt(across * across + down * down), 0, 1) * (scene.digits == 0)
        scene.paint(spot, ink)


def _spot(scene: Scene, x: float, y: float, size: float) -> None:
    """Leave a round stain, or the ring of a cup, that darkens what is under it."""
    reach = size * 0.6
    across, down = scene.places(x + scene.between(-reach, reach), y + scene.between(-reach, reach))
    radius = np.float32(size * scene.between(0.15, 0.7))
    inside = radius - np.sqrt(across * across + down * down)
    if scene.chance(0.35):
        inside = np.float32(scene.between(1, 4)) - np.abs(inside)
    share = np.clip(inside * np.float32(scene.skewed(0.1, 1)) + np.float32(0.5), 0, 1)
    kept = 1 - scene.random.uniform(0, 1, 3).astype(np.float32) * np.float32(scene.between(0.15, 0.7))
    scene.colours *= 1 - share[..., np.newaxis] * (1 - kept)
