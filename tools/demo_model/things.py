"""The things that stand in the pictures: each is drawn at a place, with a size, a main colour and a light."""
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tools.demo_model.canvas import (
    Array,
    Bounds,
    Canvas,
    Distance,
    Tint,
    circle,
    circles,
    darker,
    ellipse,
    lighter,
    mix,
    rectangle,
    triangle,
)

Pen = Callable[[Distance, Any], None]


def pen(c: Canvas, light: Tint, bounds: Bounds) -> Pen:
    """Fills shapes within the bounds, in this light."""
    return lambda distance, color: c.fill(distance, light(color), bounds)


def balloon(c: Canvas, cx: float, cy: float, s: float, color: Array, light: Tint) -> None:
    draw = pen(c, light, (cx - s, cy - s, cx + s, cy + 1.8 * s))
    r = 0.62 * s

    def body(x: Array, y: Array) -> Array:
        lower = np.maximum(triangle(x, 2 * cy - y, cx, cy - 1.45 * r, r * 0.95, 1.45 * r), y - cy - 1.12 * r)
        return np.minimum(circle(x, y, cx, cy, r), lower)

    draw(body, color)
    for k in (-0.62, 0.0, 0.62):
        draw(lambda x, y: np.maximum(body(x, y), ellipse(x, y, cx + k * r, cy, 0.17 * r, 1.35 * r)), darker(color, 0.16))
    draw(lambda x, y: np.maximum(body(x, y), ellipse(x, y, cx - 0.38 * r, cy - 0.35 * r, 0.22 * r, 0.4 * r)), lighter(color, 0.35))
    draw(lambda x, y: rectangle(x, y, cx, cy + 1.62 * r, 0.24 * r, 0.17 * r), (112, 72, 40))
    for k in (-1, 1):
        draw(lambda x, y: rectangle(x, y, cx + k * 0.2 * r, cy + 1.3 * r, 0.03 * r, 0.2 * r), (90, 60, 40))


def house(c: Canvas, cx: float, base: float, s: float, color: Array, light: Tint) -> None:
    half_width, height = 0.62 * s, 0.7 * s
    bounds = (cx - s, base - 1.7 * s, cx + s, base + 0.1)
    draw = pen(c, light, bounds)
    draw(lambda x, y: rectangle(x, y, cx + 0.33 * s, base - height - 0.36 * s, 0.08 * s, 0.26 * s), (120, 80, 70))
    draw(lambda x, y: rectangle(x, y, cx, base - height / 2, half_width, height / 2), color)
    strong = np.mean(color) < 120 or np.ptp(color) > 120
    roof = mix(color, (40, 26, 30), 0.62) if strong else (150, 62, 48)
    draw(lambda x, y: triangle(x, y, cx, base - height - 0.56 * s, 0.82 * s, 0.56 * s), roof)
    draw(lambda x, y: rectangle(x, y, cx, base - 0.19 * s, 0.12 * s, 0.2 * s), (84, 52, 34))
    for k in (-1, 1):
        c.fill(lambda x, y: rectangle(x, y, cx + k * 0.36 * s, base - 0.42 * s, 0.11 * s, 0.11 * s), light.window, bounds)


def tree(c: Canvas, cx: float, base: float, s: float, color: Array, light: Tint) -> None:
    draw = pen(c, light, (cx - s, base - 2 * s, cx + s, base + 0.1))
    draw(lambda x, y: rectangle(x, y, cx, base - 0.4 * s, 0.09 * s, 0.42 * s), (104, 70, 44))
    crown = [(0, -1.05, 0.5), (-0.36, -0.82, 0.36), (0.36, -0.82, 0.36)]
    bright = [(dx - 0.1, dy - 0.1, r * 0.6) for dx, dy, r in crown]
    draw(lambda x, y: circles(x, y, cx, base, s, crown), color)
    draw(lambda x, y: circles(x, y, cx, base, s, bright), mix(color, (255, 255, 210), 0.2))


