"""Landscapes: a sky by the time of day, a terrain, and things that stand in it."""
from collections.abc import Callable
from typing import Any

import numpy as np

from tools.demo_model import things
from tools.demo_model.canvas import EVERYWHERE, Array, Canvas, Tint, circle, circles, ellipse, lighter, mix, rectangle
from tools.demo_model.palette import COLORS

SKY = {  # top, middle, horizon
    "dawn": ((118, 140, 206), (226, 178, 206), (255, 218, 190)),
    "day": ((58, 140, 226), (122, 188, 242), (206, 232, 250)),
    "sunset": ((74, 48, 124), (226, 88, 92), (255, 186, 84)),
    "night": ((8, 12, 38), (18, 28, 72), (44, 58, 110)),
}
LIGHT = {
    "dawn": Tint((0.98, 0.88, 0.9), (255, 232, 170)),
    "day": Tint(),
    "sunset": Tint((0.95, 0.7, 0.62), (255, 214, 120)),
    "night": Tint((0.42, 0.46, 0.64), (255, 216, 110)),
}
# Things keep more of their colour than the ground does, since the prompt names it.
LIGHT_ON_THINGS = {
    "dawn": Tint((1.0, 0.94, 0.95), (255, 232, 170)),
    "day": Tint(),
    "sunset": Tint((1.0, 0.84, 0.78), (255, 214, 120)),
    "night": Tint((0.66, 0.68, 0.8), (255, 216, 110)),
}
SUN_COLOR = {"day": (255, 244, 170), "dawn": (255, 236, 190), "sunset": (255, 226, 120), "night": (255, 240, 200)}
CLOUD_COLOR = {"dawn": (255, 226, 226), "day": (250, 252, 255), "sunset": (250, 170, 140), "night": (66, 76, 116)}
X_OF_POSITION = {"left": 0.22, "center": 0.5, "right": 0.78}


