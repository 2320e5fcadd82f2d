"""Scene -> picture. A scene is a small dict that JSON can hold; the same scene always gives the same picture."""
from typing import Any

import numpy as np

from tools.demo_model import things
from tools.demo_model.canvas import Array, Canvas, Tint, darker, lighter, shape
from tools.demo_model.landscape import Landscape
from tools.demo_model.palette import COLORS, SHAPES
from tools.demo_model.styles import styled

Scene = dict[str, Any]

STUDIO_LIGHT = Tint(window=(190, 220, 236))


def render(scene: Scene, width: int = 128, height: int = 128) -> Array:
    """The picture of a scene, uint8 [height, width, 3]."""
    rng = np.random.default_rng(scene["seed"])
    canvas = Canvas(width, height)
    if scene["domain"] == "landscape":
        Landscape(canvas, scene, rng).draw()
    else:
        draw_studio(canvas, scene)
    picture = styled(np.clip(canvas.img, 0, 255), scene["style"], rng)
    return (np.clip(picture, 0, 255) + 0.5).astype(np.uint8)


def draw_studio(c: Canvas, scene: Scene) -> None:
    """One thing or two before a background that gets a little darker downwards."""
    background = np.asarray(COLORS[scene["background"]], np.float32)
    shade = 0.10
    t = ((c.y / c.height) * 0.7 + 0.3 * np.abs(c.x / c.width - 0.5))[..., None]
    c.img[:] = np.clip(background * (1 + shade * 0.5 - shade * t) + (3 if scene["background"] == "black" else 0), 0, 255)
    alone = len(scene["objects"]) == 1
    for thing in scene["objects"]:
        x = c.width * {"left": 0.27, "center": 0.5, "right": 0.73}[thing["pos"]] + thing.get("dx", 0)
        y = c.height * 0.5 + thing.get("dy", 0)
        r = thing["size"] * (1.0 if alone and thing["pos"] == "center" else 0.66)
        color = np.asarray(COLORS[thing["color"]], np.float32)
        if thing["kind"] in SHAPES:
            draw_shape(c, thing["kind"], x, y, r, color)
        else:
            draw_subject(c, thing["kind"], x, y, r, color)


def draw_shape(c: Canvas, kind: str, cx: float, cy: float, r: float, color: Array) -> None:
    """A flat shape with a soft shadow, lit from the top left."""
    found = c.box(cx - 1.5 * r, cy - 1.5 * r, cx + 1.5 * r + .05, cy + 1.6 * r + .05)
    if found is None:
        return
    where, x, y = found
    c.paint(where, np.clip(0.5 - shape(kind, x - cx - 0.02, y - cy - 0.035, r) / 0.035, 0, 1) * 0.28, (0, 0, 0))
    mask = c.cover(shape(kind, x - cx, y - cy, r))
    c.paint(where, mask, color)
    lit = np.clip(0.5 - ((x - cx) + (y - cy)) / (2.6 * r), 0, 1)
    c.paint(where, mask * lit * 0.22, lighter(color, 0.6))
    c.paint(where, mask * (1 - lit) * 0.22, darker(color, 0.6))


def draw_subject(c: Canvas, kind: str, x: float, y: float, r: float, color: Array) -> None:
    """One of the things, moved so that its middle is at (x, y)."""
    down, scale = {"house": (0.75, 1.2), "tree": (0.9, 1.15), "balloon": (-0.25, 1.2), "flower": (-0.1, 1.0)}.get(kind, (0.0, 1.02))
    things.THINGS[kind](c, x, y + down * r, r * scale, color, STUDIO_LIGHT)
