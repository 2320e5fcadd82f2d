"""A person at a canvas, for the browser tests: the mouse in picture pixels, and what the server receives."""
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


class CanvasUser:
    """Drives one canvas of CanvasPage. Points are in pixels of the picture; `tab` is Playwright's page."""

    def __init__(self, tab: Any, served: Any, kind: str = "mask"):
        self.tab, self.served, self.kind, self.id = tab, served, kind, f"canvas_{kind}"
        self.problems: list[str] = []
        tab.on("pageerror", lambda error: self.problems.append(str(error)))

    def open(self, query: str = "") -> "CanvasUser":
        self.tab.goto(self.served.url + "/" + query)
        self.tab.wait_for_function("() => uiIsLoaded")
        self.show(self.kind)
        return self

    def show(self, kind: str) -> None:
        self.kind, self.id = kind, f"canvas_{kind}"
        self.tab.click(f"#tab_{kind}-button")
        self.tab.wait_for_selector(f"#{self.id} .canvas-stage")

    def load(self, picture: Path | bytes, name: str = "picture.png") -> None:
        """Choose a file, and wait until the server has agreed to it."""
        file = str(picture) if isinstance(picture, Path) else {"name": name, "mimeType": "image/png", "buffer": picture}
        self.tab.set_input_files(f"#{self.id} input[type=file]", file)
        self.tab.wait_for_function(f"() => canvasOf('{self.id}').hasPicture() && !canvasOf('{self.id}').root.hasAttribute('data-loading')")

    def js(self, expression: str) -> Any:
        """The value of an expression in which `canvas` is this canvas."""
        return self.tab.evaluate(f"() => {{ const canvas = canvasOf('{self.id}'); return {expression}; }}")

    def place(self) -> tuple[float, float, float]:
        """Where the picture's corner is in the window, and the window's pixels per picture pixel."""
        corner = "canvas.stage.getBoundingClientRect()"
        return tuple(self.js(f"[{corner}.left + canvas.view.x, {corner}.top + canvas.view.y, canvas.view.scale]"))

    def screen(self, x: float, y: float, place: tuple[float, float, float] | None = None) -> tuple[int, int]:
        """The whole pixel of the window, as a mouse reaches it, at a point of the picture."""
        left, top, scale = place or self.place()
        return round(left + x * scale), round(top + y * scale)

    def point(self, x: float, y: float, place: tuple[float, float, float] | None = None) -> tuple[float, float]:
        """The exact point of the picture that the mouse hits when it goes to (x, y)."""
        left, top, scale = place or self.place()
        to_x, to_y = self.screen(x, y, (left, top, scale))
        return (to_x - left) / scale, (to_y - top) / scale

    def draw(self, *points: tuple[float, float], button: str = "left") -> list[tuple[float, float]]:
        """Press at the first point, go to each further one, release. Returns the exact points."""
        self.tab.locator(f"#{self.id} .canvas-stage").scroll_into_view_if_needed()
        place = self.place()
        self.tab.mouse.move(*self.screen(*points[0], place))
        self.tab.mouse.down(button=button)
        for point in points[1:]:
            self.tab.mouse.move(*self.screen(*point, place))
        self.tab.mouse.up(button=button)
        return [self.point(*point, place) for point in points]

    def press(self, icon: str) -> None:
        self.tab.click(f"#{self.id} .icon-{icon}")

    def size(self, pixels: int) -> None:
        self.tab.fill(f"#{self.id} [aria-label='Brush size in pixels']", str(pixels))
        self.tab.press(f"#{self.id} [aria-label='Brush size in pixels']", "Tab")

    def zoom_to(self, scale: float) -> None:
        self.js(f"canvas.view.zoomBy({scale} / canvas.view.scale, canvas.view.width / 2, canvas.view.height / 2)")

    def drawn(self) -> np.ndarray:
        """The layer as the page holds it."""
        shape = self.js("[canvas.layer.height, canvas.layer.width, canvas.layer.channels]")
        return np.array(self.js("Array.from(canvas.layer.data)"), np.uint8).reshape(shape)

    def checksum(self) -> int:
        return self.js("crc32([canvas.layer.data])")

    def send(self, timeout_s: float = 60) -> Any:
        """Press the button; returns what Python received: CanvasFiles or a UserError."""
        count = len(self.served.received)
        self.tab.click(f"#send_{self.kind}")
        end = time.monotonic() + timeout_s
        while len(self.served.received) == count:
            assert time.monotonic() < end, "nothing arrived"
            self.tab.wait_for_timeout(20)
        return self.served.received[-1]

    def sent_mask(self) -> np.ndarray:
        """The mask as Python reads the file: [H, W], 0..255."""
        return np.array(Image.open(self.send().mask))


def card(width: int, height: int, colour: tuple[int, int, int] = (200, 210, 220)) -> bytes:
    """A one-coloured PNG."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(stream, "PNG")
    return stream.getvalue()


def capsule(width: int, height: int, a: tuple[float, float], b: tuple[float, float], radius: float) -> np.ndarray:
    """Which pixel centres lie at most `radius` from the line from a to b: [H, W] of bool."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    dx, dy = b[0] - a[0], b[1] - a[1]
    squared = dx * dx + dy * dy
    t = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / squared, 0, 1) if squared else np.zeros_like(x)
    return (x - a[0] - t * dx) ** 2 + (y - a[1] - t * dy) ** 2 <= radius * radius


def path_of(width: int, height: int, points: list[tuple[float, float]], radius: float) -> np.ndarray:
    """Which pixels a hard brush covers along a path."""
    pieces = [capsule(width, height, a, b, radius) for a, b in zip(points, points[1:] or points)]
    return np.logical_or.reduce(pieces)