class Landscape:
    """One landscape while it is drawn; the parts read the horizon and the colours of the sky from it."""

    def __init__(self, c: Canvas, scene: dict[str, Any], rng: np.random.Generator):
        self.c, self.scene, self.rng = c, scene, rng
        self.time, self.terrain = scene["time"], scene["terrain"]
        self.light, self.light_on_things = LIGHT[self.time], LIGHT_ON_THINGS[self.time]
        places = {"sea": rng.uniform(0.52, 0.6), "desert": rng.uniform(0.56, 0.64), "city": 0.8}
        self.horizon = c.height * places.get(self.terrain, rng.uniform(0.6, 0.68))
        shades = [np.asarray(v, np.float32) + rng.uniform(-8, 8, 3).astype(np.float32) for v in SKY[self.time]]
        self.top, self.middle, self.low = (np.clip(v, 0, 255) for v in shades)
        self.objects = {o["kind"]: o for o in scene["objects"]}
        self.ground_y = c.height * 0.9

    def x_of(self, thing: dict[str, Any]) -> float:
        return self.c.width * X_OF_POSITION[thing["pos"]] + thing.get("dx", 0.0)

    def draw(self) -> None:
        self.draw_sky()
        TERRAIN_PAINTERS[self.terrain](self)
        for thing in self.scene["objects"]:  # far to near
            if thing["kind"] in things.THINGS:
                self.draw_thing(thing)

    def draw_sky(self) -> None:
        t = np.clip(self.c.y / self.horizon, 0, 1)[..., None]
        sky = np.where(t < 0.55, mix(self.top, self.middle, t / 0.55), mix(self.middle, self.low, (t - 0.55) / 0.45))
        self.c.img[:] = np.broadcast_to(sky, self.c.img.shape)
        if "stars" in self.objects:
            self.draw_stars()
        for kind in ("sun", "moon"):
            if kind in self.objects:
                self.draw_disc(kind)
        if "clouds" in self.objects:
            n = max(2, round(2.6 * self.c.width))
            for i in range(n):
                self.draw_cloud(self.c.width * (i + self.rng.uniform(0.2, 0.8)) / n, self.rng.uniform(0.12, 0.5) * self.horizon)

    def draw_stars(self) -> None:
        c, rng = self.c, self.rng
        for _ in range(int(34 * c.width * c.height)):
            x, y, r = rng.random() * c.width, rng.random() * self.horizon * 0.9, rng.uniform(0.0055, 0.011)
            c.fill(lambda gx, gy: circle(gx, gy, x, y, r), (250, 246, 220), (x - r, y - r, x + r, y + r), rng.uniform(0.6, 1.0))

    def draw_disc(self, kind: str) -> None:
        """The sun or the moon with its glow."""
        c, place = self.c, self.objects[kind]
        x, y = self.x_of(place), place["y"] * self.horizon
        color: Any = SUN_COLOR[self.time] if kind == "sun" else (244, 242, 224)
        r, glow, reach = (0.085, 0.55, 0.1) if kind == "sun" else (0.075, 0.3, 0.07)
        bounds = (x - r, y - r, x + r, y + r)
        distance = np.hypot(c.x - x, c.y - y)
        c.paint(EVERYWHERE, np.exp(-np.maximum(distance - r, 0) / reach) * glow, color)
        c.fill(lambda gx, gy: circle(gx, gy, x, y, r), color, bounds)
        if kind == "moon":
            for dx, dy, q in ((-0.3, -0.2, 0.24), (0.3, 0.25, 0.2), (0.15, -0.4, 0.13)):
                c.fill(lambda gx, gy: circle(gx, gy, x + dx * r, y + dy * r, q * r), (214, 212, 200), bounds)

    def draw_cloud(self, cx: float, cy: float) -> None:
        c, rng, color = self.c, self.rng, CLOUD_COLOR[self.time]
        s = rng.uniform(0.11, 0.17)
        bounds = (cx - 1.6 * s, cy - s, cx + 1.6 * s, cy + 0.7 * s)
        puffs = [(-0.75, 0.08, 0.36), (-0.25, -0.16, 0.5), (0.35, -0.06, 0.42), (0.85, 0.12, 0.3)]
        puffs = [(dx + rng.uniform(-.1, .1), dy + rng.uniform(-.06, .06), r) for dx, dy, r in puffs]

        def cloud(x: Array, y: Array) -> Array:
            body = np.minimum(circles(x, y, cx, cy, s, puffs), rectangle(x, y, cx, cy + 0.22 * s, 0.95 * s, 0.16 * s))
            return np.maximum(body, y - cy - 0.34 * s)

        c.fill(cloud, color, bounds, 0.92)
        c.fill(lambda x, y: cloud(x, y + 0.13 * s) + 0.05 * s, lighter(color, 0.4), bounds, 0.7)

    def draw_thing(self, thing: dict[str, Any]) -> None:
        c, kind, x = self.c, thing["kind"], self.x_of(thing)
        plain = (66, 140, 66) if kind == "tree" else (160, 90, 80)
        color = np.asarray(COLORS[thing["color"]] if thing.get("color") else plain, np.float32)
        if kind == "balloon":
            things.balloon(c, x, thing["y"] * self.horizon, thing["size"] * 0.22, color, self.light_on_things)
        elif kind == "boat":
            things.boat(c, x, self.horizon + (c.height - self.horizon) * 0.42, thing["size"] * 0.22, color, self.light_on_things)
        else:
            s = thing["size"] * {"house": 0.2, "tree": 0.24, "castle": 0.24}[kind]
            base = self.island(x, s) if self.terrain == "sea" else min(self.ground_y, c.height - 0.06) - 0.02
            things.THINGS[kind](c, x, base, s, color, self.light_on_things)

    def island(self, x: float, s: float) -> float:
        """A small island to stand on; returns the height of its ground."""
        y = self.horizon + 0.12
        self.c.fill(lambda gx, gy: np.maximum(ellipse(gx, gy, x, y + 0.05, s * 1.6, 0.09), gy - y - 0.03),
                    self.light((226, 200, 140)), (x - 2 * s, y - .1, x + 2 * s, y + .1))
        return y - 0.01


# Profiles of the ground

def ridge(x: Array, rng: np.random.Generator, n: int, roughness: float) -> Array:
    """A smooth random curve in -1..1, made of n sines."""
    out, total = np.zeros_like(x), 0.0
    for k in range(n):
        frequency, amplitude = (1.1 + 1.7 * k + rng.random() * 0.8), roughness ** k
        out += amplitude * np.sin(frequency * x * 2.2 + rng.random() * 6.28)
        total += amplitude
    return out / total


