"""Anti-aliased drawing by signed distances. Units: 1.0 = the smaller side; the origin is the top left corner."""
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
Distance = Callable[[Array, Array], Array]  # (x, y) -> units to the edge, negative inside
Bounds = tuple[float, float, float, float]  # x0, y0, x1, y1
EVERYWHERE = (slice(None), slice(None))


class Canvas:
    """A float32 picture [height, width, 3] in 0..255, with the coordinates of its pixels."""

    def __init__(self, width: int, height: int):
        self.width_px, self.height_px = width, height
        self.px = float(min(width, height))
        self.width, self.height = width / self.px, height / self.px
        self.x = ((np.arange(width, dtype=np.float32) + 0.5) / self.px)[None, :]
        self.y = ((np.arange(height, dtype=np.float32) + 0.5) / self.px)[:, None]
        self.img = np.zeros((height, width, 3), np.float32)

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[tuple[slice, slice], Array, Array] | None:
        """Slices and coordinates of the pixels inside a rectangle; None when there are none."""
        left, right = max(0, int(x0 * self.px) - 2), min(self.width_px, int(x1 * self.px) + 3)
        top, bottom = max(0, int(y0 * self.px) - 2), min(self.height_px, int(y1 * self.px) + 3)
        if left >= right or top >= bottom:
            return None
        return (slice(top, bottom), slice(left, right)), self.x[:, left:right], self.y[top:bottom]

    def cover(self, distance: Array) -> Array:
        """Which share of each pixel is covered, 0..1."""
        return np.clip(0.5 - distance * self.px, 0, 1)

    def paint(self, where: tuple[slice, slice], mask: Array, color: Any) -> None:
        """Blend towards a colour by the mask (0..1)."""
        part = self.img[where]
        part += (np.asarray(color, np.float32) - part) * mask[..., None]

    def fill(self, distance: Distance, color: Any, bounds: Bounds, alpha: float = 1.0) -> None:
        """Fill a shape that lies within `bounds`."""
        found = self.box(*bounds)
        if found is None:
            return
        where, x, y = found
        self.paint(where, self.cover(distance(x, y)) * alpha, color)


class Tint:
    """Ambient light: what it makes of a colour, and the colour of lit windows."""

    def __init__(self, factors: tuple[float, float, float] = (1, 1, 1), window: tuple[int, int, int] = (150, 196, 224)):
        self.factors, self.window = np.asarray(factors, np.float32), window

    def __call__(self, color: Any) -> Array:
        return np.asarray(color, np.float32) * self.factors


def mix(a: Any, b: Any, t: Any) -> Array:
    """a at t = 0, b at t = 1."""
    return np.asarray(a, np.float32) * (1 - t) + np.asarray(b, np.float32) * t


def lighter(color: Any, t: float) -> Array:
    """Mixed with white."""
    return mix(color, (255, 255, 255), t)


def darker(color: Any, t: float) -> Array:
    """Mixed with black."""
    return mix(color, (0, 0, 0), t)


def circle(x: Array, y: Array, cx: float, cy: float, r: float) -> Array:
    return np.hypot(x - cx, y - cy) - r


def ellipse(x: Array, y: Array, cx: float, cy: float, rx: float, ry: float) -> Array:
    return (np.hypot((x - cx) / rx, (y - cy) / ry) - 1) * min(rx, ry)


def rectangle(x: Array, y: Array, cx: float, cy: float, half_width: float, half_height: float) -> Array:
    return np.maximum(np.abs(x - cx) - half_width, np.abs(y - cy) - half_height)


def triangle(x: Array, y: Array, cx: float, top: float, half_width: float, height: float) -> Array:
    """Isosceles, its tip at (cx, top)."""
    n = math.hypot(half_width, height)
    return np.maximum((np.abs(x - cx) * height - (y - top) * half_width) / n, y - top - height)


def circles(x: Array, y: Array, cx: float, cy: float, s: float, parts: list[tuple[float, float, float]]) -> Array:
    """The union of circles (dx, dy, r), scaled by s, around (cx, cy)."""
    return np.minimum.reduce([circle(x, y, cx + dx * s, cy + dy * s, r * s) for dx, dy, r in parts])


def shape(kind: str, x: Array, y: Array, r: float) -> Array:
    """Distance to one of palette.SHAPES around the origin. Raises ValueError for other words."""
    if kind == "circle":
        return np.hypot(x, y) - r
    if kind == "square":
        return np.maximum(np.abs(x), np.abs(y)) - 0.86 * r
    if kind == "triangle":
        y = y - 0.2 * r
        return np.maximum(0.866 * np.abs(x) - 0.5 * y - 0.56 * r, y - 0.56 * r)
    if kind == "star":
        rho, angle = np.hypot(x, y) / (1.12 * r), np.arctan2(x, -y)
        angle = np.abs((angle + math.pi / 5) % (2 * math.pi / 5) - math.pi / 5)
        qx, qy = 0.45 * math.cos(math.pi / 5), 0.45 * math.sin(math.pi / 5)
        n = math.hypot(qx - 1, qy)
        return ((rho * np.cos(angle) - 1) * qy - rho * np.sin(angle) * (qx - 1)) / n * 1.12 * r
    if kind == "heart":
        u, v = np.abs(x) / r, -y / r + 0.1
        return (np.hypot(u, 1.15 * v - 0.82 * np.sqrt(u)) - 1) * 0.6 * r
    raise ValueError(kind)
