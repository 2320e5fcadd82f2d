"""Reads pictures with plain pixel arithmetic: which colour, shape, background, time of day, terrain.

The same checks on the renderer's own pictures give the upper bound that the model is measured against.
"""
from functools import cache

import numpy as np

from tools.demo_model.canvas import Array
from tools.demo_model.palette import COLORS, SHAPES, TERRAINS, TIMES
from tools.demo_model.render import Scene, render

NAMES = list(COLORS)
PALETTE = np.array([COLORS[name] for name in NAMES], np.float32)


def nearest_color(rgb: Array) -> str:
    """The name of the palette's nearest colour; green counts a little more, as for eyes."""
    off = (PALETTE - rgb) * np.array([0.9, 1.2, 0.8])
    return NAMES[int((off ** 2).sum(1).argmin())]


def studio_scene(kind: str, color: str, background: str) -> Scene:
    """One thing in the middle."""
    return {"seed": 1, "style": "", "domain": "studio", "background": background, "objects": [thing(kind, color, "center")]}


def landscape_scene(time: str, terrain: str, seed: int) -> Scene:
    return {"seed": seed, "style": "", "domain": "landscape", "time": time, "terrain": terrain, "objects": []}


def thing(kind: str, color: str, position: str) -> dict:
    return {"kind": kind, "color": color, "pos": position, "size": 0.3, "sname": "", "dx": 0, "dy": 0}


def foreground(picture: Array) -> tuple[Array, Array, Array]:
    """Where the thing is (bool [h, w]), its median colour, and that of the border."""
    img = picture.astype(np.float32)
    border = np.concatenate([part.reshape(-1, 3) for part in (img[:8], img[-8:], img[:, :8], img[:, -8:])])
    background = np.median(border, 0)
    off = np.abs(img - background).sum(-1)
    h, w = off.shape
    mask = off > max(40, 0.5 * np.percentile(off[h // 4:-h // 4, w // 4:-w // 4], 90))
    return mask, (np.median(img[mask], 0) if mask.any() else background), background


def outline(mask: Array) -> Array | None:
    """The mask cut to its extent and brought to 32x32; None when it is too small to be anything."""
    ys, xs = np.where(mask)
    if len(ys) < 60:
        return None
    y0, y1, x0, x1 = *np.percentile(ys, [1, 99]), *np.percentile(xs, [1, 99])
    rows = np.clip(np.linspace(y0, y1, 32).round().astype(int), 0, mask.shape[0] - 1)
    columns = np.clip(np.linspace(x0, x1, 32).round().astype(int), 0, mask.shape[1] - 1)
    return mask[np.ix_(rows, columns)].astype(np.float32)


@cache
def templates() -> dict[str, Array]:
    drawn = {name: outline(foreground(render(studio_scene(name, "red", "white")))[0]) for name in SHAPES}
    return {name: found for name, found in drawn.items() if found is not None}


def shape_of(mask: Array) -> str:
    """The shape with the largest overlap, or `none`."""
    found = outline(mask)
    if found is None:
        return "none"
    overlap = {name: float(np.minimum(found, known).sum() / np.maximum(found, known).sum()) for name, known in templates().items()}
    return max(overlap, key=lambda name: overlap[name])


def studio_score(pictures: list[Array], wanted: list[tuple[str, str, str]]) -> dict[str, float]:
    """Shares that show the wanted (shape, colour, background)."""
    hits = np.zeros(4)
    for picture, (kind, color, background) in zip(pictures, wanted):
        mask, front, back = foreground(picture)
        right = (nearest_color(front) == color, nearest_color(back) == background, shape_of(mask) == kind)
        hits += (*right, all(right))
    return dict(zip(("colour", "background", "shape", "all three"), (hits / len(wanted)).round(3).tolist()))


def halves(picture: Array) -> tuple[list[tuple[str, str]], str]:
    """(colour, shape) of what stands in the left and in the right half, and the colour of the background."""
    img = picture.astype(np.float32)
    background = np.median(np.concatenate([img[:8].reshape(-1, 3), img[-8:].reshape(-1, 3)]), 0)
    middle = img.shape[1] // 2
    found = []
    for half in (img[:, :middle], img[:, middle:]):
        off = np.abs(half - background).sum(-1)
        mask = off > max(40, 0.5 * np.percentile(off[len(off) // 4:-len(off) // 4], 75))
        found.append((nearest_color(np.median(half[mask], 0)) if mask.sum() > 60 else "none", shape_of(mask)))
    return found, nearest_color(background)


def pair_score(pictures: list[Array], wanted: list[tuple[tuple[str, str], tuple[str, str], str]]) -> dict[str, float]:
    """Shares of pictures of two things, each (colour, shape), on a background."""
    rows = []
    for picture, (first, second, background) in zip(pictures, wanted):
        (left, right), back = halves(picture)
        rows.append({
            "background": back == background,
            "both colours": {left[0], right[0]} == {first[0], second[0]},
            "both shapes": {left[1], right[1]} == {first[1], second[1]},
            "both things": (left, right) in ((first, second), (second, first)),
        })
    return {name: round(sum(row[name] for row in rows) / len(rows), 3) for name in rows[0]}


def thumbnail(picture: Array) -> Array:
    """64 mean colours in one row: enough to tell time of day and terrain."""
    h, w = picture.shape[:2]
    return picture[: h // 8 * 8, : w // 8 * 8].reshape(8, h // 8, 8, w // 8, 3).mean((1, 3)).astype(np.float32).ravel()


@cache
def known_landscapes() -> tuple[Array, list[tuple[str, str]]]:
    rng = np.random.default_rng(5)
    labels = [(time, terrain) for time in TIMES for terrain in TERRAINS for _ in range(14)]
    return np.stack([thumbnail(render(landscape_scene(*label, int(rng.integers(1 << 30))))) for label in labels]), labels


def landscape_score(pictures: list[Array], wanted: list[tuple[str, str]]) -> dict[str, float]:
    """Shares that show the wanted (time, terrain), by a vote of the five nearest known pictures."""
    known, labels = known_landscapes()
    hits = np.zeros(3)
    for picture, (time, terrain) in zip(pictures, wanted):
        near = [labels[i] for i in np.abs(known - thumbnail(picture)).sum(1).argsort()[:5]]
        times, terrains = [label[0] for label in near], [label[1] for label in near]
        right = (max(TIMES, key=times.count) == time, max(TERRAINS, key=terrains.count) == terrain)
        hits += (*right, all(right))
    return dict(zip(("time of day", "terrain", "both"), (hits / len(wanted)).round(3).tolist()))