def peaks(x: Array, rng: np.random.Generator, width: float) -> Array:
    """A mountain profile of straight lines in 0..1."""
    points, at = [], -width
    end = float(x.max()) + 2 * width
    up = True
    while at < end:
        points.append((at, rng.uniform(0.6, 1.0) if up else rng.uniform(0.0, 0.3)))
        at += width * rng.uniform(0.6, 1.2)
        up = not up
    xs, ys = zip(*points)
    return np.interp(x, xs, ys).astype(np.float32)


# Terrains

def mountains(scene: Landscape) -> None:
    c, rng, light, x = scene.c, scene.rng, scene.light, scene.c.x[0]
    warmth = rng.random()
    for i, (y, height, width, fog) in enumerate(((scene.horizon + 0.02, 0.36, 0.24, 0.45), (scene.horizon + 0.1, 0.25, 0.17, 0.18))):
        profile = peaks(x, rng, width) + 0.05 * ridge(x * 9, rng, 2, 0.6)
        color = mix(light(mix((92, 100, 128), (108, 96, 104), warmth)), scene.low, fog)
        mask = c.cover((y - height * profile)[None] - c.y)
        c.paint(EVERYWHERE, mask, color)
        left_slope = np.gradient(profile) > 0  # catches the light
        c.paint(EVERYWHERE, mask * (0.22 * left_slope)[None], mix(color, (255, 250, 240), 0.5))
        if i == 0:
            jagged = 0.035 * np.sin(x * 60 + warmth * 9)
            snow = mix(light((248, 250, 255)), scene.low, 0.12)
            c.paint(EVERYWHERE, mask * c.cover(c.y - (y - height * 0.66 + jagged)[None]), snow)
    near = scene.horizon + 0.13 + 0.03 * ridge(x * 2, rng, 2, 0.5)
    c.paint(EVERYWHERE, c.cover(near[None] - c.y), light((74, 118, 72)))
    near = near + 0.12 + 0.02 * ridge(x * 2, rng, 2, 0.5)
    c.paint(EVERYWHERE, c.cover(near[None] - c.y), light((62, 102, 58)))


def hills(scene: Landscape) -> None:
    c, x = scene.c, scene.c.x[0]
    for i, green in enumerate(((150, 190, 120), (118, 172, 88), (92, 152, 66), (76, 132, 56))):
        line = scene.horizon - 0.06 + 0.105 * i + (0.07 - 0.01 * i) * ridge(x, scene.rng, 2, 0.5)
        c.paint(EVERYWHERE, c.cover(line[None] - c.y), mix(scene.light(green), scene.low, 0.38 - 0.12 * i if i < 3 else 0))


def desert(scene: Landscape) -> None:
    c, x = scene.c, scene.c.x[0]
    for i, sand in enumerate(((236, 206, 150), (232, 190, 120), (222, 172, 98))):
        profile = ridge(x, scene.rng, 2, 0.4)
        line = scene.horizon + 0.115 * i + 0.05 * profile
        mask = c.cover(line[None] - c.y)
        c.paint(EVERYWHERE, mask, mix(scene.light(sand), scene.low, 0.25 - 0.12 * i))
        slope = np.clip(np.gradient(profile) * c.px * 0.3, 0, 1)[None]
        shadow = mask * slope * np.exp(-np.maximum(c.y - line[None], 0) / 0.12) * 0.55
        c.paint(EVERYWHERE, shadow, scene.light((150, 98, 70)))


def forest(scene: Landscape) -> None:
    c, rng, x = scene.c, scene.rng, scene.c.x[0]
    for i, green in enumerate(((96, 136, 104), (58, 108, 72), (34, 78, 50))):
        period, phase = 0.075 + 0.02 * i, rng.random()
        index = np.floor(x / period + phase)
        heights = rng.uniform(0.55, 1.0, int(index.max()) + 2)[index.astype(int)]
        across = np.abs((x / period + phase) % 1 - 0.5) * 2  # 0 at the trunk, 1 between two trees
        line = scene.horizon - 0.02 + 0.1 * i - (0.16 + 0.03 * i) * heights * (1 - across) + 0.02 * across
        c.paint(EVERYWHERE, c.cover((line[None] - c.y) * 0.5), mix(scene.light(green), scene.low, 0.4 - 0.18 * i))
    line = scene.horizon + 0.25 + 0.015 * ridge(x * 2, rng, 2, 0.5)
    c.paint(EVERYWHERE, c.cover(line[None] - c.y), scene.light((70, 112, 58)))