def castle(c: Canvas, cx: float, base: float, s: float, color: Array, light: Tint) -> None:
    bounds = (cx - 1.2 * s, base - 2 * s, cx + 1.2 * s, base + 0.1)
    draw = pen(c, light, bounds)
    wall = mix((178, 172, 168), color, 0.18)
    draw(lambda x, y: rectangle(x, y, cx, base - 0.4 * s, 0.62 * s, 0.42 * s), wall)
    for k in (-0.45, -0.15, 0.15, 0.45):
        draw(lambda x, y: rectangle(x, y, cx + k * s, base - 0.85 * s, 0.08 * s, 0.07 * s), wall)
    for k, h, w in ((-0.7, 1.1, 0.2), (0.7, 1.1, 0.2), (0, 1.35, 0.23)):
        draw(lambda x, y: rectangle(x, y, cx + k * s, base - h * s / 2, w * s, h * s / 2), darker(wall, 0.1 if k else 0.02))
        draw(lambda x, y: triangle(x, y, cx + k * s, base - (h + 0.5) * s, (w + 0.07) * s, 0.5 * s), color)
        c.fill(lambda x, y: rectangle(x, y, cx + k * s, base - (h - 0.22) * s, 0.05 * s, 0.1 * s), light.window, bounds)

    def gate(x: Array, y: Array) -> Array:
        return np.minimum(rectangle(x, y, cx, base - 0.12 * s, 0.13 * s, 0.14 * s), circle(x, y, cx, base - 0.25 * s, 0.13 * s))

    draw(gate, (74, 52, 42))


def boat(c: Canvas, cx: float, base: float, s: float, color: Array, light: Tint) -> None:
    draw = pen(c, light, (cx - s, base - 1.7 * s, cx + s, base + 0.4 * s))

    def sail(x: Array, y: Array) -> Array:
        return np.maximum(triangle(x, y, cx + 0.06 * s, base - 1.5 * s, 0.66 * s, 1.25 * s), cx + 0.07 * s - x)

    def jib(x: Array, y: Array) -> Array:
        return np.maximum(triangle(x, y, cx - 0.06 * s, base - 1.35 * s, 0.46 * s, 1.1 * s), x - cx + 0.07 * s)

    def hull(x: Array, y: Array) -> Array:
        slope = (np.abs(x - cx) - 0.72 * s + (y - base + 0.1 * s) * 1.0) * 0.7
        return np.maximum(rectangle(x, y, cx, base + 0.02 * s, 0.8 * s, 0.17 * s), slope)

    draw(lambda x, y: rectangle(x, y, cx, base - 0.75 * s, 0.035 * s, 0.75 * s), (90, 64, 44))
    draw(sail, color)
    draw(jib, lighter(color, 0.35))
    draw(hull, (126, 82, 50))
    rail = (236, 228, 212)
    draw(lambda x, y: np.maximum(rectangle(x, y, cx, base - 0.12 * s, 0.8 * s, 0.04 * s), np.abs(x - cx) - 0.8 * s), rail)


def flower(c: Canvas, cx: float, cy: float, s: float, color: Array, light: Tint) -> None:
    draw = pen(c, light, (cx - 1.2 * s, cy - 1.3 * s, cx + 1.2 * s, cy + 1.6 * s))
    y0 = cy - 0.28 * s
    draw(lambda x, y: rectangle(x, y, cx, cy + 0.65 * s, 0.06 * s, 0.62 * s), (56, 132, 60))
    for k in (-1, 1):
        draw(lambda x, y: ellipse(x, y + k * 0.6 * (x - cx), cx + k * 0.28 * s, cy + 0.8 * s, 0.26 * s, 0.1 * s), (72, 152, 70))
    petals = [(math.sin(i * math.pi / 3), math.cos(i * math.pi / 3)) for i in range(6)]

    def ring(distance: float, r: float) -> Distance:
        return lambda x, y: np.minimum.reduce([circle(x, y, cx + distance * s * px, y0 + distance * s * py, r * s) for px, py in petals])

    draw(ring(0.44, 0.29), color)
    draw(ring(0.36, 0.15), lighter(color, 0.22))
    is_yellow = abs(color[0] - 248) + abs(color[1] - 214) + abs(color[2] - 48) <= 60
    draw(lambda x, y: circle(x, y, cx, y0, 0.24 * s), (130, 80, 40) if is_yellow else (250, 205, 60))


def cat(c: Canvas, cx: float, cy: float, s: float, color: Array, light: Tint) -> None:
    draw = pen(c, light, (cx - 1.3 * s, cy - 1.3 * s, cx + 1.3 * s, cy + 1.3 * s))
    for k in (-1, 1):
        draw(lambda x, y: triangle(x - 0.12 * k * (cy - y), y, cx + k * 0.52 * s, cy - 1.05 * s, 0.36 * s, 0.8 * s), color)
        draw(lambda x, y: triangle(x - 0.12 * k * (cy - y), y, cx + k * 0.52 * s, cy - 0.85 * s, 0.2 * s, 0.5 * s), (240, 160, 170))
    draw(lambda x, y: ellipse(x, y, cx, cy, 0.95 * s, 0.8 * s), color)
    draw(lambda x, y: ellipse(x, y, cx, cy + 0.38 * s, 0.42 * s, 0.3 * s), lighter(color, 0.6))
    eye = (240, 220, 90) if np.mean(color) < 110 else (36, 36, 40)
    for k in (-1, 1):
        draw(lambda x, y: ellipse(x, y, cx + k * 0.4 * s, cy - 0.1 * s, 0.15 * s, 0.2 * s), eye)
        draw(lambda x, y: ellipse(x, y, cx + k * 0.4 * s, cy - 0.1 * s, 0.06 * s, 0.16 * s), (10, 10, 14))
    draw(lambda x, y: triangle(x, 2 * (cy + 0.25 * s) - y, cx, cy + 0.14 * s, 0.12 * s, 0.14 * s), (226, 110, 120))


def fish(c: Canvas, cx: float, cy: float, s: float, color: Array, light: Tint) -> None:
    draw = pen(c, light, (cx - 1.4 * s, cy - s, cx + 1.4 * s, cy + s))

    def body(x: Array, y: Array) -> Array:
        return ellipse(x, y, cx - 0.1 * s, cy, 0.88 * s, 0.54 * s)

    draw(lambda x, y: triangle(y, x, cy, cx + 0.5 * s, 0.5 * s, 0.62 * s), darker(color, 0.15))
    draw(lambda x, y: triangle(x, y, cx, cy - 0.82 * s, 0.4 * s, 0.6 * s), darker(color, 0.15))
    draw(body, color)
    draw(lambda x, y: np.maximum(body(x, y), np.abs(x - cx - 0.02 * s) - 0.08 * s), lighter(color, 0.55))
    draw(lambda x, y: circle(x, y, cx - 0.56 * s, cy - 0.12 * s, 0.13 * s), (250, 250, 250))
    draw(lambda x, y: circle(x, y, cx - 0.58 * s, cy - 0.12 * s, 0.07 * s), (20, 20, 24))


def mushroom(c: Canvas, cx: float, cy: float, s: float, color: Array, light: Tint) -> None:
    draw = pen(c, light, (cx - 1.2 * s, cy - 1.1 * s, cx + 1.2 * s, cy + 1.1 * s))

    def cap(x: Array, y: Array) -> Array:
        return np.maximum(ellipse(x, y, cx, cy + 0.12 * s, 0.98 * s, 0.95 * s), y - cy - 0.14 * s)

    draw(lambda x, y: ellipse(x, y, cx, cy + 0.42 * s, 0.3 * s, 0.58 * s), (240, 226, 200))
    draw(cap, color)
    dot = (250, 246, 236) if min(color) < 200 else (214, 120, 90)
    for dx, dy, r in ((-0.5, -0.2, 0.15), (0.1, -0.45, 0.19), (0.58, -0.12, 0.13), (-0.12, -0.02, 0.1)):
        draw(lambda x, y: np.maximum(cap(x, y), circle(x, y, cx + dx * s, cy + dy * s, r * s)), dot)


# Balloon, flower, cat, fish and mushroom are placed by their middle, the others by the ground that they stand on.
THINGS: dict[str, Callable[[Canvas, float, float, float, Array, Tint], None]] = {
    "balloon": balloon, "house": house, "tree": tree, "castle": castle, "boat": boat,
    "flower": flower, "cat": cat, "fish": fish, "mushroom": mushroom,
}