def city(scene: Landscape) -> None:
    c, light = scene.c, scene.light
    for row in range(2):  # far, near
        at = -scene.rng.random() * 0.1
        base = mix(light((112, 122, 142)), scene.low, 0.5) if row == 0 else light((64, 70, 92))
        while at < c.width:
            at += building(scene, row, at, base)
    c.paint(EVERYWHERE, c.cover(scene.horizon + 0.01 - c.y + 0 * c.x), light((70, 74, 84)))
    lane = c.cover(np.abs(c.y - (scene.horizon + 0.1)) - 0.006 + 0 * c.x) * (np.sin(c.x * 40) > 0)
    c.paint(EVERYWHERE, lane, light((220, 214, 180)))
    scene.ground_y = scene.horizon + 0.06


def building(scene: Landscape, row: int, left: float, base: Array) -> float:
    """One building with its windows; returns its width."""
    c, rng, time = scene.c, scene.rng, scene.time
    w = rng.uniform(0.09, 0.16)
    top = scene.horizon + 0.02 - (rng.uniform(0.3, 0.62) if row == 0 else rng.uniform(0.16, 0.42))
    c.fill(lambda gx, gy: rectangle(gx, gy, left + w / 2, (top + c.height) / 2, w / 2 - 0.004, (c.height - top) / 2),
           base * rng.uniform(0.9, 1.1), (left, top, left + w, c.height))
    if row == 1 or time == "night":
        color = mix(base, scene.light.window, 0.95 if time == "night" else 0.6 if time != "day" else 0.45)
        columns = max(2, int(w / 0.042))
        for y in np.arange(top + 0.035, scene.horizon - 0.02, 0.055):
            for column in range(columns):
                if rng.random() < (0.6 if row else 0.3):
                    x = left + (column + 0.5) * w / columns
                    c.fill(lambda gx, gy: rectangle(gx, gy, x, y, 0.0105, 0.013), color, (x - .02, y - .02, x + .02, y + .02))
    return w


def sea(scene: Landscape) -> None:
    c, rng, light, horizon = scene.c, scene.rng, scene.light, scene.horizon
    depth = np.clip((c.y - horizon) / (c.height - horizon), 0, 1)[..., None]
    water = mix(mix(scene.low, light((40, 130, 180)), 0.55), mix(scene.middle, light((16, 70, 130)), 0.7), depth)
    mask = c.cover(horizon - c.y + 0 * c.x)
    c.paint(EVERYWHERE, mask, (0, 0, 0))
    c.img[:] = c.img * (1 - mask[..., None]) + np.broadcast_to(water, c.img.shape) * mask[..., None]
    for kind, color in (("sun", (255, 236, 190)), ("moon", (200, 206, 226))):
        if kind in scene.objects:
            off = c.x - scene.x_of(scene.objects[kind]) + 0.018 * np.sin(c.y * 95)
            c.paint(EVERYWHERE, mask * np.exp(-(off / (0.035 + 0.16 * (c.y - horizon))) ** 2) * 0.6, color)
    for _ in range(int(16 * c.width)):
        near = rng.random() ** 0.7
        y, x, length = horizon + 0.02 + near * (c.height - horizon - 0.03), rng.random() * c.width, 0.03 + 0.09 * near
        c.fill(lambda gx, gy: ellipse(gx, gy, x, y, length, 0.005 + 0.004 * near),
               lighter(water[min(c.height_px - 1, int(y * c.px)), 0], 0.28), (x - length, y - .02, x + length, y + .02))


TERRAIN_PAINTERS: dict[str, Callable[[Landscape], None]] = {
    "mountains": mountains, "hills": hills, "desert": desert, "forest": forest, "city": city, "sea": sea,
}
